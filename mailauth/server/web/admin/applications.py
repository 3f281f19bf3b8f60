"""
The applications that people let act for them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ....oauth.records import Client
from ....oauth.registration import DEVICE_GRANT
from ....oauth.requests import Form
from ....scopes import formatScope
from ....stores.records import NotFound
from ...actions.clients import NewClient
from ...builtinclients import BUILT_IN
from ...clients import isDenied
from ...sites import SiteSession
from ..endpoint import Answer
from ..onetimeforms import OneTimeForms
from ..visit import Visit
from .adminpage import NOTHING, PROBLEMS, AdminPage

GRANTS = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "device_code": DEVICE_GRANT,
    "client_credentials": "client_credentials",
}
"""
The grants that a form can name, each by the name of its box.
"""

PROOFS = {
    "none": "client.proof.none",
    "client_secret_basic": "client.proof.basic",
    "client_secret_post": "client.proof.post",
    "private_key_jwt": "client.proof.keys",
}
"""
How a client can prove who it is, and the key of the sentence.
"""


class ApplicationsPage(AdminPage):
    """
    Shows those that were added or denied, and those that are known without.
    """

    template = "admin/applications"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        clients = await self.administration.clients.list()
        known = {client.clientId for client in clients}
        return self.page(
            visit,
            session,
            added=[client for client in clients if not isDenied(client)],
            denied=[client for client in clients if isDenied(client)],
            builtIn=[client for client in BUILT_IN.values() if client.clientId not in known],
            proofs=PROOFS,
        )


class ApplicationPage(AdminPage):
    """
    Shows one.
    """

    template = "admin/application"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        clients, identifier = self.administration.clients, visit.query().get("id", "")
        try:
            client = await clients.get(identifier)
        except NotFound:
            return self.missing(visit)
        recorded = identifier in [each.clientId for each in await clients.list()]
        return self.page(
            visit,
            session,
            client=client,
            recorded=recorded,
            denied=isDenied(client),
            scope=formatScope(client.scope),
            grants=sorted(client.grantTypes),
            proofs=PROOFS,
        )


class NewApplicationPage(AdminPage):
    """
    Adds one, and shows its secret.
    """

    template = "admin/newapplication"
    recent = True

    def __init__(self, *shared: Any, forms: OneTimeForms) -> None:
        """
        @param shared: see L{AdminPage}.
        @param forms: those that were sent.
        """
        super().__init__(*shared)
        self._forms = forms

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self._show(visit, session)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        if not await self._forms.isNew(form, session):
            return self._show(visit, session, form, visit.say("admin.sent"))
        try:
            client, secret = await self.administration.clients.add(
                self.actor(visit, session), _newClient(form)
            )
        except PROBLEMS as error:
            return self._show(visit, session, form, str(error))
        if secret is None:
            return visit.goTo("admin/applications/view", id=client.clientId, done="added")
        return self._show(visit, session, made=client, secret=secret)

    def _show(
        self,
        visit: Visit,
        session: SiteSession,
        typed: Form = NOTHING,
        problem: str | None = None,
        made: Client | None = None,
        secret: str | None = None,
    ) -> Answer:
        values: dict[str, Any] = {"typed": typed, "problem": problem, "made": made}
        return self.page(
            visit,
            session,
            403 if problem else 200,
            **values,
            secret=secret,
            once=self._forms.number(),
            proofs=[(proof, visit.say(key)) for proof, key in PROOFS.items()],
        )


def _newClient(form: Form) -> NewClient:
    proof = form.get("proof", "")
    return NewClient(
        clientId=form.get("id"),
        name=form.get("name"),
        redirectURIs=tuple(form.get("redirects", "").split()),
        grantTypes=frozenset(grant for name, grant in GRANTS.items() if name in form),
        scope=frozenset(form.get("scope", "").split()),
        authMethod=proof if proof in PROOFS else "none",
        jwks=form.get("jwks"),
        opaqueTokens="opaque" in form,
        resourceServer="resourceserver" in form,
        insecureWithoutPKCE="nopkce" in form,
        postLogoutRedirectURIs=tuple(form.get("logoutredirects", "").split()),
        backchannelLogoutURI=form.get("logout"),
    )
