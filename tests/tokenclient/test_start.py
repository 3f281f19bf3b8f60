"""
Tests of the program's start, and of its worst end.
"""

from __future__ import annotations

import sys

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.signins import SignIns

from ..interop.programs import run
from ..server.deployment import makeDirectory
from .terminal import COMMAND
from .test_signins import ALICE

_PROGRAM = """
import sys
from mailauth.tokenclient.command import run
assert run(sys.argv[1:]) == 0
print(*{name.partition(".")[0] for name in sys.modules})
"""

_SLOW = {"click", "cryptography", "http", "jwt", "keyring", "sqlalchemy", "ssl", "twisted", "zope"}


class StartTests(SynchronousTestCase):
    """
    Mail programs wait for it at each login.
    """

    def setUp(self) -> None:
        """
        Somebody who is signed in for a long time.
        """
        directory = makeDirectory(self)
        self.signIns = SignIns(directory / "mailauth-token")
        self.signIns.save(attrs.evolve(ALICE, lifetime=1e12))
        self.environment = {"XDG_STATE_HOME": str(directory)}

    def test_light(self) -> None:
        """
        To print a token that is kept, it loads nothing that takes long: no Twisted, nothing of the
        server, and nothing for a network.
        """
        command = (sys.executable, "-c", _PROGRAM, ALICE.address)

        finished = run(*command, environment=self.environment)

        token, modules = finished.output.decode("ascii").splitlines()
        self.assertEqual(ALICE.accessToken, token)
        self.assertEqual(set(), _SLOW & set(modules.split()))

    def test_fault(self) -> None:
        """
        A fault of its own ends it with where that is, and without what was being worked with.
        """
        path = self.signIns.path(ALICE.address)
        path.write_text(path.read_text().replace("1000000000000.0", '"12345"'))

        finished = run(*COMMAND, ALICE.address, environment=self.environment)

        self.assertEqual((70, b""), (finished.status, finished.output))
        self.assertIn(b"This is a fault of mailauth-token: TypeError.", finished.errors)
        self.assertNotIn(b"unsupported operand", finished.errors)
