"""Judging over a real socket, through journal and budget: the whole way, and what it costs."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from tests.evaluate.alpaca_eval.made import COUNT, TEMPLATE, data, instruction
from tests.models.servers import Asked, Server, chat_body, head, serving

from seedbed.config_tables import ModelTable, PriceTable
from seedbed.endpoint import open_model
from seedbed.errors import BudgetError
from seedbed.evaluate.alpaca_eval.annotate import Protocol, annotate, forecast, requests
from seedbed.evaluate.alpaca_eval.annotations import Annotated, read_annotations
from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData
from seedbed.evaluate.alpaca_eval.measure import measure
from seedbed.evaluate.alpaca_eval.protocol import load_prompt, parse_prompt
from seedbed.evaluate.alpaca_eval.scoring import Scoring, score
from seedbed.evaluate.judge import Judge, switched
from seedbed.evaluate.measurement import Result
from seedbed.journal import Journal
from seedbed.models.budgeted import Budget
from seedbed.models.ledger import Caps
from seedbed.models.spending import spent_in
from seedbed.records import JSON

PROTOCOL = Protocol(prompt=parse_prompt(TEMPLATE.encode(), place="test"))
PRICE = PriceTable(input=10.0, output=30.0)
COST = (120 * 10 + 1 * 30) / 1e6
"""Dollars of one judgment: the server says 120 tokens in and 1 out."""


def quality(output: str) -> float:
    """What this judge thinks of an output: anything, as long as it follows from the text."""
    return int(sha256(output.encode()).hexdigest()[:4], 16) / 65536


def chance_of(first: str, second: str) -> float:
    """Of the first being better, with a bias of 0.4 for what is shown first."""
    return 1 / (1 + math.exp(-4 * (quality(first) - quality(second)) - 0.4))


class JudgeServer:
    """A judge on a socket. `logprobs`: whether it lists chances; `strict`: whether it rejects who
    asks for them; `lost`: what it cannot judge."""

    def __init__(self, *, logprobs: bool = True, strict: bool = False, lost: str = "") -> None:
        self._logprobs = logprobs
        self._strict = strict
        self._lost = lost

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if self._strict and "logprobs" in asked.body:
            error = json.dumps({"error": {"message": "logprobs: not supported"}}).encode()
            writer.write(head(400, len(error), {"content-type": "application/json"}) + error)
            return
        body = json.dumps(self._reply(asked.body)).encode()
        writer.write(head(200, len(body), {"content-type": "application/json"}) + body)

    def _reply(self, body: JSON) -> JSON:
        shown = body["messages"][-1]["content"]
        first, second = (
            part.split("\n\n")[0].strip() for part in shown.split("m: ")[1].split("M: ")
        )
        chance = chance_of(first, second)
        token = "m" if chance > 0.5 else "M"
        top = {"m": math.log(chance), "M": math.log(1 - chance), "The": -12.0}
        if self._lost and self._lost in shown:
            token, top = "The", {"The": -0.01, "It": -6.0}
        usage = {"prompt_tokens": 120, "completion_tokens": 1}
        if not self._logprobs:
            return chat_body(token, finish_reason="length", usage=usage)
        assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 5, 1)
        listed = [{"token": name, "logprob": value} for name, value in top.items()]
        entry = {"token": token, "logprob": top[token], "top_logprobs": listed}
        return chat_body(token, finish_reason="length", usage=usage, logprobs={"content": [entry]})


def outputs(benchmark: AlpacaEvalData) -> dict[str, str]:
    """A student's: the baseline's own for instruction 0, none for 1, its own for the others."""
    own = {
        text: f"Student on {place}. " + "And so on. " * (place % 7)
        for place, text in enumerate(benchmark.instructions)
    }
    own[instruction(0)] = benchmark.outputs[0]
    del own[instruction(1)]
    return own


async def judged(
    folder: Path,
    benchmark: AlpacaEvalData,
    server: Server,
    *,
    protocol: Protocol = PROTOCOL,
    caps: Caps | None = None,
) -> tuple[Annotated, Judge, Budget]:
    table = ModelTable(model="judge-1", base_url=server.url, price=PRICE, max_in_flight=8)
    with Journal(folder / "journal.db") as journal:
        spent = spent_in(journal, {"judge-1": None})
        budget = Budget(caps or Caps(), spent=spent)
        async with open_model(table, journal=journal, budget=budget) as endpoint:
            judge = Judge(endpoint.model)
            annotated = await annotate(
                outputs(benchmark), student="tiny", data=benchmark, judge=judge, protocol=protocol
            )
    return annotated, judge, budget


async def measured(
    folder: Path, benchmark: AlpacaEvalData, server: Server
) -> tuple[Result, Annotated, Judge]:
    table = ModelTable(model="judge-1", base_url=server.url, price=PRICE)
    with Journal(folder / "journal.db") as journal:
        async with open_model(table, journal=journal, budget=Budget(Caps())) as endpoint:
            judge = Judge(endpoint.model)
            result, annotated = await measure(
                outputs(benchmark),
                student="tiny",
                data=benchmark,
                judge=judge,
                protocol=PROTOCOL,
                scoring=Scoring(draws=5),
                settings={"temperature": 0.9},
                notes=("Of one made-up student.",),
            )
    return result, annotated, judge


def test_a_student_is_judged_and_asked_again_pays_nothing(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")

    async def work() -> None:
        async with serving(JudgeServer()) as server:
            first, judge, budget = await judged(tmp_path, benchmark, server)
            assert len(server.asked) == COUNT - 2
            again, replayed, after = await judged(tmp_path, benchmark, server)
            assert len(server.asked) == COUNT - 2
        assert again == first
        assert budget.ledger.spent.dollars == pytest.approx((COUNT - 2) * COST)
        assert after.ledger.spent == budget.ledger.spent
        assert judge.dollars == replayed.dollars == pytest.approx((COUNT - 2) * COST)
        given = outputs(benchmark)
        assert first.place == [0, *range(2, COUNT)]
        assert first.preference[0] == 1.5
        for place, preference in zip(first.place[1:], first.preference[1:], strict=True):
            text = benchmark.instructions[place]
            own, baseline = given[text].strip(), benchmark.outputs[place].strip()
            if switched(text):
                assert preference == pytest.approx(1 + chance_of(own, baseline))
            else:
                assert preference == pytest.approx(2 - chance_of(baseline, own))
        assert (first.from_text, judge.failed, first.agreement) == (0, 0, None)

    asyncio.run(work())


def test_a_cap_stops_the_judging_and_what_was_paid_is_not_paid_again(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")

    async def work() -> None:
        async with serving(JudgeServer()) as server:
            with pytest.raises(BudgetError, match="the cap on calls is reached"):
                await judged(tmp_path, benchmark, server, caps=Caps(calls=15))
            assert len(server.asked) == 15
            annotated, _, budget = await judged(tmp_path, benchmark, server)
            assert len(server.asked) == COUNT - 2
            assert budget.ledger.spent.calls == COUNT - 2
            assert len(annotated.place) == COUNT - 1

    asyncio.run(work())


def test_both_orders_undo_a_bias_for_the_first_and_are_held_against_each_other(
    tmp_path: Path,
) -> None:
    benchmark = data(tmp_path / "data")
    both = replace(PROTOCOL, both_orders=True)

    async def work() -> None:
        async with serving(JudgeServer()) as server:
            annotated, _, _ = await judged(tmp_path, benchmark, server, protocol=both)
            assert len(server.asked) == 2 * (COUNT - 2)
        given = outputs(benchmark)
        same = 0
        for place, preference in zip(annotated.place[1:], annotated.preference[1:], strict=True):
            own = given[benchmark.instructions[place]].strip()
            baseline = benchmark.outputs[place].strip()
            seen = 2 - chance_of(baseline, own), 1 + chance_of(own, baseline)
            assert preference == pytest.approx(sum(seen) / 2)
            same += (seen[0] > 1.5) == (seen[1] > 1.5)
        assert 0 < same < COUNT - 2
        assert annotated.agreement == pytest.approx(same / (COUNT - 2))
        measured = score(annotated, benchmark, scoring=Scoring(draws=5))
        agreed = measured.measurement("order_agreement")
        assert agreed.value == pytest.approx(100 * same / (COUNT - 2))

    asyncio.run(work())


def test_a_judge_without_log_probabilities_is_read_by_its_word_and_that_is_said(
    tmp_path: Path,
) -> None:
    benchmark = data(tmp_path / "data")

    async def work() -> None:
        async with serving(JudgeServer(logprobs=False)) as server:
            annotated, _, _ = await judged(tmp_path, benchmark, server)
        assert set(annotated.preference) == {1.0, 1.5, 2.0}
        assert annotated.from_text == COUNT - 2
        result = score(annotated, benchmark, scoring=Scoring(draws=5))
        notes = " ".join(result.measurements[0].notes)
        assert "38 of 38 answers came without log-probabilities" in notes

    asyncio.run(work())


def test_a_server_that_rejects_log_probabilities_is_asked_without_them(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")

    async def work() -> None:
        async with serving(JudgeServer(logprobs=False, strict=True)) as server:
            annotated, judge, _ = await judged(tmp_path, benchmark, server)
            assert ["logprobs" in asked.body for asked in server.asked[:2]] == [True, False]
            assert len(server.asked) == COUNT - 2 + 1
        assert (annotated.from_text, judge.asked, judge.failed) == (COUNT - 2, COUNT - 2, 0)
        assert judge.dollars == pytest.approx((COUNT - 2) * COST)

    asyncio.run(work())


def test_what_cannot_be_read_is_counted_and_not_averaged(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")

    async def work() -> None:
        async with serving(JudgeServer(lost="number 3")) as server:
            result, annotated, judge = await measured(tmp_path, benchmark, server)
        lost = [place for place in range(COUNT) if "number 3" in instruction(place)]
        unread = [
            place
            for place, preference in zip(annotated.place, annotated.preference, strict=True)
            if math.isnan(preference)
        ]
        assert unread == lost
        assert judge.failed == len(lost) == 11
        raw = result.measurement("win_rate")
        assert (raw.n, raw.expected_n) == (COUNT - 1 - 11, COUNT)
        assert raw.dollars == pytest.approx((COUNT - 2) * COST)
        assert raw.settings["judge_prompt"] == PROTOCOL.prompt.digest
        assert raw.settings["temperature"] == 0.9
        assert raw.settings["preferences_from"] == "log-probabilities"
        unread_share = result.measurement("unread_judgments")
        assert unread_share.value == pytest.approx(100 * 11 / (COUNT - 1))
        notes = " ".join(raw.notes)
        assert "Of one made-up student." in notes
        assert "11 of 38 judgments (28.9%) could not be read" in notes
        assert "The judge did not read the published prompt" in notes
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(annotated.rows(benchmark)))
        (stored,) = read_annotations(path, benchmark)
        again = score(stored, benchmark, scoring=Scoring(draws=5))
        assert [each.value for each in again.measurements] == [
            each.value for each in result.measurements
        ]

    asyncio.run(work())


def test_a_plan_knows_what_judging_takes(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")
    given = outputs(benchmark)
    stage = forecast(given, benchmark, PROTOCOL)
    asked = requests(given, benchmark, PROTOCOL)
    assert stage.calls.low == stage.calls.high == len(asked) == COUNT - 2
    size = sum(len(message.content) for each in asked for message in each.messages)
    assert stage.prompt_tokens.low < size / 4 < stage.prompt_tokens.high
    assert stage.completion_tokens.high == COUNT - 2
    twice = forecast(given, benchmark, replace(PROTOCOL, both_orders=True))
    assert twice.calls.high == 2 * (COUNT - 2)


def test_our_own_prompt_is_asked_where_there_is_no_other(tmp_path: Path) -> None:
    benchmark = data(tmp_path / "data")
    asked = requests(outputs(benchmark), benchmark, Protocol(prompt=load_prompt()))
    assert len({request.messages for request in asked}) == COUNT - 2
