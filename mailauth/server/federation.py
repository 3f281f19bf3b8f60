"""
Signing in through somebody else's authorization server, whose client we are (OpenID Connect Core
1.0 section 3.1). Owns what has to be true of its answer before anybody is in.

What is under way is sealed into C{state}, for one browser: nothing is kept for whoever never comes
back, and an answer that another browser began is worth nothing (RFC 9700 section 4.7). Each issuer
has a redirect URI of its own, so that none passes for another (section 4.4.2).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from time import time
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from ..credentials import LoginContext
from ..errors import AccountDisabled, InvalidCredentials, InvalidToken, Outage
from ..interfaces import IAccounts, IIdentities, IRevocations
from ..oauth.jwt import MalformedToken, parseToken, timeOf
from ..oauth.pkce import challengeOf
from ..oauth.records import Authentication
from ..oauth.requests import Form
from ..oauth.responses import withParameters
from ..oauth.tokens import LEEWAY
from ..policy import TokenPolicy
from ..usernames import canonicalName
from ..validators.answers import answerOf, readBody, readObject
from ..validators.claims import optionalString, ownerOf, requiredString, stringsOf
from .issuerstatements import readStatement
from .reachedissuers import ReachedIssuer
from .sealing import CannotUnseal, Sealer
from .signin import StepExpired

PURPOSE = "external-sign-ins"
"""
What the key file's key for them is for: see L{ServerSecret.sealer}.
"""

LIFETIME = 3600.0
"""
How many seconds somebody may take at the issuer's pages.
"""

SCOPE = "openid profile email"

Decide = Callable[[Any, Callable[[], Awaitable[Authentication]]], Awaitable[Authentication]]
"""
See L{SignIn.decide<mailauth.server.signin.SignIn.decide>}.
"""


class RefusedThere(InvalidCredentials):
    """
    The issuer did not let him in, or he would rather not.
    """

    sentence = "The other sign-in was not completed."
    counts = False


class BadAnswer(InvalidCredentials):
    """
    What came back is not the issuer's answer to this sign-in.
    """

    sentence = "The other sign-in was not completed."


class NobodyHere(InvalidCredentials):
    """
    The issuer knows him, and he has no account here.
    """

    sentence = "There is no account here for whom you signed in as there."
    counts = False


@attrs.define(eq=False)
class ExternalIdentity:
    """
    What the log of the logins is told about such a sign-in.

    @ivar username: who he is to the issuer, once that is known.
    """

    context: LoginContext
    username: bytes | None = None


@attrs.frozen
class SignInThere:
    """
    A sign-in that is under way.

    @ivar issuer: the name of the issuer, in the configuration.
    @ivar verifier: what proves that the code is ours (RFC 7636).
    @ivar nonce: what proves that the ID token is.
    @ivar destination: what he came for, as it is written down.
    @ivar again: he has to prove who he is, even if he is signed in there.
    """

    issuer: str
    verifier: str = attrs.field(repr=False)
    nonce: str = attrs.field(repr=False)
    destination: str
    again: bool = False


@attrs.frozen(eq=False)
class Federation:
    """
    Signs people in through one issuer.

    @ivar path: where it sends people back to, below our own issuer.
    @ivar own: our own issuer.
    @ivar policy: whom the issuer may speak for.
    @ivar decide: see L{SignIn.decide<mailauth.server.signin.SignIn.decide>}.
    @ivar sealer: that for L{PURPOSE}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: ReachedIssuer
    own: str
    identities: IIdentities
    accounts: IAccounts
    revocations: IRevocations
    policy: TokenPolicy
    decide: Decide
    sealer: Sealer = attrs.field(repr=False)
    now: Callable[[], float] = time
    path: str = attrs.field(init=False)

    @path.default
    def _ownPath(self) -> str:
        return f"signin/external/{quote(self.issuer.settings.name, safe='')}"

    @property
    def _redirectURI(self) -> str:
        return f"{self.own.rstrip('/')}/{self.path}"

    async def begin(
        self, destination: str, browser: str, loginHint: str | None, again: bool
    ) -> str:
        """
        Somebody would like to sign in there.

        @param destination: what he came for, as it is written down.
        @param browser: the cookie that marks his browser.
        @param loginHint: who he may be, or C{None}.
        @param again: he has to prove it, even if he is signed in there.
        @return: where to send the browser.
        @raise Outage: nobody can tell where.
        """
        address = await self.issuer.discovery.locate("authorization_endpoint")
        settings = self.issuer.settings
        underWay = SignInThere(
            settings.name, secrets.token_urlsafe(32), secrets.token_urlsafe(16), destination, again
        )
        parameters = {
            "response_type": "code",
            "client_id": settings.clientId,
            "redirect_uri": self._redirectURI,
            "scope": SCOPE,
            "state": self.sealer.sealMembers(
                attrs.asdict(underWay), self.now() + LIFETIME, browser.encode("utf-8")
            ),
            "nonce": underWay.nonce,
            "code_challenge": challengeOf(underWay.verifier),
            "code_challenge_method": "S256",
            "login_hint": loginHint,
            "prompt": "login" if again else None,
        }
        return withParameters(address, parameters)

    def unseal(self, state: str, browser: str) -> SignInThere:
        """
        What somebody comes back from.

        @raise StepExpired: it took too long, or was begun in another browser or at another issuer.
        """
        try:
            members = self.sealer.unsealMembers(state, self.now(), browser.encode("utf-8"))
        except CannotUnseal as error:
            raise StepExpired(f"the state: {error}") from None
        underWay = SignInThere(**members)
        if underWay.issuer != self.issuer.settings.name:
            raise StepExpired("the state is another issuer's")
        return underWay

    async def finish(
        self, underWay: SignInThere, form: Form, context: LoginContext
    ) -> Authentication:
        """
        The issuer sent somebody back.

        @param underWay: what L{unseal} said.
        @param form: what came along.
        @raise RefusedThere: the issuer did not let him in.
        @raise BadAnswer: that is not its answer.
        @raise NobodyHere: it let him in, and he is nobody here.
        @raise AccountDisabled: his account may not sign in.
        @raise TooManyFailures: it was not looked at.
        @raise Outage: nobody can tell.
        """
        identity = ExternalIdentity(context)

        async def verify() -> Authentication:
            when, began = self.now(), self.revocations.catchUp()
            await self._checkSender(form)
            answer = await self._redeem(form, underWay.verifier)
            try:
                claims = await self._readIDToken(answer, underWay.nonce)
                subject = requiredString(claims, self.issuer.settings.subjectClaim)
                session = optionalString(claims, "sid")
                signedIn = _signedIn(timeOf(claims, "auth_time"), underWay, when)
            except (MalformedToken, InvalidToken) as error:
                raise BadAnswer(f"the ID token: {error}") from None
            identity.username = subject.encode("utf-8")
            authentication = Authentication(
                await self._accountOf(subject, await self._nameOf(claims, answer)),
                when,
                stringsOf(claims.get("amr")) or frozenset(),
                issuer=self.issuer.settings.url,
                subject=subject,
                issuerSession=session,
                signedIn=signedIn,
            )
            tags = authentication.tags | authentication.sessionTags
            if self.revocations.covers(authentication.sessionTags, 0.0):
                raise BadAnswer("the session there has ended")
            if self.revocations.revokedSince(tags, began):
                raise Outage("changed meanwhile")
            return authentication

        return await self.decide(identity, verify)

    async def _checkSender(self, form: Form) -> None:
        """
        Whether it is the issuer that answers (RFC 9207 section 2.4).
        """
        sender = form.get("iss")
        if sender is None and (await self.issuer.discovery.metadata()).namesItself:
            raise BadAnswer("the answer does not say whose it is")
        if sender not in (None, self.issuer.settings.url):
            raise BadAnswer("the answer is another issuer's")

    async def _redeem(self, form: Form, verifier: str) -> Mapping[str, Any]:
        """
        What the issuer gives for the code.
        """
        if "code" not in form:
            raise RefusedThere(f"the issuer says {form.get('error', 'nothing')!r:.64}")
        assert self.issuer.authentication is not None
        proof = await self.issuer.authentication.prove()
        sent = {
            "grant_type": "authorization_code",
            "code": form["code"],
            "redirect_uri": self._redirectURI,
            "code_verifier": verifier,
            **proof.form,
        }
        address = await self.issuer.discovery.locate("token_endpoint")
        headers = {"Accept": "application/json", **proof.headers}
        fetched = await answerOf(
            self.issuer.fetcher.post(address, urlencode(sent).encode("ascii"), headers)
        )
        if fetched.status == 400 and readBody(fetched).get("error") == "invalid_grant":
            raise BadAnswer("the issuer does not take the code")
        return readObject(fetched)

    async def _readIDToken(self, answer: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """
        What the issuer says about whoever signed in, in this very sign-in (OpenID Connect Core 1.0
        section 3.1.3.7).
        """
        token = answer.get("id_token")
        if not isinstance(token, str) or not token.isascii():
            raise Outage("the issuer's token endpoint gives no ID token")
        claims = await readStatement(
            parseToken(token.encode("ascii")), self.issuer, self.now(), "JWT", None
        )
        said, _ = requiredString(claims, "nonce"), requiredString(claims, "sub")
        if not compare_digest(said.encode("utf-8"), nonce.encode("ascii")):
            raise InvalidToken("it is for another sign-in")
        return claims

    async def _nameOf(self, claims: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
        """
        What the issuer calls him, if that can be somebody's name here. Many issuers say it at their
        userinfo endpoint alone (OpenID Connect Core 1.0 section 5.4).
        """
        usernameClaim = self.issuer.settings.usernameClaim
        if usernameClaim not in claims:
            claims = await self._fetchUserinfo(claims, answer)
        try:
            name = canonicalName(ownerOf(claims, usernameClaim), self.policy.defaultDomain)
            self.policy.checkDomain(self.issuer.settings.url, name)
        except (InvalidToken, InvalidCredentials):
            return None
        return name

    async def _fetchUserinfo(
        self, claims: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        token = answer.get("access_token")
        known = (await self.issuer.discovery.metadata()).addresses
        if "userinfo_endpoint" not in known or not isinstance(token, str) or not token.isascii():
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        fetched = await answerOf(self.issuer.fetcher.get(known["userinfo_endpoint"], headers))
        person = readObject(fetched)
        # The token could be somebody else's (section 5.3.2).
        return person if person.get("sub") == claims["sub"] else {}

    async def _accountOf(self, subject: str, name: str | None) -> str:
        """
        Whose account the subject is linked with, or is now.
        """
        url = self.issuer.settings.url
        account = await self.identities.resolve(
            url, subject, name, self.now(), url in self.policy.creating
        )
        record = None if account is None else await self.accounts.get(account)
        if record is None:
            raise NobodyHere("the subject is linked with no account, and cannot be with this one")
        try:
            self.policy.checkDomain(url, record.name)
        except InvalidToken as error:
            raise NobodyHere(error.reason) from None
        if not record.enabled:
            raise AccountDisabled("disabled")
        return record.name


def _signedIn(said: float | None, underWay: SignInThere, when: float) -> float:
    """
    When somebody proved who he is. Where the issuer does not say it, and was not asked to have him
    do it now, that may be as long ago as can be: it lets him in without a question whose browser
    somebody else has found open.

    @param said: what the issuer says, if it does.
    @param when: now.
    """
    if said is None:
        return when if underWay.again else 0.0
    # Its clock may be behind ours: nobody who has just signed in is sent back again.
    return min(said + LEEWAY, when)
