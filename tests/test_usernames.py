# ruff: noqa: RUF001  # letters that look like others are what this is about
"""
Login names and account names.
"""

from __future__ import annotations

import unicodedata

from hypothesis import assume, example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import InvalidCredentials
from mailauth.usernames import MAX_OCTETS, canonicalName

ASCII_NAMES = st.from_regex(r"[A-Za-z0-9!#$&'+\-.]{1,20}(@[A-Za-z0-9.\-]{1,20})?", fullmatch=True)
LETTERS = st.characters(categories=["Lu", "Ll", "Lo", "Lm", "Nd", "Mn", "Mc"])
# Few letters of each script, so that two parts often fit together.
WORDS = st.one_of(
    st.text(st.sampled_from("aZ9é̈üßẞΑΣσςıİｂＣｶﾞアנאІѐ"), min_size=1, max_size=8),
    st.text(LETTERS, min_size=1, max_size=4),
)
NAMES = st.one_of(
    ASCII_NAMES,
    WORDS,
    st.builds("{}@{}.test".format, WORDS, WORDS),
    st.text(max_size=30),
)


def canonicalOrNone(name: str | bytes, defaultDomain: str | None = None) -> str | None:
    """
    The canonical form, or C{None} for a name that no account can have.
    """
    try:
        return canonicalName(name, defaultDomain)
    except InvalidCredentials:
        return None


