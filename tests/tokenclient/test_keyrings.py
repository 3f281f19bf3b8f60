"""
The command with the keyring of GNOME.
"""

from __future__ import annotations

import shlex

from ..interop import ALICE
from ..interop.programs import Finished, need, run
from .terminal import COMMAND, Terminal
from .test_command import CommandTestCase

# Each session unlocks the keyring with the same password, as a desktop does. What the session bus
# complains about is nobody's business here.
_SESSION = "exec 3>&2; exec dbus-run-session -- sh -c {inside} 2>/dev/null"
_INSIDE = (
    "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null;"
    " exec {command} 2>&3"
)


class Desktop(Terminal):
    """
    A terminal on a desktop.
    """

    def command(self, *arguments: str) -> tuple[str, ...]:
        """
        See the parent.
        """
        inside = _INSIDE.format(command=shlex.join(super().command(*arguments)))
        return ("sh", "-c", _SESSION.format(inside=shlex.quote(inside)))


class KeyringTests(CommandTestCase):
    """
    Alice is signed in on a desktop.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("dbus-run-session", "gnome-keyring-daemon")
        super().setUp()
        backend = "keyring.backends.SecretService.Keyring"
        self.terminal = Desktop(self.directory, PYTHON_KEYRING_BACKEND=backend)

    def outside(self) -> Finished:
        """
        Run it where the keyring is not.
        """
        environment = {**self.terminal.environment, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/no"}
        return run(*COMMAND, ALICE, environment=environment)

    def test_kept(self) -> None:
        """
        The refresh token is in the keyring and nowhere else, and is rotated there. Without the
        keyring the token is printed while it is good; then the status says that nothing is lost.
        Logging out ends it.
        """
        finished = self.signIn()
        self.assertIn(b"It is kept in the keyring of this system.", finished.errors)
        kept = self.terminal.kept(ALICE)
        self.assertEqual((True, None), (kept["keyring"], kept["refreshToken"]))
        self.assertIn(b"kept in the keyring", self.terminal.run("list").output)
        self.assertEqual((0, b""), (self.outside().status, self.outside().errors))

        for _ in range(2):
            self.terminal.age(ALICE, 3600)
            self.assertReads(self.terminal.token(ALICE))
        self.terminal.age(ALICE, 3600)
        without = self.outside()

        self.assertEqual((75, b""), (without.status, without.output))
        self.assertIn(b"The keyring of this system cannot be read now", without.errors)
        self.assertReads(self.terminal.token(ALICE))
        self.assertEqual(0, self.terminal.run("logout", ALICE).status)
        self.assertEqual([], self.applications())

    def test_notThere(self) -> None:
        """
        Whoever does not want it there signs in again, and it is in the file alone.
        """
        self.signIn()

        self.signIn("--no-keyring")

        self.assertFalse(self.terminal.kept(ALICE)["keyring"])
        self.terminal.age(ALICE, 3600)
        self.assertEqual(0, self.outside().status)
        self.assertEqual(1, len(self.applications()))
