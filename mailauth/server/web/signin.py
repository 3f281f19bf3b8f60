"""
The sign-in page, the one for the second factor, and what a passkey answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from ...credentials import LoginContext
from ...errors import AccountDisabled, Refusal, TooManyFailures
from ...oauth.records import Authentication
from ..authorization import AGAIN
from ..federation import BadAnswer, Federation, NobodyHere, RefusedThere
from ..passkeys import InvalidPasskey
from ..signin import AppPasswordPresented, SignIn, StepExpired
from ..sites import SITES
from .describing import describePlace
from .endpoint import Answer
from .onward import Destination, Onward
from .page import Page
from .sitepage import cookieOf
from .visit import Pages, Visit

_FORMS = "signin"
"""
The purpose of the forms here, which lead from one to the next.
"""

_PROBLEMS: Mapping[type[Exception], str] = {
    AccountDisabled: "signin.disabled",
    AppPasswordPresented: "signin.apppassword",
    BadAnswer: "signin.issuer.refused",
    InvalidPasskey: "signin.passkey.wrong",
    NobodyHere: "signin.issuer.nobody",
    RefusedThere: "signin.issuer.refused",
    StepExpired: "second.expired",
    TooManyFailures: "limited.text",
}


class _Step(Page):
    """
    One step of signing in.
    """

    def __init__(
        self, pages: Pages, onward: Onward, signIn: SignIn, federations: Sequence[Federation]
    ) -> None:
        """
        @param federations: the other issuers that people may sign in at.
        """
        super().__init__(pages)
        self.onward = onward
        self.signIn = signIn
        self.federations = federations

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Somebody loads a page again whose form is gone.
        """
        return visit.goTo("signin")

    def ask(
        self,
        visit: Visit,
        destination: Destination,
        username: str | None,
        error: Exception | None = None,
    ) -> Answer:
        """
        The sign-in page.

        @param username: what the field holds.
        @param error: why the last try failed.
        """
        options, challenge = self.signIn.passkeyOptions(visit.browser)
        request = destination.request
        return visit.page(
            "signin",
            status=_statusOf(error),
            target=destination.formAction,
            csrf=visit.formToken(_FORMS),
            destination=destination,
            place=request and describePlace(visit, request.redirectURI),
            subject=request and request.subject,
            username=username or "",
            problem=_problem(visit, error, "signin.wrong"),
            mistyped=error is not None and type(error) not in _PROBLEMS,
            options=options,
            challenge=challenge,
            issuers=[
                (
                    federation.issuer.settings.label,
                    f"{federation.path}/begin?{urlencode({'interaction': destination.text})}",
                )
                for federation in self.federations
            ],
        )

    def askAgain(
        self,
        visit: Visit,
        destination: Destination,
        username: str,
        step: str,
        kinds: tuple[str, ...],
        kind: str = "",
        error: Exception | None = None,
    ) -> Answer:
        """
        The page for the second factor.

        @param step: what the first one left.
        @param kinds: what will do.
        @param kind: what was tried.
        """
        return visit.page(
            "second",
            status=_statusOf(error),
            target=destination.formAction,
            csrf=visit.formToken(_FORMS),
            destination=destination,
            username=username,
            step=step,
            kinds=kinds,
            kind=kind,
            problem=_problem(visit, error, "second.wrong"),
        )

    async def enter(
        self, visit: Visit, destination: Destination, authentication: Authentication
    ) -> Answer:
        """
        Somebody is who he says he is. The cookie that he came with is not the one he leaves with
        (WB2), and whoever was in our own sites is not in them any more: it may be somebody else.
        """
        secret, session = await self.pages.sessions.make(
            authentication, visit.peer, visit.userAgent, replaced=await visit.session()
        )
        visit.signIn(secret, session)
        for site in SITES:
            visit.forget(cookieOf(site))
        return await self.onward.goOn(visit, destination, session)


