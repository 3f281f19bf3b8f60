"""
OAUTHBEARER and XOAUTH2.
"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import BearerToken
from mailauth.errors import InsufficientScope, InvalidRequest, InvalidToken, Refusal
from mailauth.sasl.mechanism import Challenge
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2, OAuthBearer, XOAuth2, readMessage
from mailauth.scopes import MAIL_SCOPE

DISCOVERY = "https://issuer.test/.well-known/openid-configuration"

TOKENS = st.from_regex(rb"[A-Za-z0-9\-._~+/]+=*", fullmatch=True)
NAMES = st.text(
    st.one_of(st.sampled_from(",=\u00fc2C3D"), st.characters(exclude_categories=["Cs"])),
    min_size=1,
).filter(lambda name: not {"\x00", "\x01"}.intersection(name))


def oauthbearer(token: bytes, name: str | None, *pairs: bytes) -> bytes:
    """
    Build the message of RFC 7628 section 3.1.
    """
    header = b"n,,"
    if name is not None:
        header = b"n,a=%b," % name.replace("=", "=3D").replace(",", "=2C").encode()
    return b"\x01".join((header, *pairs, b"auth=Bearer " + token, b"", b""))


class MessageTests(SynchronousTestCase):
    """
    What is read, and what is not.
    """

    def assertReads(self, token: bytes, authzid: bytes | None, message: bytes) -> None:
        """
        Both mechanisms read the same from the message.
        """
        for mechanism in (OAUTHBEARER, XOAUTH2):
            credentials = mechanism.step((message,))
            assert isinstance(credentials, BearerToken)
            self.assertEqual((token, authzid), (credentials.token, credentials.authzid))
            self.assertIs(None, credentials.context)

    def test_lenient(self) -> None:
        """
        What clients send beside the standard's form is read: without a header, without an
        account, without host and port, with unknown keys, in the other mechanism's style.
        """
        table = [
            (b"alice", b"n,a=alice,\x01host=h\x01port=143\x01auth=Bearer t\x01\x01"),
            (b"alice", b"y,a=alice,\x01auth=Bearer t\x01\x01"),
            (None, b"n,,\x01auth=Bearer t\x01\x01"),
            (None, b"y,,\x01auth=Bearer t\x01\x01"),
            (None, b"auth=Bearer t\x01\x01"),
            (None, b"host=h\x01auth=Bearer t\x01\x01"),
            (None, b"\x01auth=Bearer t\x01\x01"),
            (b"alice", b"user=alice\x01auth=Bearer t\x01\x01"),
            (None, b"user=\x01auth=Bearer t\x01\x01"),
            (b"alice", b"user=alice\x01auth=bEARER   t\x01\x01"),
            (b"alice", b"n,a=alice,\x01future=\t x\r\n\x01auth=Bearer t\x01more=\x01\x01"),
            (b"a,b=c", b"n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01"),
            (b"=2C", b"n,a==3D2C,\x01auth=Bearer t\x01\x01"),
            (b"a,b=c", b"user=a,b=c\x01auth=Bearer t\x01\x01"),
            ("jürgen".encode(), "n,a=jürgen,\x01auth=Bearer t\x01\x01".encode()),
        ]
        for authzid, message in table:
            with self.subTest(message):
                self.assertReads(b"t", authzid, message)

    def test_hostAndPortAreNotCompared(self) -> None:
        """
        A client that reached us under whatever name is served.
        """
        self.assertReads(b"t", b"a", oauthbearer(b"t", "a", b"host=elsewhere.test", b"port=0"))

    def test_strict(self) -> None:
        """
        What leaves a doubt about token, account or end is malformed (SA6).
        """
        table = [
            b"",
            b"\x01",
            b"\x01\x01",
            b"n,,\x01\x01",
            b"n,a=alice,\x01host=h\x01\x01",
            b"n,,\x01auth=Bearer t",
            b"n,,\x01auth=Bearer t\x01",
            b"n,,\x01auth=Bearer t\x01\x01more",
            b"n,,\x01auth=Bearer t\x01\x01\x01",
            b"n,,\x01auth=Bearer t\x01\x01auth=Bearer u\x01\x01",
            b"n,,\x01auth=Bearer t\x01auth=Bearer t\x01\x01",
            b"n,,\x01auth=Bearer t\x01user=bob\x01\x01",
            b"n,a=alice,\x01user=alice\x01auth=Bearer t\x01\x01",
            b"user=alice\x01user=bob\x01auth=Bearer t\x01\x01",
            b"p=tls-unique,,\x01auth=Bearer t\x01\x01",
            b"p=tls-unique,a=alice,\x01auth=Bearer t\x01\x01",
            b"p=tls-unique\x01auth=Bearer t\x01\x01",
            b"a=alice\x01auth=Bearer t\x01\x01",
            b"a=alice,\x01auth=Bearer t\x01\x01",
            b"F,n,,\x01auth=Bearer t\x01\x01",
            b"n,a=,\x01auth=Bearer t\x01\x01",
            b"n,a=al=ice,\x01auth=Bearer t\x01\x01",
            b"n,a=al=2cice,\x01auth=Bearer t\x01\x01",
            b"n,a=alice\x01auth=Bearer t\x01\x01",
            b"n,alice,\x01auth=Bearer t\x01\x01",
            b"n,a=al\x00ice,\x01auth=Bearer t\x01\x01",
            b"user=al\x00ice\x01auth=Bearer t\x01\x01",
            b"n,,\x01auth=Bearer t\x00\x01\x01",
            b"n,,\x01ho st=h\x01auth=Bearer t\x01\x01",
            b"n,,\x01=h\x01auth=Bearer t\x01\x01",
            b"n,,\x01host=\xff\x01auth=Bearer t\x01\x01",
            b"n,,\x01auth=Basic t\x01\x01",
            b"n,,\x01auth=Bearer\x01\x01",
            b"n,,\x01auth=Bearer \x01\x01",
            b"n,,\x01auth=Bearert\x01\x01",
            b"n,,\x01auth=Bearer t u\x01\x01",
            b"n,,\x01auth=Bearer t\n\x01\x01",
            b"n,,\x01auth=Bearer t=u\x01\x01",
            b"n,,\x01auth= Bearer t\x01\x01",
        ]
        for message in table:
            with self.subTest(message):
                self.assertRaises(InvalidRequest, readMessage, message)

    def test_askForScope(self) -> None:
        """
        An empty C{auth} is how a client asks for the scope: C{invalid_token} (RFC 7628 section
        4.3).
        """
        self.assertRaises(InvalidToken, readMessage, b"n,a=alice,\x01auth=\x01\x01")

    @given(TOKENS, st.one_of(st.none(), NAMES))
    def test_readUndoesBuild(self, token: bytes, name: str | None) -> None:
        """
        Whatever name and token a message is built from are read from it.
        """
        credentials = readMessage(oauthbearer(token, name, b"host=h", b"port=143"))

        self.assertEqual(token, credentials.token)
        self.assertEqual(None if name is None else name.encode(), credentials.authzid)

    @given(TOKENS, NAMES)
    def test_readUndoesBuildXOAUTH2(self, token: bytes, name: str) -> None:
        """
        In Google's form too.
        """
        message = b"user=%b\x01auth=Bearer %b\x01\x01" % (name.encode(), token)

        credentials = readMessage(message)

        self.assertEqual((token, name.encode()), (credentials.token, credentials.authzid))

    @given(
        st.one_of(
            st.binary(max_size=200),
            st.lists(
                st.sampled_from(
                    b"n y p=x , a= =2C =3 \x01 \x00 user= auth= Bearer t host=h = \xff".split(b" ")
                ),
                max_size=20,
            ).map(b"".join),
        )
    )
    def test_anyOctets(self, message: bytes) -> None:
        """
        No octets raise anything but the documented refusals (W13).
        """
        try:
            readMessage(message)
        except (InvalidRequest, InvalidToken):
            pass

    def test_noTokenInRepr(self) -> None:
        """
        The token is left out of C{repr}, in credentials and in errors (LG1).
        """
        credentials = readMessage(oauthbearer(b"planted", "alice"))
        error = self.assertRaises(InvalidRequest, readMessage, b"n,,\x01auth=Basic planted\x01\x01")

        self.assertNotIn("planted", repr(credentials))
        self.assertNotIn("planted", f"{error!r} {error} {error.reason} {error.text!r}")


class DocumentTests(SynchronousTestCase):
    """
    What a refused client is told.
    """

    def document(self, mechanism: OAuthBearer | XOAuth2, error: Refusal) -> dict[str, str]:
        """
        The document, which is one line of ASCII.
        """
        content = mechanism.refusal(error, "smtp")
        assert content is not None
        self.assertTrue(content.isascii())
        self.assertNotIn(b"\n", content)
        document = json.loads(content)
        assert isinstance(document, dict)
        return document

    def test_oauthbearer(self) -> None:
        """
        Status, scope and the address of the discovery document; no C{schemes}.
        """
        self.assertEqual(
            {
                "status": "invalid_token",
                "scope": MAIL_SCOPE,
                "openid-configuration": DISCOVERY,
            },
            self.document(OAuthBearer(openidConfiguration=DISCOVERY), InvalidToken()),
        )

    def test_xoauth2(self) -> None:
        """
        The same with a number for the status, and C{schemes}.
        """
        self.assertEqual(
            {
                "status": "403",
                "schemes": "bearer",
                "scope": MAIL_SCOPE,
                "openid-configuration": DISCOVERY,
            },
            self.document(XOAuth2(openidConfiguration=DISCOVERY), InsufficientScope()),
        )

    def test_refusalKnowsBetter(self) -> None:
        """
        The scope and issuer that the refusal names are told instead of the mechanism's own.
        """
        error = InsufficientScope(scope="imap", openidConfiguration="https://other.test/oidc")

        document = self.document(OAuthBearer(openidConfiguration=DISCOVERY), error)

        self.assertEqual("imap", document["scope"])
        self.assertEqual("https://other.test/oidc", document["openid-configuration"])

    def test_withoutDiscovery(self) -> None:
        """
        Where no discovery document is known, none is named.
        """
        self.assertEqual({"status", "scope"}, set(self.document(OAUTHBEARER, InvalidToken())))

    def test_reasonStaysHere(self) -> None:
        """
        The log's reason is not the client's.
        """
        content = OAUTHBEARER.refusal(InvalidToken("revoked by an administrator"), "imap")

        assert content is not None
        self.assertNotIn(b"revoked", content)

    def test_xoauth2Switch(self) -> None:
        """
        C{documentServices} says where XOAUTH2's document is sent.
        """
        everywhere = XOAuth2(documentServices=frozenset({"imap", "pop3", "smtp"}))
        for service in ("imap", "pop3"):
            self.assertIs(None, XOAUTH2.refusal(InvalidToken(), service))
            self.assertIsNot(None, everywhere.refusal(InvalidToken(), service))

    def test_clientSpeaksFirst(self) -> None:
        """
        Before it does, it is asked by an empty challenge.
        """
        for mechanism in (OAUTHBEARER, XOAUTH2):
            self.assertEqual(Challenge(b""), mechanism.step(()))
