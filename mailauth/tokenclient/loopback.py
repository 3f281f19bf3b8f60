"""
The answer of a browser (RFC 8252 section 7.3). Owns the listener on loopback, and which answer is
the one that is awaited.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .failures import Refusal

PATIENCE = 600.0
"""
How many seconds somebody has to sign in.
"""

REDIRECT_URI = "http://127.0.0.1/callback"
"""
As it is registered. The port is another each time.
"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{heading}</title>
<h1>{heading}</h1>
<p>{text}</p>
"""
_BACK = ("Go back to the terminal", "mailauth-token goes on there. You can close this window.")
_STRANGER = ("Nobody waits for this", "Go back to the terminal, and begin anew there.")


class Listener:
    """
    One that waits for one answer.

    @ivar state: what the answer has to know.
    @ivar redirectURI: where it has to go.
    """

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe(32)
        self._server = _Server(self.state)
        self.redirectURI = f"http://127.0.0.1:{self._server.server_port}/callback"

    def __enter__(self) -> Listener:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float = PATIENCE) -> dict[str, str]:
        """
        Wait for the answer.

        @raise Refusal: none came.
        """
        try:
            return self._server.answers.get(timeout=seconds)
        except Empty:
            raise Refusal("Nobody came back from the browser. Begin anew.") from None


class _Server(ThreadingHTTPServer):
    """
    Whom browsers visit, each in a thread: they open connections and leave them idle.

    @ivar answers: those that know the state.
    """

    daemon_threads = True

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self._state = state.encode("ascii")
        self.answers: SimpleQueue[dict[str, str]] = SimpleQueue()

    def take(self, answer: dict[str, str]) -> bool:
        """
        Take an answer. Any program here, and any page in the browser, can send something: whoever
        does not know the state ends nothing.

        @return: whether it is the one.
        """
        if not compare_digest(answer.get("state", "").encode("utf-8"), self._state):
            return False
        self.answers.put(answer)
        return True


class _Visit(BaseHTTPRequestHandler):
    """
    A visit.
    """

    server: _Server
    timeout = 10
    server_version = "mailauth-token"
    sys_version = ""

    def do_GET(self) -> None:
        """
        Tell a browser where it goes on.
        """
        parts = urlsplit(self.path)
        pairs = parse_qsl(parts.query)
        answer = dict(pairs)
        once = len(answer) == len(pairs)
        known = parts.path == "/callback" and once and self.server.take(answer)
        heading, text = _BACK if known else _STRANGER
        body = _PAGE.format(heading=heading, text=text).encode("utf-8")
        self.send_response(200 if known else 404)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """
        Say nothing: the line would hold the code.
        """
