"""
Would the tokens of an external issuer open anything here? Owns what an administrator is told about
the issuer: what was found, in plain words, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from ..errors import InvalidToken, Outage
from ..interfaces import ITokenValidator
from ..oauth.jwt import UnusableKey, VerifyingKey, keysFromJWKS
from ..oauth.metadata import AUTHORIZATION_SERVER, wellKnownPath
from ..validators._http import Fetched
from ..validators.answers import answerOf, readBody
from ..validators.discovery import IssuerMetadata, originOf
from .externalissuers import ExternalIssuer
from .reachedissuers import ReachedIssuer

GOOD, NOTE, WRONG = "good", "note", "wrong"

MADE_UP = b"mailauth-issuer-check"
"""
A token that nobody issued: whoever may ask about tokens hears that it is none.
"""

ASKED: Mapping[str, tuple[str, ...]] = {
    "jwt": (),
    "introspection": ("introspection_endpoint",),
    "userinfo": ("tokeninfo_endpoint", "userinfo_endpoint"),
}
"""
For each way to validate tokens the endpoints that are asked about them.
"""

_CANNOT_BE_READ = (
    "Is 'url' the issuer, as its tokens say it in 'iss'? From here it has to be reached by HTTPS,"
    " with a certificate that is trusted here, or by whom 'certificate_authority' names. If the"
    " document is somewhere else, 'discovery' says where."
)
_CANNOT_BE_ASKED = {
    "introspection": "'client_id' has to be a client of the issuer that may ask about tokens. Its"
    " secret is in the file that 'client_secret_file' names; without one, the issuer needs the"
    " keys at this server's jwks.json.",
    "userinfo": "'endpoints' has to name a tokeninfo_endpoint that says whom a token was given to.",
}


@attrs.frozen
class Finding:
    """
    One thing that was looked at.

    @ivar level: C{GOOD}, C{NOTE} or C{WRONG}.
    @ivar says: what was found.
    @ivar mend: what to do about it, or the empty string.
    """

    level: str
    says: str
    mend: str = ""


class Findings:
    """
    What was found, in the order of looking.
    """

    def __init__(self) -> None:
        self.all: list[Finding] = []

    @property
    def works(self) -> bool:
        """
        Whether nothing was found that does not work.
        """
        return all(finding.level != WRONG for finding in self.all)

    def good(self, says: str) -> None:
        """
        It is as it has to be.
        """
        self.all.append(Finding(GOOD, says))

    def note(self, says: str, mend: str = "") -> None:
        """
        It may be as it has to be.
        """
        self.all.append(Finding(NOTE, says, mend))

    def wrong(self, says: str, mend: str = "") -> None:
        """
        It does not work like this.
        """
        self.all.append(Finding(WRONG, says, mend))


def neededOf(settings: ExternalIssuer) -> tuple[str, ...]:
    """
    Which endpoints of an issuer are called, by the names of its metadata.
    """
    needed = ASKED[settings.validation]
    if settings.signIn:
        needed += ("authorization_endpoint", "token_endpoint")
    verified = settings.validation == "jwt" or settings.signedIntrospection or settings.signIn
    return (*needed, "jwks_uri") if verified and settings.keys is None else needed


class IssuerCheck:
    """
    Looks at one issuer.
    """

    def __init__(self, issuer: ReachedIssuer, findings: Findings) -> None:
        """
        @param findings: where it is put what is found.
        """
        self._issuer = issuer
        self._settings = issuer.settings
        self._findings = findings

    async def check(self) -> None:
        """
        Look at everything that the configuration needs of it.
        """
        needed = neededOf(self._settings)
        document = await self._readMetadata(needed)
        metadata = await self._issuer.discovery.metadata() if document else None
        reachable = [name for name in needed if self._isReachable(name, metadata, document)]
        if self._settings.keys is not None:
            self._checkKeys(self._settings.keys, "The file that 'keys' names")
        elif "jwks_uri" in reachable:
            await self._fetchKeys()
        asking = self._issuer.asking()
        if asking is not None and set(ASKED[self._settings.validation]) <= set(reachable):
            await self._ask(asking)
        audience = _words(self._settings.audience)
        self._findings.note(f"Its tokens have to say 'aud': {audience}.", self._settings.hint)

    # What it says of itself

    async def _readMetadata(self, needed: Collection[str]) -> Mapping[str, Any]:
        """
        The document in which it describes itself; an empty one if there is none that can be used.
        """
        settings, problems = self._settings, []
        oauth = originOf(settings.url) + wellKnownPath(settings.url, AUTHORIZATION_SERVER)
        for address in (settings.discovery, oauth):
            try:
                document = readBody(await self._fetch(address))
            except Outage as error:
                problems.append(f"{address}: {error.reason}.")
                continue
            if document.get("issuer") == settings.url:
                self._findings.good(f"{address} describes it.")
                return document
            self._explainIssuer(address, document.get("issuer"))
            return {}
        says = " ".join(["What it says of itself cannot be read.", *problems])
        if all(name in settings.endpoints for name in needed):
            self._findings.note(says, "Nobody needs it: the configuration says it all.")
        else:
            self._findings.wrong(says, _CANNOT_BE_READ)
        return {}

    async def _fetch(self, address: str) -> Fetched:
        fetched = await answerOf(self._issuer.fetcher.get(address, {"Accept": "application/json"}))
        if fetched.status != 200:
            onwards = fetched.headers.getRawHeaders(b"location", [])
            where = f" and sends us on to {onwards[0].decode('latin-1')}" if onwards else ""
            raise Outage(f"it answers {fetched.status}{where}")
        return fetched

    def _explainIssuer(self, address: str, said: Any) -> None:
        url = self._settings.url
        if not isinstance(said, str):
            why = "It is no document of an issuer. 'discovery' says where that is."
        elif "{" in said:
            why = "That stands for every organisation: 'url' has to have the id of yours in it."
        elif said.rstrip("/") == url.rstrip("/"):
            why = f"They differ in the slash at the end, which counts: url = {said!r}."
        elif said.lower() == url.lower():
            why = f"They differ in capital letters, which count: url = {said!r}."
        else:
            why = f"If its tokens say so in 'iss', letter for letter: url = {said!r}."
        self._findings.wrong(f"{address} is of {said!r}, and 'url' is {url!r}.", why)

    def _isReachable(
        self, name: str, metadata: IssuerMetadata | None, document: Mapping[str, Any]
    ) -> bool:
        if name in self._settings.endpoints:
            return True
        if metadata is None:
            return False
        if name in metadata.addresses:
            self._findings.good(f"Its {name} is {metadata.addresses[name]}.")
            return True
        if name in metadata.elsewhere:
            self._findings.wrong(
                f"Its {name} is {document[name]!r}, which is not at its own origin, so nobody calls"
                " it.",
                f"If it has to be there: endpoints = {{ {name} = {document[name]!r} }}.",
            )
        else:
            other = ' Signed tokens need none: validation = "jwt".' if "intro" in name else ""
            self._findings.wrong(
                f"It says of no {name}.", f"If there is one, 'endpoints' may name it.{other}"
            )
        return False

    # Its keys

    async def _fetchKeys(self) -> None:
        address = await self._issuer.discovery.locate("jwks_uri")
        try:
            keys = keysFromJWKS((await self._fetch(address)).content)
        except (Outage, UnusableKey) as error:
            reason = error.reason if isinstance(error, Outage) else str(error)
            self._findings.wrong(
                f"Its keys cannot be read: {address}: {reason}.",
                "'keys' may name a file that has them.",
            )
            return
        self._checkKeys(keys, address)

    def _checkKeys(self, keys: Collection[VerifyingKey], where: str) -> None:
        allowed = self._settings.algorithms
        said = frozenset[str]().union(*(key.algorithms for key in keys))
        if not keys:
            self._findings.wrong(
                f"{where} has no key that a token could be verified with.",
                "The issuer has to sign with a key pair, RSA of 2048 bits or more, P-256, P-384,"
                " P-521 or Ed25519, and to publish its public half. A client's secret (HS256) is"
                " none.",
            )
        elif not said & allowed:
            self._findings.wrong(
                f"Its keys are for {_words(said)}, and 'algorithms' allows {_words(allowed)}.",
                f"algorithms = {sorted(said)}",
            )
        else:
            names = ", ".join(key.kid or "one without a name" for key in keys)
            self._findings.good(f"{where} has keys for {_words(said & allowed)}: {names}.")

    # Whether it answers

    async def _ask(self, asking: ITokenValidator) -> None:
        mend = _CANNOT_BE_ASKED[self._settings.validation]
        try:
            await asking.validate(MADE_UP)
        except InvalidToken:
            self._findings.good("It answers when it is asked about a token.")
        except Outage as error:
            self._findings.wrong(f"It cannot be asked about tokens: {error.reason}.", mend)
        else:
            self._findings.wrong("It calls a token good that nobody issued.", mend)


def _words(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
