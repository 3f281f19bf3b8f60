"""
Somebody at the account site.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from mailauth.oauth.records import Authentication, AuthorizationCode, BrowserSession, Grant
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.actions.apppasswords import AppPasswordLimits, MadeAppPassword
from mailauth.stores.events import ACCOUNT_SITE, Actor

from .shown import HTMLForm, Shown
from .world import ALICE, CLIENT, Browser, PagesCase


class AccountCase(PagesCase):
    """
    Alice can be signed in, and can have things that read her mail.
    """

    def enterAt(self, path: str = "account/", account: str = ALICE) -> Shown:
        """
        Go to a page, and sign in on the way.
        """
        return self.enter(self.browser.get(path), account)

    def make(self, name: str = "phone", account: str = ALICE, **limits: Any) -> MadeAppPassword:
        """
        An app password.
        """
        actor = Actor(account, ACCOUNT_SITE, "192.0.2.1")
        made = self.world.administration.appPasswords.make(
            actor, account, AppPasswordLimits(name, **limits)
        )
        result: MadeAppPassword = self.wait(made)
        return result

    def allow(
        self, account: str = ALICE, clientId: str = CLIENT.clientId, scope: str = MAIL_SCOPE
    ) -> Grant:
        """
        Let an application act for somebody.
        """
        grant = Grant(
            grantId=f"grant-{account}-{clientId}",
            authentication=Authentication(account, self.clock.seconds()),
            clientId=clientId,
            scope=frozenset({scope}),
            created=self.clock.seconds(),
            lastUse=self.clock.seconds(),
            address="192.0.2.9",
        )
        digest = sha256(grant.grantId.encode()).digest()
        code = AuthorizationCode(digest, grant, None, None, None, self.clock.seconds() + 60)
        self.wait(self.world.stores.grants.addCode(code))
        self.wait(self.world.stores.grants.redeemCode(digest, grant, None, self.clock.seconds()))
        return grant

    def elsewhere(self, account: str = ALICE) -> tuple[Browser, BrowserSession]:
        """
        Another browser, in which somebody is signed in to the account site, too.
        """
        here, self.browser = self.browser, Browser(self.world)
        known = {each.digest for each in self.wait(self.world.stores.browserSessions.list(account))}
        self.enterAt(account=account)
        there, self.browser = self.browser, here
        [session] = [
            each
            for each in self.wait(self.world.stores.browserSessions.list(account))
            if each.digest not in known
        ]
        return there, session

    def appPasswords(self, account: str = ALICE) -> list[str]:
        """
        The names of the app passwords that there are.
        """
        found = self.wait(self.world.stores.appPasswords.list(account))
        return sorted(each.name for each in found)

    def ending(self, shown: Shown, identifier: str) -> HTMLForm:
        """
        The form that ends something.
        """
        [form] = [form for form in shown.page.forms if form.fields.get("identifier") == identifier]
        return form

    def end(self, shown: Shown, identifier: str) -> Shown:
        """
        End something.
        """
        form = self.ending(shown, identifier)
        return self.browser.post(form.action, form.fields)

    def send(self, shown: Shown, browser: Browser | None = None, **fields: str) -> Shown:
        """
        Fill in the form of a page, and send it.
        """
        form = shown.page.forms[-1]
        names: tuple[str, ...] = ("csrf", "once")
        hidden = {name: form.fields[name] for name in names if name in form.fields}
        return (browser or self.browser).post(form.action, {**hidden, **fields})
