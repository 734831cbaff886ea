"""The server, over a real socket: who may ask, and what it answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.view.worlds import example, folder_of, viewing

from seedbed.cli import main
from seedbed.records import Drop


class Caller:
    """Sends one request after the other to a view, as whoever the headers say."""

    def __init__(self, address: str) -> None:
        self.parts = urlsplit(address)
        self.token = self.parts.query.removeprefix("token=")

    def __call__(
        self, path: str, *, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.parts.netloc, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        response = connection.getresponse()
        answer = response.status, dict(response.headers), response.read().decode()
        connection.close()
        return answer

    @property
    def cookie(self) -> str:
        _, headers, _ = self(f"/?token={self.token}")
        return headers["Set-Cookie"].split(";")[0]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    examples = [example(f"Say the number {number}") for number in range(3)]
    drops = [(example("Not this"), Drop(reason="truncated"))]
    folder = folder_of(tmp_path_factory.mktemp("served") / "run", examples, drops)
    with viewing(folder.path) as address:
        yield Caller(address)


def test_the_token_is_traded_for_a_cookie_that_no_script_and_no_other_site_gets(
    call: Caller,
) -> None:
    status, headers, _ = call(f"/?token={call.token}")
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=Strict" in headers["Set-Cookie"]
    assert call("/", Cookie=call.cookie)[0] == 200


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/run", "/api/items", "/nothing"])
def test_without_the_token_nothing_is_told(call: Caller, path: str) -> None:
    cookie = call.cookie.split("=")[0]
    for headers in ({}, {"Cookie": f"{cookie}=wrong"}, {"Cookie": f"{cookie}=ü"}):
        status, got, body = call(path, **headers)
        assert status == 403
        assert "Say the number" not in body
        assert "script-src 'self'" in got["Content-Security-Policy"]
    assert call("/?token=wrong")[0] == 403
    assert call(f"/api/run?token={call.token}")[0] == 403, "only the page's address takes it"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::2]", "", "a b"])
def test_another_host_name_is_refused(call: Caller, host: str) -> None:
    assert call("/api/run", Cookie=call.cookie, Host=host)[0] in (400, 403)


def test_this_machine_may_be_called_localhost(call: Caller) -> None:
    assert call("/api/run", Cookie=call.cookie, Host="localhost:1234")[0] == 200


KEY = "/api/items/d1/decision"
DECISION = json.dumps({"verdict": "accept"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", "Content_Type": "application/json"},
        {"Origin": "null", "Content_Type": "application/json"},
        {"Sec_Fetch_Site": "cross-site", "Content_Type": "application/json"},
        {"Sec_Fetch_Site": "same-site", "Content_Type": "application/json"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
    ],
)
def test_a_change_that_another_page_asks_for_is_refused(
    call: Caller, headers: dict[str, str]
) -> None:
    assert call(KEY, method="POST", body=DECISION, Cookie=call.cookie, **headers)[0] == 403


def test_every_answer_forbids_what_the_page_does_not_need(call: Caller) -> None:
    for path in ("/", "/static/app.js", "/api/run", "/api/items/none", "/nothing"):
        _, headers, _ = call(path, Cookie=call.cookie)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e%2fserver.py", "/static/..%5cserver.py"]
)
def test_there_is_no_way_to_other_files(call: Caller, path: str) -> None:
    status, _, body = call(path, Cookie=call.cookie)
    assert status == 404
    assert "import" not in body


def answered(call: Caller, path: str) -> Any:
    status, _, body = call(path, Cookie=call.cookie)
    assert status == 200, body
    return json.loads(body)


def test_items_are_answered(call: Caller) -> None:
    made = answered(call, "/api/items?search=number")
    assert [item["excerpt"] for item in made["items"]] == [
        f"Say the number {number}" for number in range(3)
    ]
    key = made["items"][0]["key"]
    item = answered(call, f"/api/items/{key}")
    assert item["markdown"]["response"] == [["p", {}, ["An answer."]]]
    assert len(answered(call, f"/api/items/{key}/neighbours")) == 2
    assert answered(call, f"/api/items/{key}/lineage")["children"] == []
    assert "is not there" in answered(call, f"/api/items/{key}/conversation")["problem"]
    assert answered(call, "/api/facets?side=drops")["total"] == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/items/none", 404),
        ("/api/items?side=x", 400),
        ("/api/items?sort=x", 400),
        ("/api/facets?judged=x", 400),
    ],
)
def test_wrong_questions_get_an_answer_that_says_so(call: Caller, path: str, status: int) -> None:
    got, _, body = call(path, Cookie=call.cookie)
    assert got == status
    assert json.loads(body)["error"]


def test_a_decision_is_kept_and_a_wrong_one_is_not(call: Caller) -> None:
    settings = {"method": "POST", "Cookie": call.cookie, "Content_Type": "application/json"}
    status, _, body = call(KEY, body=DECISION, **settings)
    assert (status, json.loads(body)["verdict"]) == (200, "accept")
    assert answered(call, "/api/items/d1")["decision"]["verdict"] == "accept"
    assert answered(call, "/api/agreement")["drops"] == 1
    for body in ("no json", "[]", '{"verdict": 5}'):
        assert call(KEY, body=body, **settings)[0] == 400


def test_a_folder_that_is_no_run_and_a_taken_port_are_said(
    tmp_path: Path, call: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", str(tmp_path), "--no-browser"]) == 2
    assert "not of a run" in capsys.readouterr().err
    folder = folder_of(tmp_path / "run", [])
    port = str(call.parts.port)
    assert main(["view", str(folder.path), "--no-browser", "--port", port]) == 2
    assert "--port" in capsys.readouterr().err


def test_decisions_that_cannot_be_read_switch_judging_off(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run", [example("One")])
    folder.decisions.write_text("no decision\n")
    with viewing(folder.path) as address:
        call = Caller(address)
        assert "line 1" in answered(call, "/api/run")["locked"]
        key = answered(call, "/api/items")["items"][0]["key"]
        status, _, body = call(
            f"/api/items/{key}/decision",
            method="POST",
            body=DECISION,
            Cookie=call.cookie,
            Content_Type="application/json",
        )
        assert status == 500
        assert "line 1" in json.loads(body)["error"]
    assert folder.decisions.read_text() == "no decision\n"
