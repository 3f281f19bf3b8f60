"""
What would a token of an external issuer open, and if nothing, why? Owns the steps in which an
administrator is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..credentials import LoginContext
from ..errors import InsufficientScope, InvalidToken, Outage
from ..interfaces import IAccounts, IIdentities
from ..oauth.jwt import MalformedToken, UnverifiedToken, parseToken, timeOf
from ..oauth.tokens import LEEWAY, AccessToken
from ..policy import TokenPolicy, admitToken
from ..scopes import MAIL_SERVICES, formatScope
from ..stores.records import Account
from ..validators.claims import stringsOf
from ..validators.jwt import JWTValidator
from .issuercheck import Findings
from .reachedissuers import ReachedIssuer


class TokenCheck:
    """
    Looks at one token. It links nothing.
    """

    def __init__(
        self,
        issuer: ReachedIssuer,
        findings: Findings,
        policy: TokenPolicy,
        accounts: IAccounts,
        identities: IIdentities,
        now: Callable[[], float],
    ) -> None:
        """
        @param findings: where it is put what is found.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._issuer = issuer
        self._settings = issuer.settings
        self._findings = findings
        self._policy = policy
        self._accounts = accounts
        self._identities = identities
        self._now = now

    async def check(self, secret: bytes) -> None:
        """
        Look at everything that decides about it.
        """
        asking = self._issuer.asking()
        if asking is None and not self._read(secret):
            return
        validator = asking or JWTValidator([self._issuer.trusted], self._now)
        try:
            token = await validator.validate(secret)
        except InvalidToken as error:
            if self._findings.works:
                self._findings.wrong(f"The token is refused: {error.reason}.")
            return
        except Outage as error:
            self._findings.wrong(f"Nobody can tell what the token is: {error.reason}.")
            return
        client = token.clientId or "a client that it does not name"
        until = datetime.fromtimestamp(token.expires, UTC).isoformat(timespec="seconds")
        self._findings.good(f"The token is good until {until}. It was given to {client}.")
        self._checkScope(token)
        await self._checkOwner(token)

    # What a signed token says, whoever signed it: why it will be refused

    def _read(self, secret: bytes) -> bool:
        """
        Whether it is worth while to verify it.
        """
        try:
            token = parseToken(secret)
        except MalformedToken as error:
            self._findings.wrong(
                f"The token is not one that is signed: {error}.",
                "If it is an opaque one, have the issuer give out JWTs to these clients, or ask it"
                ' about each: validation = "introspection".',
            )
            return False
        said, url = token.claims.get("iss"), self._settings.url
        if said != url:
            self._findings.wrong(
                f"The token is of {said!r}, and 'url' is {url!r}.",
                "Each letter of it counts, and a slash at the end.",
            )
            return False
        self._checkHeader(token)
        self._checkAudience(token.claims)
        self._checkTimes(token.claims)
        self._checkNames(token.claims)
        return True

    def _checkHeader(self, token: UnverifiedToken) -> None:
        settings, type = self._settings, token.header.get("typ", "")
        bare = type.lower().removeprefix("application/") if isinstance(type, str) else None
        if bare not in settings.types:
            self._findings.wrong(
                f"Its 'typ' is {type!r}, and 'types' is {sorted(settings.types)}.",
                f"If it is the access token, and not the ID token: types = [{bare or 'none'!r}].",
            )
        algorithm = token.header.get("alg")
        if algorithm not in settings.algorithms:
            self._findings.wrong(
                f"It is signed with {algorithm!r}, and 'algorithms' is"
                f" {sorted(settings.algorithms)}.",
                "The issuer has to sign with a key pair. A client's secret (HS256) is none.",
            )

    def _checkAudience(self, claims: Mapping[str, Any]) -> None:
        settings = self._settings
        if not (stringsOf(claims.get("aud")) or frozenset()) & settings.audience:
            self._findings.wrong(
                f"Its 'aud' is {claims.get('aud')!r}, and 'audience' is"
                f" {sorted(settings.audience)}.",
                settings.hint or "Have the issuer put one of these into 'aud'.",
            )
        client = claims.get("client_id") or claims.get("azp")
        if settings.clients is not None and client not in settings.clients:
            self._findings.wrong(
                f"It was given to {client!r}, and 'clients' is {sorted(settings.clients)}."
            )

    def _checkTimes(self, claims: Mapping[str, Any]) -> None:
        now = self._now()
        try:
            expires, issued = timeOf(claims, "exp"), timeOf(claims, "iat")
        except MalformedToken as error:
            self._findings.wrong(f"It cannot be read when it is good: {error}.")
            return
        if expires is not None and expires <= now - LEEWAY:
            self._findings.wrong(
                f"It expired {now - expires:.0f} seconds ago.", "Try it with a new one."
            )
        if issued is not None and issued > now + LEEWAY:
            self._findings.wrong(
                f"It was issued in {issued - now:.0f} seconds, by the clock of this machine.",
                "Set both clocks by NTP.",
            )

    def _checkNames(self, claims: Mapping[str, Any]) -> None:
        settings = self._settings
        for setting, claim in (
            ("subject_claim", settings.subjectClaim),
            ("username_claim", settings.usernameClaim),
        ):
            if claim not in claims:
                self._findings.wrong(
                    f"It has no {claim!r}, which {setting!r} names. It has"
                    f" {', '.join(sorted(claims))}.",
                    f"Have the issuer put it into access tokens, or set {setting!r}.",
                )
        if settings.usernameClaim == "email" and claims.get("email_verified") is not True:
            self._findings.wrong(
                "It does not say that its 'email' was verified ('email_verified').",
                "Whoever may choose an address could choose anybody's: have the issuer verify it.",
            )

    # What a good token opens

    def _checkScope(self, token: AccessToken) -> None:
        if token.bound:
            self._findings.wrong(
                "It is bound to a key ('cnf'), which no mail program can prove over IMAP or SMTP.",
                "Have the client ask for bearer tokens.",
            )
            return
        opened = []
        somebody = Account(token.owner)
        for service in MAIL_SERVICES:
            try:
                admitted = admitToken(
                    token,
                    token.owner,
                    somebody,
                    None,
                    LoginContext(service),
                    self._policy,
                    self._now(),
                )
            except InsufficientScope:
                continue
            opened.append(f"{service} for reading" if admitted.readOnly else service)
        scope = formatScope(token.scope) or "nothing"
        if opened:
            self._findings.good(f"Its scope ({scope}) opens {', '.join(opened)}.")
        else:
            self._findings.wrong(
                f"Its scope ({scope}) opens nothing.",
                "Have the client ask for a scope that 'scopes' names, or name one that it has:"
                ' scopes = { imap = ["..."] }.',
            )

    async def _checkOwner(self, token: AccessToken) -> None:
        identities, now = self._identities, self._now()
        # Without a name it only looks.
        owner = await identities.resolve(token.issuer, token.subject, None, now, False)
        if owner is None:
            await self._checkFirstUse(token)
            return
        try:
            self._policy.checkDomain(token.issuer, owner)
        except InvalidToken as error:
            self._findings.wrong(f"{token.subject} is linked with {owner}, but {error.reason}.")
            return
        account = await self._accounts.get(owner)
        if account is not None and account.enabled:
            self._findings.good(f"{token.subject} is linked with {owner}.")
        else:
            self._findings.wrong(f"{token.subject} is linked with {owner}, which is disabled.")

    async def _checkFirstUse(self, token: AccessToken) -> None:
        settings, subject = self._settings, token.subject
        try:
            name = self._policy.ownerOf(token)
        except InvalidToken as error:
            self._findings.wrong(
                f"{token.owner!r}, which is in {settings.usernameClaim!r}, opens nothing:"
                f" {error.reason}.",
                f"'domains' is {sorted(settings.domains)}. A name without a domain needs"
                " 'default_domain'.",
            )
            return
        others = [
            each.subject
            for each in await self._identities.list(name)
            if each.issuer == settings.url
        ]
        account = await self._accounts.get(name)
        if others:
            self._findings.wrong(
                f"{name} is linked with {others[0]}, and this token is of {subject}.",
                "If that is the same person: mailauth account identities"
                f" {name} --link {settings.name} {subject}",
            )
        elif account is not None and not account.enabled:
            self._findings.wrong(f"The account {name} is disabled.")
        elif account is not None:
            self._findings.note(f"{name} is linked with {subject} when the token is first used.")
        elif settings.accounts == "create":
            self._findings.note(f"The account {name} is made when the token is first used.")
        else:
            self._findings.wrong(
                f"There is no account {name}.",
                f'mailauth account add --no-password {name}, or accounts = "create".',
            )