class SignInPage(_Step):
    """
    Asks for a login name and a password, or for a passkey.
    """

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask.
        """
        destination = await self.onward.read(visit, visit.query().get("interaction"))
        request, session = destination.request, await visit.session()
        expected = None if request is None else request.subject or request.loginHint
        if expected is None and session is not None:
            expected = session.authentication.account
        return self.ask(visit, destination, expected)

    async def page_POST(self, visit: Visit) -> Answer:
        """
        Somebody typed a password, or would rather not.
        """
        form = visit.form(_FORMS)
        destination = await self.onward.read(visit, form.get("interaction"))
        if destination.request is not None and form.get("decision") == "deny":
            return visit.seeOther(self.onward.authorization.deny(destination.request))
        username, password = form.get("username", ""), form.get("password", "")
        try:
            step = await self.signIn.password(username, password, _contextOf(visit), visit.browser)
            if step.authentication is None:
                return self.askAgain(visit, destination, username, step.sealed, step.kinds)
            return await self.enter(visit, destination, step.authentication)
        except (Refusal, TooManyFailures) as error:
            return self.ask(visit, destination, username, error)


class SecondFactorPage(_Step):
    """
    Takes a one-time code.
    """

    async def page_POST(self, visit: Visit) -> Answer:
        """
        Somebody typed one.
        """
        form = visit.form(_FORMS)
        destination = await self.onward.read(visit, form.get("interaction"))
        step, kind, code = form.get("step", ""), form.get("kind", ""), form.get("code", "")
        try:
            authentication = await self.signIn.secondFactor(
                step, kind, code, _contextOf(visit), visit.browser
            )
            return await self.enter(visit, destination, authentication)
        except StepExpired as error:
            return self.ask(visit, destination, form.get("username"), error)
        except (Refusal, TooManyFailures) as error:
            # What he may choose from and whom the page calls by name is for the eye alone: what
            # counts is in the step.
            kinds = tuple(form.get("kinds", "").split())
            username = form.get("username", "")
            return self.askAgain(visit, destination, username, step, kinds, kind, error)


class PasskeyPage(_Step):
    """
    Takes what a passkey answers.
    """

    async def page_POST(self, visit: Visit) -> Answer:
        """
        A passkey answered.
        """
        form = visit.form(_FORMS)
        destination = await self.onward.read(visit, form.get("interaction"))
        try:
            authentication = await self.signIn.passkey(
                form.get("challenge", ""),
                form.get("response", ""),
                _contextOf(visit),
                visit.browser,
            )
            return await self.enter(visit, destination, authentication)
        except (Refusal, TooManyFailures) as error:
            return self.ask(visit, destination, None, error)


class _External(_Step):
    """
    A page between here and another issuer.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(
        self,
        pages: Pages,
        onward: Onward,
        signIn: SignIn,
        federations: Sequence[Federation],
        federation: Federation,
    ) -> None:
        """
        @param federation: the one of that issuer.
        """
        super().__init__(pages, onward, signIn, federations)
        self.federation = federation


class LeavingPage(_External):
    """
    Sends people there. A link leads here and no form, so that the form with the password leads
    nowhere else: whether it may is decided for all of a page (CSP 3 section 6.4.1), and where the
    issuer sends people on to, only it knows.
    """

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Lead there. Somebody who is asked although he is signed in here has to prove it there, too.
        """
        destination = await self.onward.read(visit, visit.query().get("interaction"))
        request, again, hint = destination.request, await visit.session() is not None, None
        if request is not None:
            again = again or request.maxAge is not None or bool(request.prompt & AGAIN)
            hint = request.subject or request.loginHint
        return visit.seeOther(
            await self.federation.begin(destination.text, visit.browser, hint, again)
        )


class ReturningPage(_External):
    """
    Where they come back to.
    """

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Somebody comes from there.
        """
        query = visit.query()
        try:
            underWay = self.federation.unseal(query.get("state", ""), visit.browser)
        except StepExpired as error:
            return self.ask(visit, await self.onward.read(visit, None), None, error)
        destination = await self.onward.read(visit, underWay.destination)
        try:
            authentication = await self.federation.finish(underWay, query, _contextOf(visit))
            return await self.enter(visit, destination, authentication)
        except (Refusal, TooManyFailures) as error:
            return self.ask(visit, destination, None, error)


def _contextOf(visit: Visit) -> LoginContext:
    return LoginContext("web", visit.peer, secure=True, mailClient=visit.userAgent)


def _statusOf(error: Exception | None) -> int:
    """
    A browser that sees an error does not offer to keep the password.
    """
    if error is None:
        return 200
    return 429 if isinstance(error, TooManyFailures) else 403


def _problem(visit: Visit, error: Exception | None, default: str) -> Any:
    return error and visit.say(_PROBLEMS.get(type(error), default))
