"""
Tests for L{mailauth.oauth.requests}.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote_plus, urlencode

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.requests import (
    MAX_FIELDS,
    MAX_OCTETS,
    MAX_SCOPE,
    Form,
    narrowedScope,
    parseForm,
    requestedScope,
)
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import KNOWN_SCOPES, MAIL_SCOPE, formatScope

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
FIELDS = st.dictionaries(VALUES.filter(lambda name: name != "resource"), VALUES, max_size=8)


class FormTests(SynchronousTestCase):
    """
    What was read.
    """

    def test_mapping(self) -> None:
        """
        It is a mapping of the parameters, which are there or missing.
        """
        form = parseForm(b"grant_type=refresh_token&client_id=a")

        self.assertEqual({"grant_type": "refresh_token", "client_id": "a"}, dict(form))
        self.assertEqual(2, len(form))
        self.assertEqual("a", form.required("client_id"))
        self.assertIs(None, form.get("scope"))

    def test_missing(self) -> None:
        """
        What is required and missing is named.
        """
        error = self.assertRaises(OAuthError, Form({}).required, "client_id")

        self.assertEqual("invalid_request", error.code)
        self.assertIn("client_id", error.description)

    def test_repr(self) -> None:
        """
        Its repr names the parameters and shows none of the values (LG1).
        """
        form = parseForm(b"password=hunter2&client_id=a&resource=imap://hunter2")

        self.assertEqual("<Form client_id password>", repr(form))


class ParseTests(SynchronousTestCase):
    """
    How it is read.
    """

    def assertRefused(self, octets: bytes) -> None:
        """
        It is an invalid request, and the answer repeats nothing of it.
        """
        error = self.assertRaises(OAuthError, parseForm, octets)
        self.assertEqual("invalid_request", error.code)
        self.assertNotIn("secret", error.description)
        self.assertNotIn("secret", error.reason)

    def test_encoding(self) -> None:
        """
        RFC 6749 appendix B: UTF-8, then C{application/x-www-form-urlencoded}.
        """
        self.assertEqual(
            {"a": " %&+\u00a3\u20ac", "b c": "d=e"},
            dict(parseForm(b"a=+%25%26%2B%C2%A3%E2%82%AC&b+c=d=e")),
        )

    def test_nothing(self) -> None:
        """
        What has no value was not sent (RFC 6749 section 3.1); nor was what has no name.
        """
        for octets in (b"", b"&", b"&&&", b"a", b"a=", b"a=&a=", b"=a", b"="):
            self.assertEqual({}, dict(parseForm(octets)), octets)
        self.assertEqual({"a": "1"}, dict(parseForm(b"a=&a=1&a=")))

    def test_repeats(self) -> None:
        """
        A parameter may be there once, however it is spelled (OA15; O 37, O 65).
        """
        for octets in (
            b"secret=1&secret=2",
            b"secret=1&secret=1",
            b"secret=1&b=2&secret=3",
            b"secret=1&%73ecret=2",
            b"client_id=a&client_id=b",
        ):
            self.assertRefused(octets)

    def test_resources(self) -> None:
        """
        Of C{resource} there may be several, and their order is kept (RFC 8707 section 2).
        """
        form = parseForm(b"resource=imap://a&a=1&resource=smtp://a&resource=")

        self.assertEqual(("imap://a", "smtp://a"), form.resources)
        self.assertNotIn("resource", form)

    def test_characters(self) -> None:
        """
        What is no UTF-8 or has a NUL in it is refused, in a name and in a value (O 65).
        """
        for part in (b"%00", b"\0", b"\xfc", b"%FC", b"%C3", b"%ED%A0%80", b"%C0%80", b"%FF"):
            self.assertRefused(b"secret=" + part)
            self.assertRefused(b"secret" + part + b"=1")

    def test_size(self) -> None:
        """
        16 KiB and 50 parameters are read, and no more; a megabyte is not even looked at (DS10;
        O 65).
        """
        parseForm(b"a=" + b"x" * (MAX_OCTETS - 2))
        self.assertRefused(b"a=" + b"x" * (MAX_OCTETS - 1))
        self.assertRefused(b"a=" + b"x" * 2**20)
        fields = [b"%d=1" % number for number in range(MAX_FIELDS)]
        parseForm(b"&".join(fields))
        self.assertRefused(b"&".join([*fields, b"x=1"]))
        self.assertRefused(b"&" * MAX_FIELDS)

    def test_otherSyntax(self) -> None:
        """
        JSON is no form: whatever it reads as, it has none of the parameters (O 65).
        """
        self.assertNotIn("grant_type", parseForm(b'{"grant_type": "refresh_token"}'))

    @given(st.binary() | st.text(alphabet="a=&%0C3+").map(str.encode))
    @example(b"%")
    def test_anyOctets(self, octets: bytes) -> None:
        """
        Whatever comes is a form or an invalid request (O 65).
        """
        try:
            form = parseForm(octets)
        except OAuthError as error:
            self.assertEqual("invalid_request", error.code)
            return
        self.assertTrue(all(name and value for name, value in form.items()))

    @given(FIELDS, st.lists(VALUES, max_size=3))
    def test_parseUndoesEncode(self, fields: dict[str, str], resources: list[str]) -> None:
        """
        A form that was written as RFC 6749 appendix B says reads the same.
        """
        pairs = [*fields.items(), *(("resource", each) for each in resources)]

        form = parseForm(urlencode(pairs, quote_via=quote_plus).encode("ascii"))

        self.assertEqual(fields, dict(form))
        self.assertEqual(tuple(resources), form.resources)


class ScopeTests(SynchronousTestCase):
    """
    What a client asks for.
    """

    SMALL = frozenset({"imap", "imap:read", "offline_access"})

    # "imap" with something that is never a scope.
    UNKNOWN = ("imap IMAP", "imap https://mail.google.com/", "imap smtp:read", "imap 0")
    MALFORMED = (
        "",
        " ",
        "imap ",
        " imap",
        "imap  smtp",
        "imap\tsmtp",
        "imap,smtp",
        'imap "smtp"',
        "imap\\",
        "im\u00e4p",
        "imap\n",
        "x" * (MAX_SCOPE + 1),
        "imap " * MAX_SCOPE + "imap",
    )

    def assertRefused(self, ask: Callable[[str, frozenset[str]], object], text: str) -> None:
        """
        It is no scope for anybody.
        """
        for allowed in (self.SMALL, KNOWN_SCOPES):
            with self.subTest(text):
                error = self.assertRaises(OAuthError, ask, text, allowed)
                self.assertEqual("invalid_scope", error.code)

    def test_default(self) -> None:
        """
        Who does not say asks for mail, or for whatever he may ask for if that is not in it.
        """
        self.assertEqual({MAIL_SCOPE}, requestedScope(None, KNOWN_SCOPES))
        self.assertEqual(self.SMALL, requestedScope(None, self.SMALL))
        self.assertEqual(set(), requestedScope(None, frozenset()))

    def test_all(self) -> None:
        """
        Everything that there is can be asked for, in any order, repeated or not (O 43).
        """
        self.assertEqual(KNOWN_SCOPES, requestedScope(formatScope(KNOWN_SCOPES), KNOWN_SCOPES))
        self.assertEqual(
            {"imap", "offline_access"},
            requestedScope("offline_access imap imap offline_access", self.SMALL),
        )

    def test_refused(self) -> None:
        """
        What is unknown, malformed or huge is refused, and nothing is dropped in silence (O 43).
        """
        for text in (*self.UNKNOWN, *self.MALFORMED):
            self.assertRefused(requestedScope, text)
            self.assertRefused(narrowedScope, text)

    def test_notAllowed(self) -> None:
        """
        A client does not get what others may ask for.
        """
        for text in ("smtp", "imap smtp", MAIL_SCOPE):
            error = self.assertRaises(OAuthError, requestedScope, text, self.SMALL)
            self.assertEqual("invalid_scope", error.code)
        self.assertRaises(OAuthError, requestedScope, "imap", frozenset())

    def test_narrowed(self) -> None:
        """
        A refresh token gives what was granted, or less of it, never more (OA14; O 66).
        """
        self.assertEqual(self.SMALL, narrowedScope(None, self.SMALL))
        self.assertEqual({"imap:read"}, narrowedScope("imap:read", self.SMALL))
        self.assertEqual(self.SMALL, narrowedScope(formatScope(self.SMALL), self.SMALL))
        for text in ("smtp", "imap smtp", MAIL_SCOPE):
            error = self.assertRaises(OAuthError, narrowedScope, text, self.SMALL)
            self.assertEqual("invalid_scope", error.code)
