"""
Authorization requests that a client pushes before (RFC 9126). Owns how one comes back: sealed, so
that nothing is kept for whoever pushes and never comes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import attrs

from ..oauth.interfaces import ISpent
from ..oauth.requests import Form
from ..oauth.responses import OAuthError
from .authorizationrequests import PUSHED, AuthorizationRequests
from .clientauthentication import ClientAuthenticator
from .proofs import Proofs
from .sealing import CannotUnseal, Sealer, digestOf

PURPOSE = "pushed-requests"
"""
What the key file's key for them is for: see L{ServerSecret.sealer}.
"""

LIFETIME = 60
"""
For how many seconds one can be used.
"""

MAX_SEALED = 6000
"""
How long one may be, in characters: it becomes part of an address.
"""

_AUTHENTICATION = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
"""
What the client proved who it is with, which nobody else has to see.
"""


@attrs.frozen(eq=False)
class PushedRequests:
    """
    Takes them, and gives them back once.

    @ivar address: its own, which a proof of a key has to name (RFC 9449 section 4.2).
    @ivar requests: knows a good one.
    @ivar sealer: that of L{PURPOSE}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    address: str
    authenticator: ClientAuthenticator
    proofs: Proofs
    requests: AuthorizationRequests
    spent: ISpent
    sealer: Sealer
    now: Callable[[], float] = time

    async def answer(
        self, form: Form, authorization: bytes | None, proof: bytes | None
    ) -> Mapping[str, Any]:
        """
        @param authorization: the header of this name.
        @param proof: the header C{DPoP}, which says the same as C{dpop_jkt} and proves it (RFC 9449
            section 10.1).
        @return: the members of the answer.
        @raise OAuthError: it is no request that could be answered, or nobody knows who asks.
        @raise Outage: nobody can tell.
        """
        client = await self.authenticator.check(form, authorization)
        kept = {name: value for name, value in form.items() if name not in _AUTHENTICATION}
        kept["client_id"] = client.clientId
        if proof is not None:
            thumbprint = await self.proofs.check(proof, "POST", self.address)
            if kept.setdefault("dpop_jkt", thumbprint) != thumbprint:
                raise OAuthError("invalid_dpop_proof", "The dpop_jkt is another key's.")
        await self.requests.read(Form(kept, form.resources), client)
        sealed = self.sealer.sealMembers(
            {"id": secrets.token_urlsafe(16), "form": kept, "resources": form.resources},
            self.now() + LIFETIME,
            client.clientId.encode("utf-8"),
        )
        if len(sealed) > MAX_SEALED:
            raise OAuthError("invalid_request", "The request is too large.")
        return {"request_uri": PUSHED + sealed, "expires_in": LIFETIME}

    async def take(self, requestURI: str, clientId: str) -> Form:
        """
        What was pushed. It is used now.

        @param clientId: who uses it, which has to be who pushed it.
        @raise OAuthError: it was not pushed by this client, has expired, or was used before.
        @raise Outage: nobody can tell.
        """
        now = self.now()
        try:
            members = self.sealer.unsealMembers(
                requestURI.removeprefix(PUSHED), now, clientId.encode("utf-8")
            )
        except CannotUnseal as error:
            raise _refused(str(error)) from None
        # By what is inside: base64url can be written in more than one way.
        if not await self.spent.spend(digestOf(PURPOSE, members["id"]), now + LIFETIME, now):
            raise _refused("it was used before")
        return Form(members["form"], tuple(members["resources"]))


def _refused(reason: str) -> OAuthError:
    return OAuthError(
        "invalid_request_uri", "The request_uri is unknown, used or has expired.", reason
    )