class CanonicalNameTests(SynchronousTestCase):
    """
    L{canonicalName}.
    """

    def assertRefused(self, *names: str | bytes) -> None:
        """
        No account can have any of the names.
        """
        for name in names:
            with self.subTest(name):
                self.assertRaises(InvalidCredentials, canonicalName, name)

    def assertCanonical(self, expected: str, *names: str | bytes) -> None:
        """
        All of the names are spellings of one.
        """
        for name in names:
            with self.subTest(name):
                self.assertEqual(expected, canonicalName(name))

    def test_ordinary(self) -> None:
        """
        An ordinary address in any case is itself in lower case.
        """
        self.assertCanonical(
            "alice@example.test", "alice@example.test", b"Alice@EXAMPLE.Test", "ALICE@example.test"
        )
        self.assertCanonical("alice", "alice", "ALICE", b"Alice")
        self.assertCanonical("+@xn--mnchen-3ya.test", "+@münchen.test")
        self.assertCanonical("o'brien+lists.x=1@a-b.test", "O'Brien+lists.X=1@A-B.test")

    def test_width(self) -> None:
        """
        Full-width letters, signs and dots, and half-width katakana, are the ordinary ones (SA9).
        """
        self.assertCanonical("alice@example.test", "ＡＬＩＣＥ＠ｅｘａｍｐｌｅ．ｔｅｓｔ")
        self.assertCanonical("ガ", "ｶﾞ", "カ\u3099", "ガ")

    def test_composition(self) -> None:
        """
        A letter and its accent are one letter (SA9).
        """
        self.assertCanonical("rené@example.test", "rene\u0301@example.test", "RENÉ@example.test")
        self.assertCanonical("ω", "\u2126", "Ω", "ω")

    def test_caseOfOtherAlphabets(self) -> None:
        """
        Lower case is Unicode's, not a language's: the dotless i stays another letter, and the
        sharp s is no double s.
        """
        self.assertCanonical("ß", "ß", "ẞ")
        self.assertCanonical("ı", "ı")
        self.assertCanonical("i", "I")
        self.assertCanonical("i\u0307", "İ")
        self.assertCanonical("иван", "ИВАН", "Иван")

    def test_domains(self) -> None:
        """
        A domain is written in A-labels, however it was typed (RFC 5891, SA9).
        """
        self.assertCanonical(
            "a@xn--mnchen-3ya.test",
            "a@münchen.test",
            "a@MÜNCHEN.test",
            "a@mu\u0308nchen.test",
            "a@xn--mnchen-3ya.test",
            "A@XN--MNCHEN-3YA.TEST",
            "a@mün\u00adchen.test",
            "a@münchen。test",
        )
        self.assertCanonical("a@" + "x" * 63 + ".test", "a@" + "X" * 63 + ".test")
        self.assertCanonical("a@127.0.0.1", "a@127.0.0.1")

    def test_impossibleDomains(self) -> None:
        """
        What is no domain is refused, and so is a second spelling of one by a dot at its end.
        """
        self.assertRefused(
            "a@",
            "a@.",
            "a@.test",
            "a@example..test",
            "a@example.test.",
            "a@münchen.test.",
            "a@example.test。",
            "a@-a.test",
            "a@a-.test",
            "a@ab--c.test",
            "a@a_b.test",
            "a@" + "x" * 64 + ".test",
            "a@" + "ü" * 60 + ".test",
            "a@" + "xx." * 84 + "xxxx",
            "a@xn--zzzz.test",
            "a@xn--.test",
            "a@xn---bbk.test",
            "a@☃.test",
            "a@[127.0.0.1]",
            "a@b@c.test",
            "a@@b.test",
            "a@b c.test",
            "a@\u0301.test",
        )

    def test_impossibleLocalParts(self) -> None:
        """
        A local part is atoms with dots between (RFC 5321 section 4.1.2).
        """
        self.assertRefused("", b"", "@", "@example.test", ".", "..", ".a", "a.", "a..b", "../a@b.c")

    def test_signs(self) -> None:
        """
        Signs that other systems give a meaning to are in no name, however they are typed (SA8).
        """
        for sign in '*%"(),:;<>[\\] \t＊％＂':
            self.assertRefused(f"a{sign}b", f"alice{sign}master@example.test")

    def test_unseen(self) -> None:
        """
        What cannot be seen is in no name: controls, spaces, joiners, marks of direction,
        variation selectors, fillers (SA9, SA10, W18).
        """
        unseen = (
            "\x00\x01\t\r\n\x1f\x7f\x80\x85\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e"
            "\u2000\u200b\u200c\u200d\u200e\u202e\u2028\u2060\u2066\u3000\u3164\ufe0f\ufeff\uffa0"
            "\ufff9\U000e0001\U000e0100"
        )
        for character in unseen:
            self.assertRefused(
                f"al{character}ice", f"alice{character}", f"{character}@example.test"
            )
        # Between these two letters RFC 5892 takes the joiner in a domain.
        self.assertRefused("\u0915\u094d\u200d\u0937")

    def test_noLetters(self) -> None:
        """
        Pictures, ligatures, and letters that are another letter's other form are in no name.
        """
        self.assertRefused("😀", "a\u20e3", "ﬁ", "ſ", "①", "ª", "℀", "𝐚", "\ue000", "\u0378")

    def test_directions(self) -> None:
        """
        A name from right to left does not mix directions (RFC 5893).
        """
        self.assertCanonical("שלום", "שלום")
        self.assertRefused("שלוםa", "aשלום")

    def test_notUTF8(self) -> None:
        """
        Octets that are no UTF-8, and lone surrogates, are refused like a wrong password (SA10).
        """
        self.assertRefused(b"\xff", b"al\xc0\xafice", b"\xed\xa0\x80", "\ud800", "a@\ud800.test")

    def test_tooLong(self) -> None:
        """
        A name over 320 octets is refused, whatever makes it so long (SA10).
        """
        longest = "a" * 200 + "." + "a" * (MAX_OCTETS - 201 - len("@b.test"))

        self.assertCanonical(longest + "@b.test", longest + "@b.test")
        self.assertRefused(longest + "a@b.test", b"a" * 100_000, "ü" * 161, "ü" * 200)
        self.assertRaises(InvalidCredentials, canonicalName, longest, "bb.test")

    def test_defaultDomain(self) -> None:
        """
        A name without a domain gets the default one; one with a domain keeps its own.
        """
        self.assertEqual("alice@example.test", canonicalName("Alice", "example.test"))
        self.assertEqual("alice@other.test", canonicalName("Alice@other.test", "example.test"))

    def test_oneAnswer(self) -> None:
        """
        The refusal says what is said of a wrong password, and does not repeat the name (SA10,
        PW6).
        """
        for name in ("a b", b"\xff", "planted@b@c", "planted" * 100):
            error = self.assertRaises(InvalidCredentials, canonicalName, name)

            self.assertEqual(InvalidCredentials().text, error.text)
            self.assertNotIn("planted", f"{error!r} {error.reason}")

    @given(NAMES)
    @example("ΑΣ@ΑΣ.test")
    def test_stable(self, name: str) -> None:
        """
        A canonical name is its own canonical form (SA9).
        """
        once = canonicalOrNone(name, "example.test")
        assume(once is not None)
        assert once is not None

        self.assertEqual(once, canonicalName(once, "example.test"))
        self.assertEqual(once, canonicalName(once.encode()))

    @given(NAMES)
    def test_spellingsMeet(self, name: str) -> None:
        """
        A name in lower case, decomposed, composed or in octets is the same name, or refused as
        well (SA9).
        """
        expected = canonicalOrNone(name)

        self.assertEqual(expected, canonicalOrNone(name.lower()))
        self.assertEqual(expected, canonicalOrNone(unicodedata.normalize("NFC", name)))
        self.assertEqual(expected, canonicalOrNone(unicodedata.normalize("NFD", name)))
        self.assertEqual(expected, canonicalOrNone(name.encode("utf-8", "surrogatepass")))

    @given(ASCII_NAMES)
    def test_caseOfASCII(self, name: str) -> None:
        """
        The case of ASCII letters never matters.
        """
        expected = canonicalOrNone(name)

        self.assertEqual(expected, canonicalOrNone(name.upper()))
        self.assertEqual(expected, canonicalOrNone(name.swapcase()))

    @given(NAMES)
    def test_shape(self, name: str) -> None:
        """
        Every canonical name is lower case, composed, of characters that can be seen, with at
        most one @ and an ASCII domain behind it (SA9, W18).
        """
        canonical = canonicalOrNone(name)
        assume(canonical is not None)
        assert canonical is not None
        _, _, domain = canonical.partition("@")

        self.assertEqual(canonical, canonical.lower())
        self.assertTrue(unicodedata.is_normalized("NFC", canonical))
        self.assertTrue(domain.isascii())
        self.assertLessEqual(canonical.count("@"), 1)
        self.assertLessEqual(len(canonical.encode()), MAX_OCTETS)
        for character in canonical:
            self.assertNotIn(unicodedata.category(character)[0], "CZ")

    @given(st.binary(max_size=400))
    def test_anyOctets(self, name: bytes) -> None:
        """
        No octets raise anything but the refusal (W13).
        """
        canonicalOrNone(name)
