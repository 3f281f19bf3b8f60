"""
Debian's glewlwyd, as an organisation has it that people sign in at. Owns its process, and how it is
set up by its own API.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import ssl
import subprocess
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

import jwcrypto.jwk  # type: ignore[import-untyped]  # it has no annotations

from . import ALICE, HOST
from .demo import Demo
from .federation import AUDIENCE, CLIENT_ID, Provider
from .ports import freePort
from .programs import TIMEOUT, eventually

PROGRAM = "mutt"
ELSEWHERE = "https://elsewhere.example"
"""
What a token may be for besides us.
"""

_REDIRECT = "http://localhost/callback"
_PASSWORD = "of alice, there"
_SCOPE = "openid imap smtp pop3"
_SCHEMA = Path("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz")
_MODULES = "/usr/lib/glewlwyd"

_SETTINGS = """
port = {port}
bind_address = "{host}"
external_url = "{url}"
api_prefix = "api"
login_url = "login.html"
log_mode = "console"
log_level = "NONE"
cookie_secure = 1
session_key = "session"
session_expiration = 3600
admin_scope = "g_admin"
profile_scope = "g_profile"
hash_algorithm = "SHA512"
user_module_path = "{modules}/user"
user_middleware_module_path = "{modules}/user_middleware"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
use_secure_connection = true
secure_connection_key_file = "{certificates}/server.key"
secure_connection_pem_file = "{certificates}/server.pem"
database = {{ type = "sqlite3" path = "{database}" }};
"""


class Glewlwyd(Provider):
    """
    One that runs, and where alice has an account.
    """

    # It does not undo what RFC 6749 section 2.3.1 encodes.
    secret = "aSecretThatIsTheSameWhenItIsEncoded"
    usernameClaim = "username"

    def __init__(self, directory: Path, demo: Demo) -> None:
        """
        Start it.

        @param directory: an empty one.
        @param demo: the service that is its client, and has its certificate.
        """
        port = freePort()
        self._url = f"https://localhost:{port}"
        self.issuer = f"{self._url}/api/oidc"
        self.revocation = f"{self.issuer}/revoke"
        self._trust = ssl.create_default_context(cafile=demo.authority)
        database = directory / "database"
        with sqlite3.connect(database) as connection:
            connection.executescript(gzip.decompress(_SCHEMA.read_bytes()).decode())
        connection.close()
        configuration = directory / "glewlwyd.conf"
        configuration.write_text(
            _SETTINGS.format(
                port=port,
                host=HOST,
                url=self._url,
                modules=_MODULES,
                certificates=demo.directory,
                database=database,
            )
        )
        self._process = subprocess.Popen(
            ("glewlwyd", "--config-file", configuration),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ready(self) -> None:
        """
        Wait until it answers, and set it up.
        """
        eventually(self._answers)
        self._setUp()

    def stop(self) -> None:
        """
        Stop it.
        """
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def token(self, clientId: str = PROGRAM, audience: str = AUDIENCE) -> str:
        """
        An access token that alice lets a client have (RFC 6749 section 4.1, RFC 7636, RFC 8707).
        """
        alice = _Visitor(self._url, self._trust)
        alice.signIn(ALICE, _PASSWORD)
        alice.call("PUT", f"auth/grant/{clientId}", {"scope": _SCOPE})
        verifier = 43 * "x"
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": clientId,
            "redirect_uri": _REDIRECT,
            "scope": _SCOPE,
            "nonce": "of this request",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": audience,
            # Its pages say so once she has signed in and allowed it, which she did.
            "g_continue": "",
        }
        location = alice.open("GET", f"oidc/auth?{urlencode(asked)}").headers["Location"]
        form = {
            "grant_type": "authorization_code",
            "code": dict(parse_qsl(urlsplit(location).query))["code"],
            "redirect_uri": _REDIRECT,
            "client_id": clientId,
            "client_secret": self.secret,
            "code_verifier": verifier,
            "resource": audience,
        }
        with alice.open("POST", "oidc/token", urlencode(form).encode()) as response:
            token: str = json.load(response)["access_token"]
        return token

    def _answers(self) -> bool:
        assert self._process.poll() is None, "glewlwyd ended"
        try:
            _Visitor(self._url, self._trust).open("GET", "auth").close()
        except OSError:
            return False
        return True

    def _setUp(self) -> None:
        admin = _Visitor(self._url, self._trust)
        # The password that it comes with.
        admin.signIn("admin", "password")
        for scope in _SCOPE.split()[1:]:
            admin.call("POST", "scope", {"name": scope, "password_required": False})
        person = {
            "username": ALICE,
            "password": _PASSWORD,
            "enabled": True,
            "scope": [*_SCOPE.split(), "g_profile"],
        }
        admin.call("POST", "user", person)
        for clientId in (PROGRAM, CLIENT_ID):
            client = {
                "client_id": clientId,
                "client_secret": self.secret,
                "confidential": True,
                "enabled": True,
                "redirect_uri": [_REDIRECT],
                "authorization_type": ["code", "client_credentials"],
                "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"],
            }
            admin.call("POST", "client", client)
        plugin = {"module": "oidc", "name": "oidc", "parameters": self._parameters()}
        admin.call("POST", "mod/plugin", plugin)

    def _parameters(self) -> dict[str, Any]:
        key = jwcrypto.jwk.JWK.generate(kty="EC", crv="P-256", alg="ES256", kid="1")
        return {
            "iss": self.issuer,
            "jwks-private": json.dumps({"keys": [key.export(as_dict=True)]}),
            "jwks-show": True,
            "jwt-type": "ecdsa",
            "jwt-key-size": "256",
            "code-duration": 60,
            "access-token-duration": 900,
            "refresh-token-duration": 3600,
            "session-cookie-name": "oidc",
            "session-cookie-expiration": 3600,
            "auth-type-code-enabled": True,
            "pkce-allowed": True,
            "resource-allowed": True,
            "resource-scope": {"imap": [AUDIENCE, ELSEWHERE]},
            "additional-parameters": [
                {"user-parameter": "username", "token-parameter": "username"}
            ],
            "introspection-revocation-allowed": True,
            "introspection-revocation-allow-target-client": True,
        }


class _Visitor:
    """
    Somebody at its API, with cookies. Redirects are not followed, but looked at.
    """

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        self._api = f"{url}/api"
        self._opener = build_opener(
            ProxyHandler({}), HTTPSHandler(context=trust), HTTPCookieProcessor(), _Staying()
        )

    def signIn(self, username: str, password: str) -> None:
        """
        Sign in.
        """
        self.call("POST", "auth/", {"username": username, "password": password})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """
        Have something done, which succeeds.
        """
        content = None if body is None else json.dumps(body).encode()
        with self.open(method, path, content, "application/json") as response:
            assert response.status == 200, (path, response.status, response.read())

    def open(
        self, method: str, path: str, body: bytes | None = None, type: str | None = None
    ) -> Any:
        """
        Its answer, whatever that is.
        """
        headers = {} if type is None else {"Content-Type": type}
        request = Request(f"{self._api}/{path}", body, headers, method=method)
        try:
            return self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            return error


class _Staying(HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        """
        See the parent.
        """
