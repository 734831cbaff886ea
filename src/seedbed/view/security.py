"""Who may ask the server, and what the page may do.

The page shows text that strangers' models wrote, and it can write decisions. So:

    * it listens on the loopback address only;
    * every request needs the token that stands in the address that `seedbed view` prints. It is
      traded for a cookie at once, and leaves the address bar and the history;
    * a request that names another host is refused: a page elsewhere that lets its own name point
      here (DNS rebinding) gets nothing. So is a change that another page asks for;
    * the page may load and run only what this server sends as files, may not be framed, sends
      nothing elsewhere, and may turn no string into markup or code (Trusted Types).
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def new_token() -> str:
    return token_urlsafe(24)


class Guard:
    """A middleware that lets through who has the token, and marks every response."""

    def __init__(self, token: str) -> None:
        self._token = token
        # Browsers share cookies among all ports of a host: each server gets a name of its own.
        self.cookie = f"seedbed_view_{sha256(token.encode()).hexdigest()[:10]}"

    def middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                response = self._refusal(request) or await handler(request)
            except web.HTTPException as error:
                error.headers.update(HEADERS)
                raise
            response.headers.update(HEADERS)
            return response

        return guard

    def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        if _hostname(request.host) not in HOSTS:
            return _refused("This server answers on this machine's own address only.")
        if request.method not in ("GET", "HEAD") and not _from_own_page(request):
            return _refused("Changes are taken from this server's own page only.")
        if self._has_token(request.cookies.get(self.cookie, "")):
            return None
        if request.path == "/" and self._has_token(request.query.get("token", "")):
            return self._welcome()
        return _refused(
            "The token is missing or wrong. Open the address that `seedbed view` printed."
        )

    def _has_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _welcome(self) -> web.StreamResponse:
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self.cookie, self._token, httponly=True, samesite="Strict", path="/")
        return response


def _refused(why: str) -> web.Response:
    return web.Response(status=403, text=f"{why}\n")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _from_own_page(request: web.Request) -> bool:
    """A browser says where a request comes from; a page elsewhere cannot make it say otherwise."""
    origin = request.headers.get("Origin", "")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    own = origin in (f"http://{request.host}", "")
    return own and site == "same-origin" and request.content_type == "application/json"
