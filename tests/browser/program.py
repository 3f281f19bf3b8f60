"""
A program that has people sign in: it registers itself, listens on loopback, and gets a token. Owns
the listener.
"""

from __future__ import annotations

import json
import ssl
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

from ..interop.demo import Demo
from ..interop.programs import TIMEOUT

NAME = "Mail on my laptop"


class Program:
    """
    One that runs.

    @ivar redirectURI: where it listens.
    """

    def __init__(self, demo: Demo) -> None:
        """
        Listen, and register.
        """
        self._demo = demo
        self._visits: SimpleQueue[tuple[str, dict[str, str]]] = SimpleQueue()
        visits = self._visits

        class Listener(BaseHTTPRequestHandler):
            """
            Takes the answer.
            """

            def do_GET(self) -> None:
                """
                A browser came back.
                """
                if self.path.startswith("/callback"):
                    visits.put((self.path, dict(self.headers)))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<h1>Welcome back</h1>")

            def log_message(self, format: str, *arguments: Any) -> None:
                """
                Say nothing.
                """

        self._server = HTTPServer(("127.0.0.1", 0), Listener)
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.redirectURI = f"http://127.0.0.1:{self._server.server_port}/callback"
        metadata = {
            "client_name": NAME,
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }
        body = json.dumps(metadata).encode()
        self._clientId = self._post("register", body, "application/json")["client_id"]

    def address(self, **parameters: str) -> str:
        """
        Where it sends people.

        @param parameters: more of them, or others.
        """
        self._verifier = urlsafe_b64encode(sha256(b"a secret of this test").digest()).rstrip(b"=")
        challenge = urlsafe_b64encode(sha256(self._verifier).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._clientId,
            "redirect_uri": self.redirectURI,
            "state": "the state",
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **parameters,
        }
        return f"{self._demo.issuer}/authorize?{urlencode(asked)}"

    def answer(self) -> dict[str, str]:
        """
        What it is told when somebody comes back.
        """
        path, headers = self._visits.get(timeout=TIMEOUT)
        # Where he comes from is nobody's business.
        assert "Referer" not in headers, headers
        return dict(parse_qsl(urlsplit(path).query))

    def redeem(self, code: str) -> dict[str, Any]:
        """
        What it gets for a code.
        """
        return self.post(
            "token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.redirectURI,
            client_id=self._clientId,
            code_verifier=self._verifier.decode(),
        )

    def post(self, path: str, **form: str) -> dict[str, Any]:
        """
        Send a form to an endpoint.
        """
        return self._post(path, urlencode(form).encode(), "application/x-www-form-urlencoded")

    def _post(self, path: str, body: bytes, type: str) -> dict[str, Any]:
        request = Request(f"{self._demo.issuer}/{path}", body, {"Content-Type": type})
        trust = ssl.create_default_context(cafile=self._demo.authority)
        with urlopen(request, timeout=TIMEOUT, context=trust) as response:
            members: dict[str, Any] = json.load(response)
        return members

    def close(self) -> None:
        """
        Stop listening.
        """
        self._server.shutdown()
        self._server.server_close()
