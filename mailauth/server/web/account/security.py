"""
What somebody signs in with.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...actions.factors import passkeyId
from ...sites import SiteSession
from ..describing import cleanName
from ..endpoint import Answer
from ..times import ago, day
from ..visit import Visit
from .accountpage import AccountPage
from .waysin import waysIn

DONE: Mapping[str, str] = {
    "password": "security.done.password",
    "totp-off": "security.done.totp",
    "passkey": "security.done.passkey",
    "passkey-renamed": "security.done.renamed",
    "passkey-removed": "security.done.removed",
    "nothing": "security.done.nothing",
}
"""
What is said about what was just done, by what the address says of it.
"""

FEW_CODES = 3
"""
With so many recovery codes left it is time for new ones.
"""


class SecurityPage(AccountPage):
    """
    Shows it, and leads to the pages that change it.
    """

    template = "account/security"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        ways = await waysIn(self.administration, session.account)
        now = self.administration.recorder.now()
        done = DONE.get(visit.query().get("done", ""))
        return self.page(
            visit,
            session,
            done=done and visit.say(done),
            ways=ways,
            few=ways.factors.recoveryCodes <= FEW_CODES,
            passkeys=[
                {
                    "id": passkeyId(each),
                    "name": cleanName(each.name) or visit.say("passkey.name.default"),
                    "created": day(visit, each.created),
                    "used": ago(visit, each.lastUse, now) if each.lastUse else None,
                }
                for each in ways.factors.passkeys
            ],
            day=lambda when: day(visit, when),
        )
