"""
Tests of what is kept, and of who could read it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.failures import Outage, Refusal
from mailauth.tokenclient.signins import SignIn, SignIns

from ..server.deployment import makeDirectory

ALICE = SignIn(
    "alice@example.test",
    "https://mail.example.test",
    "client",
    "https://mail.example.test/token",
    None,
    None,
    refreshToken="a refresh token",
    accessToken="an access token",
    issued=1000.0,
    lifetime=900.0,
)


class SignInsTests(SynchronousTestCase):
    """
    A directory of somebody's.
    """

    def setUp(self) -> None:
        """
        It is not there yet.
        """
        self.directory = makeDirectory(self) / "a" / "b"
        self.signIns = SignIns(self.directory)
        self.path = self.signIns.path(ALICE.address)

    def save(self) -> None:
        """
        Keep alice's.
        """
        with self.signIns.lock(ALICE.address):
            self.signIns.save(ALICE)

    def test_kept(self) -> None:
        """
        What is kept is found again, however the address is written, until it is forgotten; nobody
        else can read it, whatever the umask is, and no secret of it is seen.
        """
        self.addCleanup(os.umask, os.umask(0))
        self.assertIsNone(self.signIns.get(ALICE.address))

        self.save()

        self.assertEqual(ALICE, self.signIns.get("Alice@Example.TEST"))
        self.assertEqual([ALICE], self.signIns.all())
        self.assertEqual(0o700, stat.S_IMODE(self.directory.stat().st_mode))
        for path in self.directory.iterdir():
            self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertNotIn("token'", repr(ALICE).replace("/token'", ""))
        self.signIns.forget(ALICE.address)
        self.assertEqual([], self.signIns.all())
        self.signIns.forget(ALICE.address)

    def test_names(self) -> None:
        """
        Each address has a file of its own, and none is elsewhere.
        """
        names = ("../../x@y", "/etc/x@y", "a%2Fb@y", "a/b@y", ".@y", "ä@y", "a+b@y", "a=b@y")
        paths = {self.signIns.path(name) for name in names}

        self.assertEqual(len(names), len(paths))
        self.assertEqual({self.directory}, {path.parent for path in paths})
        self.assertFalse([path for path in paths if ".." in path.parts])

    def test_others(self) -> None:
        """
        What others can read or write, or own, or is a link, is refused.
        """
        self.save()
        for path in (self.path, self.directory):
            usual = stat.S_IMODE(path.stat().st_mode)
            for mode in (0o604, 0o640, 0o620, 0o610):
                path.chmod(usual | mode)
                error = self.assertRaises(Refusal, self.signIns.get, ALICE.address)
                self.assertIn(f"chmod {usual:o} {path}", str(error))
            path.chmod(usual)
        real = self.path.rename(self.directory / "real")
        self.path.symlink_to(real)
        self.assertRaises(Refusal, self.signIns.get, ALICE.address)
        linked = self.directory.with_name("linked")
        linked.symlink_to(self.directory)
        self.assertRaises(Refusal, SignIns(linked).all)

    def test_foreign(self) -> None:
        """
        A file that somebody else put there is refused, too.
        """
        if os.geteuid() != 0:
            self.skipTest("needs root, to be two people")
        self.save()
        os.chown(self.path, 65534, 65534)

        error = self.assertRaises(Refusal, self.signIns.get, ALICE.address)

        self.assertIn("belongs to somebody else", str(error))

    def test_damaged(self) -> None:
        """
        A file with anything else in it is named, and none of it is shown.
        """
        self.save()
        for content in ("", "[]", "{}", '{"secret": 12345}', "\x00", "[" * 100_000, "12345"):
            self.path.write_text(content)

            error = self.assertRaises(Refusal, self.signIns.get, ALICE.address)

            self.assertIn(f"{self.path} is damaged", str(error))
            self.assertNotIn("12345", str(error))

    def test_interrupted(self) -> None:
        """
        A save that was interrupted leaves what was before, and the next one is not disturbed.
        """
        self.save()
        (self.directory / f"{self.path.name}.new").write_text("half of it")

        self.assertEqual([ALICE], self.signIns.all())
        newer = attrs.evolve(ALICE, refreshToken="another")
        self.signIns.save(newer)

        self.assertEqual(newer, self.signIns.get(ALICE.address))

    def test_unusable(self) -> None:
        """
        A directory that cannot be there is named.
        """
        self.directory.parent.parent.joinpath("a").write_text("a file")

        error = self.assertRaises(Refusal, self.signIns.all)

        self.assertIn(f"{self.directory} cannot be used", str(error))

    def test_full(self) -> None:
        """
        What cannot be written says so, and nothing is lost.
        """
        self.save()
        (self.directory / f"{self.path.name}.new").mkdir()

        self.assertRaises(Outage, self.signIns.save, attrs.evolve(ALICE, refreshToken="another"))

        self.assertEqual(ALICE, self.signIns.get(ALICE.address))

    def test_lock(self) -> None:
        """
        Nobody else works on an address meanwhile; on another one, everybody may.
        """
        # Descriptors of their own: another process would be kept out in the same way.
        other = SignIns(self.directory, patience=0.2)

        with self.signIns.lock(ALICE.address):
            with other.lock("bob@example.test"):
                pass
            with self.assertRaises(Outage), other.lock(ALICE.address):
                pass
        with other.lock(ALICE.address):
            pass

    def test_environment(self) -> None:
        """
        The directory is where the XDG specification has it; a path that is not absolute is none.
        """
        usual = Path.home() / ".local" / "state" / "mailauth-token"

        for environment, expected in (
            ({"XDG_STATE_HOME": "/a/b"}, Path("/a/b/mailauth-token")),
            ({"XDG_STATE_HOME": "a/b"}, usual),
            ({"XDG_STATE_HOME": ""}, usual),
            ({}, usual),
        ):
            self.assertEqual(expected, SignIns.ofEnvironment(environment).directory)
