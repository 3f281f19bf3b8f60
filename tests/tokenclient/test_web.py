"""
Tests of the bounds of a request.
"""

from __future__ import annotations

from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.failures import NoAnswer, Outage, Refusal
from mailauth.tokenclient.web import MAX_OCTETS, PATIENCE, Web, isHTTPS

from ..server.deployment import makeDirectory
from .otherserver import OtherServer, Said, inJSON


class WebTests(SynchronousTestCase):
    """
    Servers that are not what they should be.
    """

    def setUp(self) -> None:
        """
        One of them.
        """
        self.server = OtherServer(makeDirectory(self))
        self.addCleanup(self.server.close)
        self.web = Web(self.server.authority)

    def test_redirect(self) -> None:
        """
        A redirect is an answer like any other, and leads nowhere.
        """
        headers = (("Location", f"{self.server.issuer}/elsewhere"),)
        self.server.answers["/a"] = [Said(302, b"", headers)]
        self.server.answers["/elsewhere"] = [inJSON({})]

        self.assertEqual(302, self.web.get(f"{self.server.issuer}/a").status)

    def test_tooLarge(self) -> None:
        """
        An answer without an end is not read to its end; one of the largest size is.
        """
        self.server.answers["/a"] = [Said(200, b"a" * MAX_OCTETS), Said(200, b"a" * 10_000_000)]

        self.assertEqual(MAX_OCTETS, len(self.web.get(f"{self.server.issuer}/a").body))
        self.assertRaises(Outage, self.web.get, f"{self.server.issuer}/a")

    def test_slow(self) -> None:
        """
        Nor is one waited for that comes octet by octet.
        """
        self.server.answers["/a"] = [Said(200, b"", slowly=True)]
        began = monotonic()

        error = self.assertRaises(NoAnswer, self.web.get, f"{self.server.issuer}/a")

        self.assertIn("it took too long", str(error))
        self.assertGreaterEqual(monotonic() - began, PATIENCE - 0.1)

    def test_untrusted(self) -> None:
        """
        A server with a certificate of others is told nothing.
        """
        error = self.assertRaises(Outage, Web().post, f"{self.server.issuer}/a", {"secret": "s"})

        self.assertIn("a certificate that is not trusted here", str(error))
        self.assertEqual([], self.server.forms)

    def test_authority(self) -> None:
        """
        A file without certificates is a mistake that is named.
        """
        path = makeDirectory(self) / "ca.pem"
        self.assertRaises(Refusal, Web, str(path))
        path.write_text("no certificate")
        self.assertRaises(Refusal, Web, str(path))

    def test_unprintable(self) -> None:
        """
        What fails does not write to the terminal what it likes (LG2), and quotes no secret.
        """
        error = self.assertRaises(
            Outage, self.web.post, "https://localhost:1/\x1b[2J", {"secret": "12345"}
        )

        self.assertTrue(str(error).isprintable())
        self.assertNotIn("12345", str(error))

    def test_isHTTPS(self) -> None:
        """
        What is called is https, and all of it is what it looks like.
        """
        for good in ("https://a.example", "https://a.example:8443/b?c=d", "https://[::1]/"):
            self.assertTrue(isHTTPS(good), good)
        for bad in (
            *("http://a.example", "file:///etc/passwd", "https://", "https:///b", "a.example"),
            *("https://a.example@b.example/", "https://a.example/#c", "https://a.example/ b"),
            *("https://a.example/\n", "https://ä.example/", "https://a.example:99999/", "", None),
        ):
            self.assertFalse(isHTTPS(bad), bad)
