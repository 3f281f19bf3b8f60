"""
L{mailauth.server.mailbox.names}.
"""

from __future__ import annotations

import time
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.names import (
    InvalidName,
    Pattern,
    accountDirectory,
    canonicalMailbox,
    folderName,
    fromWire,
    mailboxName,
    toWire,
)

NASTY = st.text(st.sampled_from('./&-,+~aAé日😀INBOXinbox%*\\"\x00\n '), max_size=12) | st.text(
    max_size=20
)


def canonical(name: str) -> str | None:
    try:
        return canonicalMailbox(name)
    except InvalidName:
        return None


class FolderNameTests(SynchronousTestCase):
    """
    L{folderName} and L{mailboxName}.
    """

    @given(NASTY)
    def test_staysInside(self, name: str) -> None:
        """
        Whatever the name, its folder is one file name below the account, and never one of the
        directories that a Maildir consists of (W19).
        """
        mailbox = canonical(name)
        if mailbox is None or mailbox == "INBOX":
            return

        folder = folderName(mailbox)

        self.assertEqual([folder], list(PurePosixPath(folder).parts))
        self.assertTrue(folder.startswith("."))
        self.assertNotIn(folder, {".", ".."})
        self.assertTrue(folder.isascii() and folder.isprintable() and len(folder) < 256)

    @given(NASTY)
    def test_comesBack(self, name: str) -> None:
        """
        The folder tells the name, so no two names have one folder (W19).
        """
        mailbox = canonical(name)
        if mailbox is not None and mailbox != "INBOX":
            self.assertEqual(mailbox, mailboxName(folderName(mailbox)))

    @given(NASTY, NASTY)
    def test_injective(self, one: str, other: str) -> None:
        """
        Two names that are not the same name do not meet (W19).
        """
        first, second = canonical(one), canonical(other)
        if first is not None and second is not None:
            self.assertEqual(first == second, folderName(first) == folderName(second))

    def test_inbox(self) -> None:
        """
        INBOX is one in any case, also above others, and only in ASCII.
        """
        self.assertEqual("INBOX", canonicalMailbox("inBox"))
        self.assertEqual("INBOX/a", canonicalMailbox("inbox/a"))
        self.assertEqual("\u0131nbox", canonicalMailbox("\u0131nbox"))
        self.assertEqual("a/inbox", canonicalMailbox("a/inbox"))

    def test_refused(self) -> None:
        """
        Empty levels, control characters and names too long for a file are no names (W9, W19).
        """
        for name in ("", "/", "a/", "/a", "a//b", "a\x00b", "a\r\nb", "a\u2028b", "x" * 250):
            self.assertRaises(InvalidName, canonicalMailbox, name)

    def test_foreignFolder(self) -> None:
        """
        A folder that somebody else named in another way is not listed under a name of ours.
        """
        for directory in (".INBOX", ".a&AGI-", ".a..b", ".&zzz", "..", ".é"):
            self.assertIsNone(mailboxName(directory))


class WireNameTests(SynchronousTestCase):
    """
    L{fromWire} and L{toWire}.
    """

    def test_examples(self) -> None:
        """
        The example of RFC 3501 section 5.1.3 is read, and written the same.
        """
        wire = b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"

        self.assertEqual("~peter/mail/台北/日本語", fromWire(wire))
        self.assertEqual(wire, toWire(fromWire(wire)))

    @given(st.binary(max_size=20) | st.binary().map(lambda octets: b"&" + octets + b"-"))
    def test_total(self, octets: bytes) -> None:
        """
        Any octets are a name with exactly this spelling, or none (W13, W19).
        """
        try:
            name = fromWire(octets)
        except InvalidName:
            return
        self.assertEqual(octets, toWire(name))

    def test_superfluousShift(self) -> None:
        """
        RFC 3501 section 5.1.3 forbids to encode what can stand for itself.
        """
        for octets in (b"&AGE-", b"&", b"&-&", b"a&Jjo", b"&Jjo-&Jjo-", b"\xc3\xa9"):
            self.assertRaises(InvalidName, fromWire, octets)


class AccountDirectoryTests(SynchronousTestCase):
    """
    L{accountDirectory}.
    """

    @given(NASTY, NASTY)
    def test_injective(self, one: str, other: str) -> None:
        """
        Two accounts have two directories, and none has one outside (W19).
        """
        directories = []
        for name in (one, other):
            try:
                directories.append(accountDirectory(name))
            except (InvalidName, UnicodeEncodeError):
                return

        self.assertEqual(one == other, directories[0] == directories[1])
        self.assertEqual([directories[0]], list(PurePosixPath(directories[0]).parts))
        self.assertFalse(directories[0].startswith("."))

    def test_plain(self) -> None:
        """
        Common names are what they look like.
        """
        self.assertEqual("alice+x@example.test", accountDirectory("alice+x@example.test"))


class PatternTests(SynchronousTestCase):
    """
    L{Pattern}.
    """

    def test_examples(self) -> None:
        """
        RFC 3501 section 6.3.8: C{*} crosses levels, C{%} does not.
        """
        for pattern, name, matches in (
            ("*", "a/b", True),
            ("%", "a/b", False),
            ("%", "a", True),
            ("%/%", "a/b", True),
            ("%/%", "a/b/c", False),
            ("a*", "ab/c", True),
            ("*c", "ab/c", True),
            ("a%b*c", "axb/ddc", True),
            ("a%b*c", "ax/bc", False),
            ("%*%", "a/b", True),
            ("a", "ab", False),
            ("ab", "a", False),
            ("a.c", "abc", False),
        ):
            self.assertEqual(matches, Pattern(pattern).matches(name), (pattern, name))

    @given(
        st.text(st.sampled_from("a/*%"), max_size=8),
        st.text(st.sampled_from("a/"), max_size=8),
    )
    def test_likeTheDefinition(self, pattern: str, name: str) -> None:
        """
        It finds what trying every way finds.
        """

        def tries(pattern: str, name: str) -> bool:
            if not pattern:
                return not name
            if pattern[0] in "*%":
                if tries(pattern[1:], name):
                    return True
                within = name and (pattern[0] == "*" or name[0] != "/")
                return bool(within and tries(pattern, name[1:]))
            return name[:1] == pattern[0] and tries(pattern[1:], name[1:])

        self.assertEqual(tries(pattern, name), Pattern(pattern).matches(name))

    def test_linear(self) -> None:
        """
        A pattern made to explode takes no time (DS4).
        """
        pattern = Pattern("*a%" * 1000 + "b")
        began = time.process_time()

        self.assertFalse(any(pattern.matches("a" * 200) for _ in range(10)))

        self.assertLess(time.process_time() - began, 1)
