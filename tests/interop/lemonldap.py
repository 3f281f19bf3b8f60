"""
Debian's LemonLDAP::NG, as an organisation has it that people sign in at. Owns its process, and its
configuration.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from mailauth.oauth.jwt import makePrivateKey

from . import ALICE, HOST
from .demo import Demo
from .federation import AUDIENCE, CLIENT_ID, Provider
from .ports import freePort
from .programs import TIMEOUT, eventually

PORTAL = Path("/usr/share/perl5/Lemonldap/NG/Portal/Issuer/OpenIDConnect.pm")
MAIL_PROGRAM, OTHER_PROGRAM = "mutt", "wiki"

_PERSON = "dwho"
"""
One of those that it comes with, whose password is her name. She is Alice here.
"""

_SETTINGS = """
[all]
logLevel = error
[configuration]
type = File
dirName = {directory}
localStorage = Cache::FileCache
localStorageOptions = {{ 'cache_root' => '{directory}/cache', 'namespace' => 'configuration' }}
[portal]
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
"""


class LemonLDAP(Provider):
    """
    One that runs. It revokes nothing.
    """

    secret = "aSecretThatIsTheSameWhenItIsEncoded"
    usernameClaim = "preferred_username"

    def __init__(self, directory: Path, demo: Demo) -> None:
        """
        Start it.

        @param directory: an empty one.
        @param demo: the service that is its client, and has its certificate.
        """
        port = freePort()
        self.issuer = f"https://localhost:{port}/"
        self._trust = ssl.create_default_context(cafile=demo.authority)
        settings = directory / "lemonldap-ng.ini"
        settings.write_text(_SETTINGS.format(directory=directory))
        (directory / "sessions").mkdir()
        (directory / "lmConf-1.json").write_text(json.dumps(self._configuration(directory)))
        self._process = subprocess.Popen(
            (
                *("plackup", "--env", "deployment", "--host", HOST, "--port", str(port)),
                *("--ssl=1", f"--ssl-key-file={demo.directory / 'server.key'}"),
                f"--ssl-cert-file={demo.directory / 'server.pem'}",
                *("-MLemonldap::NG::Portal", "-e", "Lemonldap::NG::Portal->run({})"),
            ),
            env={**os.environ, "LLNG_DEFAULTCONFFILE": str(settings)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ready(self) -> None:
        """
        Wait until it answers.
        """
        eventually(self._answers)

    def stop(self) -> None:
        """
        Stop it.
        """
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def tokens(self, clientId: str = MAIL_PROGRAM) -> dict[str, str]:
        """
        What alice lets a client have (RFC 6749 section 4.3).
        """
        proof = b64encode(f"{clientId}:{self.secret}".encode()).decode()
        form = {
            "grant_type": "password",
            "username": _PERSON,
            "password": _PERSON,
            "scope": "openid imap smtp pop3",
        }
        headers = {"Authorization": f"Basic {proof}"}
        tokens: dict[str, str] = self._ask("oauth2/token", urlencode(form).encode(), headers)
        return tokens

    def _ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        request = Request(f"{self.issuer}{path}", body, headers or {})
        with urlopen(request, timeout=TIMEOUT, context=self._trust) as response:
            return json.load(response)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "it ended"
        try:
            self._ask("oauth2/jwks")
        except OSError:
            return False
        return True

    def _configuration(self, directory: Path) -> dict[str, Any]:
        privateKey = makePrivateKey("RS256")
        publicKey = load_pem_private_key(privateKey, None).public_key()
        storage = {"Directory": f"{directory}/sessions", "LockDirectory": f"{directory}/sessions"}
        clients = {
            MAIL_PROGRAM: self._client(MAIL_PROGRAM, AUDIENCE),
            OTHER_PROGRAM: self._client(OTHER_PROGRAM),
            CLIENT_ID: self._client(CLIENT_ID),
        }
        return {
            "cfgNum": 1,
            "cfgDate": 1,
            "locationRules": {},
            "portal": self.issuer,
            "domain": "localhost",
            "key": "of these tests",
            "authentication": "Demo",
            "userDB": "Same",
            "macros": {"mailbox": f"'{ALICE}'", "_whatToTrace": "$uid"},
            "whatToTrace": "_whatToTrace",
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": storage,
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": storage,
            "localSessionStorage": "Cache::FileCache",
            "localSessionStorageOptions": {
                "cache_root": f"{directory}/cache",
                "namespace": "sessions",
            },
            # Nobody is asked to read letters in a picture, for which more would be needed.
            "captcha": "::UserDB::Null",
            "issuerDBOpenIDConnectActivation": 1,
            "oidcServicePrivateKeySig": privateKey.decode(),
            "oidcServicePublicKeySig": publicKey.public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            ).decode(),
            "oidcServiceKeyIdSig": "1",
            "oidcRPMetaDataOptions": clients,
            "oidcRPMetaDataExportedVars": {
                name: {"preferred_username": "mailbox"} for name in clients
            },
            "oidcRPMetaDataScopeRules": {
                name: {"imap": "1", "smtp": "1", "pop3": "1"} for name in clients
            },
            "oidcServiceIgnoreScopeForClaims": 1,
        }

    def _client(self, clientId: str, *audience: str) -> dict[str, Any]:
        options = {
            "ClientID": clientId,
            "ClientSecret": self.secret,
            "RedirectUris": "http://localhost/callback",
            "AllowPasswordGrant": 1,
            "AccessTokenJWT": 1,
            "AccessTokenClaims": 1,
            "AccessTokenExpiration": 900,
            "AccessTokenSignAlg": "RS256",
            "IDTokenSignAlg": "RS256",
            "AdditionalAudiences": " ".join(audience),
        }
        return {f"oidcRPMetaDataOptions{name}": value for name, value in options.items()}
