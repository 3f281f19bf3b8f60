"""
L{mailauth.server.mailbox.folder}, L{mailauth.server.mailbox.uidlist} and
L{mailauth.server.mailbox.maildir}.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.mail.imap4 import MailboxCollision, NoSuchMailbox
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.files import UniqueNames
from mailauth.server.mailbox.folder import Folder
from mailauth.server.mailbox.maildir import Maildir

from .parlour import makeDirectory


def names(directory: Path) -> list[str]:
    """
    The names of the files in a directory.
    """
    return sorted(path.name for path in directory.iterdir())


class FolderTestCase(SynchronousTestCase):
    """
    A test with an empty inbox.
    """

    def setUp(self) -> None:
        self.now = 1000.5
        self.path = makeDirectory(self) / "alice"
        self.maildir = self.open()
        self.maildir.create()
        self.folder = self.maildir.folder("INBOX")

    def open(self) -> Maildir:
        """
        The account, as another process would find it.
        """
        return Maildir(self.path, UniqueNames(lambda: self.now, "host.test"))

    def contents(self, folder: Folder) -> list[bytes]:
        """
        All messages of a folder.
        """
        return [folder.open(uid).read() for uid in folder.scan().messages]


class DeliveryTests(FolderTestCase):
    """
    L{Folder.deliver} and L{Folder.append}.
    """

    def test_private(self) -> None:
        """
        Nobody but the owner can look into the directories or read a message.
        """
        self.folder.deliver(b"secret")

        for path in [self.path, *self.path.rglob("*")]:
            self.assertEqual(0, path.stat().st_mode & 0o077, path)

    @given(st.binary(max_size=300))
    def test_unchanged(self, content: bytes) -> None:
        """
        The octets of a message are those that were delivered, from memory or from a file.
        """
        before = len(self.contents(self.folder))

        self.folder.deliver(content)
        self.folder.deliver(BytesIO(content))

        self.assertEqual([content, content], self.contents(self.folder)[before:])

    def test_order(self) -> None:
        """
        UIDs are given in the order of delivery, also within one tick of the clock.
        """
        for number in range(12):
            self.folder.deliver(b"%d" % number)

        self.assertEqual([b"%d" % number for number in range(12)], self.contents(self.folder))
        self.assertEqual(list(range(1, 13)), list(self.folder.messages))

    def test_nothingHalf(self) -> None:
        """
        A delivery that fails leaves nothing behind.
        """

        class Broken(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError("unreadable")

        self.assertRaises(OSError, self.folder.deliver, Broken())

        self.assertEqual([], self.contents(self.folder))
        self.assertEqual([], names(self.path / "tmp"))

    def test_append(self) -> None:
        """
        An appended message has its flags, its date and a UID.
        """
        uid = self.folder.append(b"x", ["\\Seen", "\\Flagged", "$Unknown"], 500.0)

        self.assertEqual({"\\Seen", "\\Flagged"}, self.folder.messages[uid].flags)
        self.assertEqual(500.0, self.folder.date(uid))
        self.assertEqual(1, self.folder.size(uid))


class UIDTests(FolderTestCase):
    """
    The UIDs of a L{Folder}.
    """

    def test_kept(self) -> None:
        """
        Another process finds the same UIDs and the same UIDVALIDITY.
        """
        for content in (b"a", b"b", b"c"):
            self.folder.deliver(content)
        self.folder.scan().remove([2])

        again = self.open().folder("INBOX").scan()

        self.assertEqual(self.folder.messages, again.messages)
        self.assertEqual(self.folder.uidList.uidValidity, again.uidList.uidValidity)

    def test_neverAgain(self) -> None:
        """
        The UID of a message that is gone is not given to another, whoever asks.
        """
        self.folder.deliver(b"a")
        self.folder.scan().remove([1])
        again = self.open().folder("INBOX")

        again.deliver(b"b")

        self.assertEqual([2], list(again.scan().messages))
        self.assertEqual(3, again.uidList.uidNext)

    def test_unreadableList(self) -> None:
        """
        A list that was lost or spoiled gives a new, larger UIDVALIDITY: mail programs start anew.
        """
        self.folder.deliver(b"a")
        validity = self.folder.scan().uidList.uidValidity
        for spoiled in (b"", b"\x00\xff", b"1", b"5 2\n9 x\n", b"a b\n", b"0 1\n"):
            (self.path / "mailauth-uidlist").write_bytes(spoiled)

            again = self.open().folder("INBOX").scan()

            self.assertEqual([1], list(again.messages))
            self.assertGreater(again.uidList.uidValidity, validity)
            validity = again.uidList.uidValidity

    def test_validityNeverAgain(self) -> None:
        """
        A mailbox that is deleted and made again is another, even if the clock went back.
        """
        self.maildir.createMailbox("x")
        first = self.maildir.folder("x").scan().uidList.uidValidity
        self.maildir.deleteMailbox("x")
        self.now -= 900

        self.maildir.createMailbox("x")

        self.assertGreater(self.maildir.folder("x").scan().uidList.uidValidity, first)

    def test_notGivenWithoutDisk(self) -> None:
        """
        A UID that cannot be kept is not given: what nobody heard of may be given again.
        """
        self.folder.deliver(b"a")
        self.folder.scan()
        self.folder.deliver(b"b")
        blocked = self.path / "mailauth-uidlist.tmp"
        blocked.mkdir()

        self.assertRaises(OSError, self.folder.scan)
        self.assertEqual([1], list(self.folder.messages))

        blocked.rmdir()
        self.assertEqual([1, 2], list(self.folder.scan().messages))
        self.assertEqual(self.folder.messages, self.open().folder("INBOX").scan().messages)


class FlagTests(FolderTestCase):
    """
    L{Folder.changeFlags} and L{Folder.claim}.
    """

    def test_kept(self) -> None:
        """
        Flags are in the file name; the letters of other programs stay.
        """
        (self.path / "cur" / "1.x:2,Sab").write_bytes(b"x")
        self.folder.scan()

        self.folder.changeFlags([1], lambda flags: frozenset({"\\Flagged"}))

        self.assertEqual(["1.x:2,Fab"], names(self.path / "cur"))
        self.assertEqual({"\\Flagged"}, self.folder.messages[1].flags)

    def test_renamedByOthers(self) -> None:
        """
        A file that another program renamed meanwhile is found under its new name.
        """
        (self.path / "cur" / "1.x:2,").write_bytes(b"x")
        self.folder.scan()
        (self.path / "cur" / "1.x:2,").rename(self.path / "cur" / "1.x:2,S")

        self.assertEqual(b"x", self.folder.open(1).read())

    def test_goneByOthers(self) -> None:
        """
        A message that another program removed is no error for the others.
        """
        for name in ("1.x:2,", "2.x:2,"):
            (self.path / "cur" / name).write_bytes(b"x")
        self.folder.scan()
        (self.path / "cur" / "1.x:2,").unlink()

        self.folder.changeFlags([1, 2], lambda flags: flags | {"\\Seen"})

        self.assertEqual([2], list(self.folder.messages))
        self.assertEqual(["2.x:2,S"], names(self.path / "cur"))
        self.assertRaises(FileNotFoundError, self.folder.open, 1)

    def test_claim(self) -> None:
        """
        New messages are recent to the first who claims them, and to no other.
        """
        self.folder.deliver(b"a")

        self.assertEqual({1}, self.folder.claim())
        self.assertEqual(set(), self.folder.claim())
        self.assertEqual([], names(self.path / "new"))

    def test_copy(self) -> None:
        """
        Copies have the flags, the size and the date; if one cannot be made there is none.
        """
        self.maildir.createMailbox("x")
        target = self.maildir.folder("x")
        uid = self.folder.append(b"abc", ["\\Seen"], 77.0)

        self.assertEqual([1], self.folder.copyTo([uid], target))
        self.assertRaises(FileNotFoundError, self.folder.copyTo, [uid, 99], target)

        self.assertEqual([b"abc"], self.contents(target))
        self.assertEqual({"\\Seen"}, target.messages[1].flags)
        self.assertEqual(77.0, target.date(1))

    def test_copyFails(self) -> None:
        """
        If the copies cannot be given UIDs there are none: who is told NO will try again.
        """
        self.maildir.createMailbox("x")
        target = self.maildir.folder("x").scan()
        uid = self.folder.append(b"abc", [], None)
        (target.path / "mailauth-uidlist.tmp").mkdir()

        self.assertRaises(OSError, self.folder.copyTo, [uid], target)

        self.assertEqual([], names(target.path / "cur"))

    def test_stale(self) -> None:
        """
        What a killed writer left is removed after 36 hours, and not before.
        """
        for name, age in (("old", 37 * 3600), ("young", 35 * 3600)):
            path = self.path / "tmp" / name
            path.write_bytes(b"half")
            os.utime(path, (self.now - age, self.now - age))

        self.folder.scan()

        self.assertEqual(["young"], names(self.path / "tmp"))


class MaildirTests(FolderTestCase):
    """
    L{Maildir}.
    """

    def test_mailboxes(self) -> None:
        """
        What was made is there under its name, and what is no folder of ours is not.
        """
        for name in ("a.b", "a/b", "日本"):
            self.maildir.createMailbox(name)
        (self.path / ".file").write_bytes(b"")
        (self.path / "plain").mkdir()

        self.assertEqual(["INBOX", "a.b", "a/b", "日本"], self.maildir.mailboxes())
        self.assertRaises(MailboxCollision, self.maildir.createMailbox, "a/b")

    def test_rename(self) -> None:
        """
        Those below move along, and UIDs stay.
        """
        for name in ("a", "a/b", "ab", "c"):
            self.maildir.createMailbox(name)
        self.maildir.folder("a/b").deliver(b"x")
        before = self.maildir.folder("a/b").scan()

        self.maildir.renameMailbox("a", "z/y")

        self.assertEqual(["INBOX", "ab", "c", "z/y", "z/y/b"], self.maildir.mailboxes())
        after = self.maildir.folder("z/y/b").scan()
        self.assertEqual(before.messages, after.messages)
        self.assertEqual(before.uidList.uidValidity, after.uidList.uidValidity)
        self.assertRaises(MailboxCollision, self.maildir.renameMailbox, "ab", "c")
        self.assertRaises(NoSuchMailbox, self.maildir.renameMailbox, "a", "d")

    def test_delete(self) -> None:
        """
        A deleted mailbox is gone with its messages, those below it stay, and who has it open
        cannot bring it back.
        """
        for name in ("a", "a/b"):
            self.maildir.createMailbox(name)
        opened = self.maildir.folder("a").scan()

        self.maildir.deleteMailbox("a")

        self.assertEqual(["INBOX", "a/b"], self.maildir.mailboxes())
        self.assertRaises(NoSuchMailbox, opened.scan)
        self.assertRaises(OSError, opened.deliver, b"x")
        self.assertRaises(NoSuchMailbox, self.maildir.deleteMailbox, "a")

    def test_subscriptions(self) -> None:
        """
        The inbox is subscribed to until somebody says otherwise; the rest is kept.
        """
        self.maildir.subscribe("日本/x")
        self.maildir.unsubscribe("INBOX")

        self.assertEqual({"日本/x"}, self.open().subscriptions())
