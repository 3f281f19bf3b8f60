"""
What a client asks at the authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core 1.0
section 3.1.2.1). Owns which requests are good ones, the same for a request in an address and one
that was pushed before (RFC 9126).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from time import time
from typing import Any

import attrs

from ..oauth.pkce import checkChallenge
from ..oauth.records import Client
from ..oauth.redirects import matches
from ..oauth.requests import Form
from ..oauth.responses import OAuthError
from .idtokenhints import IDTokenHints
from .offer import Offer

PUSHED = "urn:ietf:params:oauth:request_uri:"
"""
How the C{request_uri} of a request begins that was pushed here (RFC 9126 section 2.2).
"""

MAX_STATE = 2048
MAX_NONCE = 512
MAX_HINT = 320

PROMPTS = frozenset({"none", "login", "consent", "select_account"})

_REFUSED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
"""
Parameters that would change what is asked for, so that leaving them out is no answer (OpenID
Connect Core 1.0 section 3.1.2.6). A C{request_uri} that was pushed here is taken before.
"""

_SETS = ("scope", "resources", "prompt")

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@attrs.frozen
class AuthorizationRequest:
    """
    What a client asks, once it is known to be a good request.

    @ivar requestId: of this request alone: it is answered once.
    @ivar clientId: who asks.
    @ivar redirectURI: where the answer goes.
    @ivar redirectSent: whether the client said so itself, so that it has to say it again with the
        code (RFC 6749 section 4.1.3).
    @ivar state: to be echoed.
    @ivar scope: what it asks for.
    @ivar resources: for which resources (RFC 8707).
    @ivar codeChallenge: of S256; C{None} where the client need not use PKCE.
    @ivar nonce: for the ID token.
    @ivar prompt: some of L{PROMPTS}.
    @ivar maxAge: how many seconds ago somebody may have signed in, at most.
    @ivar loginHint: who is expected to sign in, unverified: it fills the form.
    @ivar subject: whose account it has to be, or C{None} if anybody's will do.
    @ivar keyThumbprint: of the key that the tokens shall be bound to (RFC 9449 section 10).
    @ivar began: when it came in.
    """

    requestId: str
    clientId: str
    redirectURI: str
    redirectSent: bool
    state: str | None
    scope: frozenset[str]
    resources: frozenset[str]
    codeChallenge: str | None
    nonce: str | None
    prompt: frozenset[str]
    maxAge: int | None
    loginHint: str | None
    subject: str | None
    keyThumbprint: str | None
    began: float

    def members(self) -> dict[str, Any]:
        """
        It, as JSON can write it.
        """
        return attrs.asdict(
            self,
            value_serializer=lambda _, __, value: (
                sorted(value) if isinstance(value, frozenset) else value
            ),
        )

    @classmethod
    def fromMembers(cls, members: dict[str, Any]) -> AuthorizationRequest:
        """
        Undo L{members}.
        """
        return cls(**{**members, **{name: frozenset(members[name]) for name in _SETS}})


@attrs.frozen(eq=False)
class AuthorizationRequests:
    """
    Reads authorization requests.
    """

    offer: Offer
    hints: IDTokenHints
    now: Callable[[], float] = time

    def destination(self, form: Form, client: Client) -> str:
        """
        Where the answer goes: until that is known, there is no telling whom an error would be sent
        to (RFC 9700 section 4.11).

        @raise OAuthError: nowhere. The person in front of it has to be told.
        """
        presented = form.get("redirect_uri")
        if presented is None:
            if len(client.redirectURIs) != 1:
                raise OAuthError("invalid_request", "The parameter redirect_uri is missing.")
            presented = client.redirectURIs[0]
        elif not matches(client.redirectURIs, presented):
            raise OAuthError("invalid_request", "The redirect_uri is not one of the client's.")
        if len(form.get("state", "").encode("utf-8")) > MAX_STATE:
            # Without its state an answer is worth nothing to a client.
            raise OAuthError("invalid_request", f"The state is longer than {MAX_STATE} octets.")
        return presented

    async def read(self, form: Form, client: Client) -> AuthorizationRequest:
        """
        @raise OAuthError: it is no request that could be answered.
        @raise Outage: nobody can tell.
        """
        redirectURI = self.destination(form, client)
        _checkForm(form, client)
        prompt = frozenset(form.get("prompt", "").split())
        if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
            raise OAuthError("invalid_request", "There is no such prompt, or not with the others.")
        codeChallenge = None
        if not client.insecureWithoutPKCE or "code_challenge" in form:
            codeChallenge = checkChallenge(
                form.get("code_challenge"), form.get("code_challenge_method")
            )
        hint = form.get("id_token_hint")
        return AuthorizationRequest(
            requestId=secrets.token_urlsafe(16),
            clientId=client.clientId,
            redirectURI=redirectURI,
            redirectSent="redirect_uri" in form,
            state=form.get("state"),
            scope=self.offer.scope(form.get("scope"), client),
            resources=self.offer.resources(form.resources),
            codeChallenge=codeChallenge,
            nonce=form.get("nonce"),
            prompt=prompt,
            maxAge=_maxAge(form),
            loginHint=form.get("login_hint", "")[:MAX_HINT] or None,
            subject=None if hint is None else (await self.hints.read(hint)).subject,
            keyThumbprint=form.get("dpop_jkt"),
            began=self.now(),
        )


def _checkForm(form: Form, client: Client) -> None:
    """
    Everything that can be said at a glance.
    """
    for name, code in _REFUSED.items():
        if name in form:
            raise OAuthError(code, f"The parameter {name} is not supported here.")
    if form.required("response_type") != "code":
        raise OAuthError("unsupported_response_type", "The response_type has to be code.")
    if "authorization_code" not in client.grantTypes:
        raise OAuthError("unauthorized_client", "The client may not ask for a code.")
    if form.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "The response_mode has to be query.")
    if len(form.get("nonce", "")) > MAX_NONCE:
        raise OAuthError("invalid_request", "The nonce is too long.")
    thumbprint = form.get("dpop_jkt")
    if thumbprint is not None and _THUMBPRINT.fullmatch(thumbprint) is None:
        raise OAuthError("invalid_request", "The dpop_jkt is not a SHA-256 thumbprint.")


def _maxAge(form: Form) -> int | None:
    text = form.get("max_age")
    if text is None:
        return None
    if re.fullmatch("[0-9]{1,9}", text) is None:
        raise OAuthError("invalid_request", "The max_age is not a number of seconds.")
    return int(text)
