"""
email-oauth2-proxy between curl, which is told no more than an ordinary login, and the service.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from . import ALICE, BOB
from .attempts import CURL_REFUSED
from .demo import DemoTestCase, serve
from .emailproxy import EmailProxy, configuration
from .person import Person
from .ports import freePort
from .programs import Finished, need

MESSAGE = b"Subject: Hello\r\n\r\nHello Bob.\r\n"

_LIFETIME = 300
"""
Of access tokens, in seconds. The proxy uses none that lives for less than ten minutes from now, so
it fetches another for each login.
"""

_CODE = """
permission_url = {issuer}/authorize
use_pkce = True
redirect_uri = http://localhost:{port}
"""

_DEVICE = """
permission_url = {issuer}/device_authorization
oauth2_flow = device
redirect_uri = http://localhost
"""


class EmailProxyTests(DemoTestCase):
    """
    Each of them with a proxy of its own.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("curl")
        super().setUp()
        self.demo.stop()
        self.demo = serve(self.demo, f"access_token_lifetime = {_LIFETIME}")
        self.addCleanup(self.demo.stop)
        self.person = Person(self.demo)
        self.threads = ThreadPoolExecutor()
        self.addCleanup(self.threads.shutdown)

    def startProxy(self, text: str) -> None:
        """
        Start it.

        @param text: its configuration.
        """
        self.proxy = EmailProxy(self.demo, self.directory, text)
        self.addCleanup(self.proxy.end)

    def addAndStart(self, flow: str, *options: str) -> None:
        """
        Start it, as a client that the administrator added.

        @param options: what he said about it.
        """
        self.demo.command("client", "add", "--id", "emailproxy", *options)
        self.startProxy(configuration(self.demo, flow))

    def readWhile(self, act: Callable[[str], object]) -> Finished:
        """
        Let curl read a message, for which somebody has to do something.

        @param act: what he does with the address that the proxy shows.
        """
        reading = self.threads.submit(self.proxy.read)
        act(self.proxy.awaitAddress())
        return reading.result()

    def assertWorks(self) -> None:
        """
        Alice's mail is read, and some is sent to bob.
        """
        [welcome] = self.inbox(ALICE)
        before = len(self.inbox(BOB))
        message = self.directory / "hello.eml"
        message.write_bytes(MESSAGE)

        self.assertEqual(Finished(0, welcome, b""), self.proxy.read())
        self.assertEqual(0, self.proxy.send(message).status)
        [received] = self.inbox(BOB)[before:]
        self.assertTrue(received.endswith(MESSAGE))

    def test_code(self) -> None:
        """
        At the first login somebody signs in with a browser, and is asked no more, although each
        login needs a new access token.
        """
        port = freePort()
        flow = _CODE.format(issuer=self.demo.issuer, port=port)
        self.addAndStart(flow, "--redirect", f"http://localhost:{port}")
        [welcome] = self.inbox(ALICE)

        def allow(address: str) -> None:
            self.person.visit(self.person.answer(address))

        self.assertEqual(Finished(0, welcome, b""), self.readWhile(allow))
        tokens = self.proxy.path.read_text()
        self.assertWorks()
        self.assertNotEqual(tokens, self.proxy.path.read_text())

    def test_setup(self) -> None:
        """
        What the set-up page gives does the same, and nobody had to add a client. Only the ports are
        others here, which somebody else may have, and the mail host, which not every system knows.
        """
        address = f"{self.demo.issuer}/setup/email-oauth2-proxy.ini?emailaddress={ALICE}"
        text = self.person.visit(address).body.decode("utf-8")
        port = freePort()
        for given, taken in (
            ("IMAP-2993", f"IMAP-{freePort()}"),
            ("SMTP-2465", f"SMTP-{freePort()}"),
        ):
            self.assertEqual(1, text.count(given))
            text = text.replace(given, taken)
        text = text.replace("server_address = mail.localhost", "server_address = localhost")
        self.startProxy(f"{text}redirect_listen_address = http://localhost:{port}\n")
        [welcome] = self.inbox(ALICE)

        def allow(address: str) -> None:
            location = self.person.answer(address)
            self.assertTrue(location.startswith("http://localhost:8765?"), location)
            self.person.visit(location.replace(":8765", f":{port}"))

        self.assertEqual(Finished(0, welcome, b""), self.readWhile(allow))
        self.assertWorks()

    def test_device(self) -> None:
        """
        The same by the code that the proxy shows: it asks by GET, as no other does. Once the
        administrator ends what was allowed, the proxy shows another code, and whoever says no then
        gets no mail.
        """
        grants = ("--grant", "device_code", "--grant", "refresh_token")
        self.addAndStart(_DEVICE.format(issuer=self.demo.issuer), *grants)
        [welcome] = self.inbox(ALICE)

        def deny(address: str) -> None:
            self.person.connect(address, "deny")

        self.assertEqual(Finished(0, welcome, b""), self.readWhile(self.person.connect))
        self.assertWorks()

        listed = self.demo.command("session", "list", ALICE)
        [application] = [each for each in listed if each["kind"] == "application"]
        self.assertEqual("emailproxy", application["program"])
        self.demo.command("session", "end", application["id"])

        self.assertEqual(CURL_REFUSED, self.readWhile(deny).status)
