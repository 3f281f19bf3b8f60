"""
An authorization server of somebody else, who does not keep to the rules. Owns what it answers, and
what it was asked.
"""

from __future__ import annotations

import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl

import attrs

from mailauth.server.certificates import makeCertificates

METADATA = "/.well-known/oauth-authorization-server"


@attrs.frozen
class Said:
    """
    An answer.

    @ivar slowly: the body comes octet by octet, and does not end.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    slowly: bool = False


def inJSON(members: object, status: int = 200) -> Said:
    """
    An answer in JSON.
    """
    return Said(status, json.dumps(members).encode())


class OtherServer:
    """
    One that runs.

    @ivar issuer: where it is.
    @ivar answers: for each path what it says, one after the other; the last one for ever.
    @ivar forms: what was posted.
    """

    def __init__(self, directory: Path, name: str = "localhost") -> None:
        """
        @param directory: for its certificates.
        @param name: what it is called.
        """
        makeCertificates(directory, [name])
        self.authority = str(directory / "ca.pem")
        self.answers: dict[str, list[Said]] = {}
        self.forms: list[dict[str, str]] = []
        self._closed = Event()
        other = self

        class Visit(BaseHTTPRequestHandler):
            """
            One request.
            """

            def do_GET(self) -> None:
                """
                Answer.
                """
                path = self.path.partition("?")[0]
                answers = other.answers.get(path, [Said(404, b"")])
                said = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(said.status)
                for name, value in said.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)
                while said.slowly and not other._closed.wait(0.05):
                    self.wfile.write(b" ")

            def do_POST(self) -> None:
                """
                Hear, and answer.
                """
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                other.forms.append(dict(parse_qsl(body)))
                self.do_GET()

            def log_message(self, format: str, *arguments: Any) -> None:
                """
                Say nothing.
                """

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
        tlsContext = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tlsContext.load_cert_chain(directory / "server.pem", directory / "server.key")
        self._server.socket = tlsContext.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.issuer = f"https://localhost:{self.port}"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/token",
            "device_authorization_endpoint": f"{self.issuer}/device",
        }
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """
        Stop it.
        """
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
