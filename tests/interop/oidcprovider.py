"""
npm oidc-provider, as an organisation has it that people sign in at. Owns its process.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any
from unittest import SkipTest

from .demo import Demo
from .federation import AUDIENCE, CLIENT_ID, Provider
from .nodejs import SCRIPTS
from .programs import need


def needOIDCProvider() -> None:
    """
    Skip the test unless it is there.
    """
    need("node")
    if not (SCRIPTS / "node_modules" / "oidc-provider").is_dir():
        raise SkipTest("needs npm ci in tests/interop/node")


class OIDCProvider(Provider):
    """
    One that runs.
    """

    # It has to be encoded, and is (RFC 6749 section 2.3.1).
    secret = "a secret of 32 characters, about."
    usernameClaim = "email"

    def __init__(self, demo: Demo) -> None:
        """
        Start it.

        @param demo: the service that is its client, and has its certificate.
        """
        client = {
            "client_id": CLIENT_ID,
            "client_secret": self.secret,
            "redirect_uris": [f"{demo.issuer}/signin/external/company"],
            "backchannel_logout_uri": f"{demo.issuer}/backchannel_logout",
            "backchannel_logout_session_required": True,
            "id_token_signed_response_alg": "ES256",
            "introspection_signed_response_alg": "ES256",
        }
        options = {
            "certificate": str(demo.directory / "server.pem"),
            "key": str(demo.directory / "server.key"),
            "client": client,
            "resource": AUDIENCE,
        }
        self._process = subprocess.Popen(
            ("node", SCRIPTS / "issuer.mjs", json.dumps(options)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": demo.authority},
        )
        self.issuer = self._hear()["issuer"]
        self.revocation = f"{self.issuer}/token/revocation"

    def stop(self) -> None:
        """
        Stop it.
        """
        self._process.kill()
        self._process.communicate()

    def token(self, format: str, account: str = "alice") -> str:
        """
        An access token of its.

        @param format: C{"jwt"} or C{"opaque"}.
        """
        assert self._process.stdin is not None
        asked = {"account": account, "format": format}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        token: str = self._hear()["token"]
        return token

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        members: dict[str, Any] = json.loads(self._process.stdout.readline())
        return members
