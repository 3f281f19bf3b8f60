"""
The command against the service, with somebody who signs in on its pages.
"""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import gethostname
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import ProxyHandler, build_opener

from mailauth.server.certificates import makeCertificates

from ..interop import ALICE, BOB
from ..interop.attempts import Outcome, python
from ..interop.demo import DemoTestCase, serve, startDemo
from ..interop.person import Person
from ..interop.programs import Finished, eventually
from .proxies import Proxy
from .terminal import Running, Terminal

UNAVAILABLE = 75

_LIFETIME = 900


class CommandTestCase(DemoTestCase):
    """
    Alice at her terminal.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        super().setUp()
        self.person = Person(self.demo)
        self.terminal = Terminal(self.directory)
        self.login: tuple[str, ...] = (
            *("login", ALICE, "--issuer", self.demo.issuer),
            *("--ca-file", self.demo.authority),
        )

    def begin(self, *options: str) -> Running:
        """
        Begin to sign in.
        """
        return self.terminal.begin(*self.login, *options)

    def signIn(self, *options: str, decision: str = "allow") -> Finished:
        """
        Sign in with a browser.

        @param decision: what alice says to it.
        """
        running = self.begin(*options)
        self.person.visit(self.person.answer(running.awaitAddress(), decision))
        return running.end()

    def applications(self, name: str = ALICE) -> list[str]:
        """
        The programs that have access.
        """
        listed = self.demo.command("session", "list", name)
        return [each["program"] for each in listed if each["kind"] == "application"]

    def endAccess(self) -> None:
        """
        Let the administrator end it.
        """
        for each in self.demo.command("session", "list", ALICE):
            if each["kind"] == "application":
                self.demo.command("session", "end", each["id"])

    def assertReads(self, token: str) -> None:
        """
        The token opens alice's mailbox.
        """
        [welcome] = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "OAUTHBEARER", token)))


class SignInTests(CommandTestCase):
    """
    Signing in with a browser on this computer.
    """

    def test_browser(self) -> None:
        """
        It registers itself, opens the browser, and says in the end where it keeps what it got: in
        files that nobody else can read. From then on it prints a token that opens the mailbox, the
        same one while it is good.
        """
        asked = self.directory / "asked"
        browser = self.directory / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" >{asked}.new && mv {asked}.new {asked}\n')
        browser.chmod(0o700)
        self.terminal.environment["BROWSER"] = f"{browser} %s &"

        running = self.begin()
        address = running.awaitAddress()
        eventually(asked.exists)
        self.assertEqual(address, asked.read_text())
        back = self.person.visit(self.person.answer(address))
        finished = running.end()

        path = self.terminal.state / f"{ALICE}.json"
        self.assertEqual("Go back to the terminal", back.heading)
        self.assertEqual("no-store", back.headers["cache-control"])
        self.assertEqual("no-referrer", back.headers["referrer-policy"])
        self.assertEqual((0, b""), (finished.status, finished.output))
        self.assertIn(f"You are signed in as {ALICE}. It is kept in {path}.", str(finished.errors))
        self.assertEqual(0o700, stat.S_IMODE(self.terminal.state.stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        registered = self.demo.command("client", "show", self.terminal.kept(ALICE)["clientId"])
        self.assertEqual(f"mailauth-token ({gethostname()})", registered["client_name"])
        token = self.terminal.token(ALICE)
        self.assertReads(token)
        self.assertEqual(token, self.terminal.token(ALICE.title()))
        listed = self.terminal.run("list").output.decode()
        self.assertEqual(f"{ALICE}  {self.demo.issuer}  kept in the file\n", listed)

    def test_secrets(self) -> None:
        """
        What it says while it signs in holds none of the secrets, and what it asks for is what a
        program without a secret of its own has to ask for.
        """
        running = self.begin("--no-browser")
        address = running.awaitAddress()
        self.person.visit(self.person.answer(address))
        finished = running.end()

        asked = dict(parse_qsl(urlsplit(address).query))
        kept = self.terminal.kept(ALICE)
        self.assertEqual("S256", asked["code_challenge_method"])
        self.assertEqual(ALICE, asked["login_hint"])
        self.assertEqual("urn:ietf:params:oauth:scope:mail offline_access", asked["scope"])
        self.assertRegex(asked["redirect_uri"], r"\Ahttp://127\.0\.0\.1:[0-9]+/callback\Z")
        self.assertGreaterEqual(len(asked["state"]), 43)
        for name in ("refreshToken", "accessToken"):
            self.assertNotIn(kept[name].encode(), finished.errors + finished.output)

    def test_denied(self) -> None:
        """
        Whoever says no has signed nobody in.
        """
        finished = self.signIn(decision="deny")

        self.assertEqual((1, b""), (finished.status, finished.output))
        self.assertIn(b"Nothing was allowed.", finished.errors)
        finished = self.terminal.run(ALICE)
        said = f"You are not signed in as {ALICE}. Sign in with: mailauth-token login {ALICE}\n"
        self.assertEqual(Finished(1, b"", said.encode()), finished)

    def test_another(self) -> None:
        """
        Somebody else was signed in in the browser: that is not taken, and the access is given
        back.
        """
        self.person = Person(self.demo, BOB)

        finished = self.signIn()

        self.assertEqual(1, finished.status)
        self.assertIn(f"You signed in as {BOB}, and not as {ALICE}.".encode(), finished.errors)
        self.assertEqual([], self.applications(BOB))
        self.assertEqual(b"", self.terminal.run("list").output)

    def test_forged(self) -> None:
        """
        What comes to its listener without the state, or to another place, or says something twice,
        ends nothing and is told nothing; what has the state, but comes from another issuer or from
        none, ends it (RFC 9207).
        """
        opener = build_opener(ProxyHandler({}))
        for issuer in ("https://evil.example", None):
            running = self.begin()
            asked = dict(parse_qsl(urlsplit(running.awaitAddress()).query))
            callback, state = asked["redirect_uri"], asked["state"]
            for forged in (
                "?code=c&state=wrong",
                "?code=c",
                f"?code=c&code=d&state={state}",
                f"/other?code=c&state={state}",
            ):
                with self.assertRaises(HTTPError) as caught:
                    opener.open(callback + forged)
                self.assertEqual(404, caught.exception.code)
                self.assertIn(b"Nobody waits for this", caught.exception.read())

            said = {"code": "c", "state": state, **({} if issuer is None else {"iss": issuer})}
            opener.open(f"{callback}?{urlencode(said)}").close()
            finished = running.end()

            self.assertEqual(1, finished.status)
            self.assertIn(b"The browser came back from another server", finished.errors)

    def test_clientId(self) -> None:
        """
        It is the client that it is told to be; one that the server does not know signs nobody in.
        """
        redirect = "http://127.0.0.1/callback"
        self.demo.command("client", "add", "--id", "ours", "--name", "ours", "--redirect", redirect)

        self.assertEqual(0, self.signIn("--client-id", "ours").status)

        self.assertEqual(["ours"], self.applications())
        self.assertReads(self.terminal.token(ALICE))

    def test_again(self) -> None:
        """
        Whoever signs in again has ended what was before.
        """
        self.signIn()
        first = self.terminal.token(ALICE)

        self.signIn()

        self.assertEqual(1, len(self.applications()))
        self.assertReads(self.terminal.token(ALICE))
        refused = python(self.attempt("imaps", "OAUTHBEARER", first))
        self.assertIsNotNone(refused.refusal)

    def test_otherAuthority(self) -> None:
        """
        Whoever signs in again with other certificates to trust, because those that he had are
        gone, is signed in: that the former access cannot be ended any more keeps nobody out.
        """
        former = self.directory / "former.pem"
        former.write_bytes(Path(self.demo.authority).read_bytes())
        running = self.terminal.begin(
            *("login", ALICE, "--issuer", self.demo.issuer, "--ca-file", str(former))
        )
        self.person.visit(self.person.answer(running.awaitAddress()))
        running.end()
        former.unlink()

        finished = self.signIn()

        self.assertEqual(0, finished.status, finished.errors)
        self.assertReads(self.terminal.token(ALICE))


class DiscoveryTests(CommandTestCase):
    """
    Nobody says where the authorization server is.
    """

    def setUp(self) -> None:
        """
        A demo whose certificate names the hosts of the domain, too.
        """
        super().setUp()
        self.demo.stop()
        names = ("ua-auto-config.example.test", "autoconfig.example.test", "localhost", "127.0.0.1")
        again = self.directory / "again"
        again.mkdir()
        makeCertificates(again, names)
        self.demo = startDemo(again)
        self.addCleanup(self.demo.stop)
        self.person = Person(self.demo)

    def test_found(self) -> None:
        """
        The address is enough: PACC tells the issuer, or else Mozilla's autoconfig does.
        """
        port = self.demo.ports["https"]
        for host in ("ua-auto-config.example.test", "autoconfig.example.test"):
            proxy = Proxy({host: port, "localhost": port})
            self.addCleanup(proxy.close)
            self.terminal.environment.update(https_proxy=proxy.address, no_proxy="")
            self.login = ("login", ALICE, "--ca-file", self.demo.authority)

            self.assertEqual(0, self.signIn().status)

            self.assertEqual("ua-auto-config.example.test", proxy.asked[0])
            self.assertIn(host, proxy.asked)
            self.assertEqual(self.demo.issuer, self.terminal.kept(ALICE)["issuer"])
            self.assertReads(self.terminal.token(ALICE))

    def test_unknown(self) -> None:
        """
        A domain that does not say so is told from one that cannot be a domain.
        """
        proxy = Proxy({})
        self.addCleanup(proxy.close)
        self.terminal.environment.update(https_proxy=proxy.address, no_proxy="")

        finished = self.terminal.run("login", ALICE)
        impossible = self.terminal.run("login", "alice@-.test")

        self.assertEqual(1, finished.status)
        self.assertIn(b"does not say where its people sign in", finished.errors)
        self.assertIn(b"--issuer https://", finished.errors)
        self.assertEqual(4, len(proxy.asked))
        self.assertEqual(Finished(1, b"", b"-.test is not a domain.\n"), impossible)

    def test_untrusted(self) -> None:
        """
        A certificate that the system does not trust is none, and it is said what to do.
        """
        finished = self.terminal.run("login", ALICE, "--issuer", self.demo.issuer)

        self.assertEqual(UNAVAILABLE, finished.status)
        self.assertIn(b"has a certificate that is not trusted here", finished.errors)
        self.assertIn(b"--ca-file FILE", finished.errors)


class RefreshTests(CommandTestCase):
    """
    The token is over.
    """

    def setUp(self) -> None:
        """
        Sign in.
        """
        super().setUp()
        self.assertEqual(0, self.signIn().status)
        self.first = self.terminal.kept(ALICE)

    def test_refreshed(self) -> None:
        """
        In its last minute it gets another, and keeps the rotated refresh token.
        """
        self.terminal.age(ALICE, _LIFETIME - 200)
        same = self.terminal.token(ALICE)
        self.terminal.age(ALICE, 150)

        token = self.terminal.token(ALICE)

        self.assertEqual(self.first["accessToken"], same)
        self.assertNotEqual(self.first["accessToken"], token)
        self.assertNotEqual(self.first["refreshToken"], self.terminal.kept(ALICE)["refreshToken"])
        self.assertReads(token)

    def test_setBack(self) -> None:
        """
        A token from the future says nothing about its age: it gets another.
        """
        self.terminal.age(ALICE, -3600)

        self.assertNotEqual(self.first["accessToken"], self.terminal.token(ALICE))

    def test_together(self) -> None:
        """
        Several programs that come at once get one token, and the refresh token is used once.
        """
        self.terminal.age(ALICE, _LIFETIME)
        with ThreadPoolExecutor() as threads:
            tokens = list(threads.map(self.terminal.token, [ALICE] * 6))

        self.assertEqual(1, len(set(tokens)))
        self.assertReads(tokens[0])
        self.terminal.age(ALICE, _LIFETIME)
        self.assertReads(self.terminal.token(ALICE))

    def test_lost(self) -> None:
        """
        An answer that is lost on its way is asked for again at once, and the access goes on.
        """
        proxy = Proxy({"localhost": self.demo.ports["https"]})
        self.addCleanup(proxy.close)
        self.terminal.environment.update(https_proxy=proxy.address, no_proxy="")
        self.terminal.age(ALICE, _LIFETIME)
        proxy.losing = 1

        token = self.terminal.token(ALICE)

        self.assertEqual(2, len(proxy.asked))
        self.assertReads(token)
        for _ in range(2):
            self.terminal.age(ALICE, _LIFETIME)
            self.assertReads(self.terminal.token(ALICE))

    def test_outage(self) -> None:
        """
        While the server is away the old token is given as long as it is good, and afterwards the
        status says that it is no refusal; nothing is lost, and it goes on when the server is back.
        """
        self.demo.stop()
        self.terminal.age(ALICE, _LIFETIME - 30)
        self.assertEqual(self.first["accessToken"], self.terminal.token(ALICE))
        self.terminal.age(ALICE, 30)

        finished = self.terminal.run(ALICE)

        self.assertEqual((UNAVAILABLE, b""), (finished.status, finished.output))
        self.assertIn(b"cannot be reached: Connection refused.", finished.errors)
        self.assertEqual(self.first["refreshToken"], self.terminal.kept(ALICE)["refreshToken"])
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)
        self.assertReads(self.terminal.token(ALICE))

    def test_ended(self) -> None:
        """
        Whoever's access was ended is told to sign in again, by every call, and the dead token is
        not used again; then it works again.
        """
        self.endAccess()
        self.terminal.age(ALICE, _LIFETIME)

        first, second = self.terminal.run(ALICE), self.terminal.run(ALICE)
        listed = self.terminal.run("list").output

        for finished in (first, second):
            self.assertEqual((1, b""), (finished.status, finished.output))
            self.assertIn(f"Your sign-in as {ALICE} has ended".encode(), finished.errors)
            self.assertIn(f"mailauth-token login {ALICE}\n".encode(), finished.errors)
        self.assertIn(b"invalid_grant", first.errors)
        self.assertNotIn(b"invalid_grant", second.errors)
        self.assertIn(b"Sign in with", listed)
        self.assertIsNone(self.terminal.kept(ALICE)["refreshToken"])
        self.assertEqual(0, self.signIn().status)
        self.assertReads(self.terminal.token(ALICE))

    def test_readable(self) -> None:
        """
        A file that others can read is not used, nor a directory: whoever read it may have the mail.
        """
        path = self.terminal.state / f"{ALICE}.json"
        for each, mode, usual in ((path, 0o640, 0o600), (self.terminal.state, 0o755, 0o700)):
            each.chmod(mode)

            finished = self.terminal.run(ALICE)

            self.assertEqual((1, b""), (finished.status, finished.output))
            self.assertIn(f"{each} can be read by others.".encode(), finished.errors)
            self.assertIn(f"chmod {usual:o} {each}".encode(), finished.errors)
            each.chmod(usual)
        self.terminal.token(ALICE)

    def test_logout(self) -> None:
        """
        Logging out ends the access at the server, and forgets it; if the server is away it does
        neither, unless it is told to forget.
        """
        token = self.terminal.token(ALICE)

        finished = self.terminal.run("logout", ALICE)

        self.assertEqual(0, finished.status)
        self.assertEqual([], self.applications())
        self.assertIsNotNone(python(self.attempt("imaps", "OAUTHBEARER", token)).refusal)
        self.assertEqual([], [*self.terminal.state.glob("*.json")])
        self.assertEqual(1, self.terminal.run("logout", ALICE).status)

        self.signIn()
        self.demo.stop()
        finished = self.terminal.run("logout", ALICE)
        self.assertEqual(UNAVAILABLE, finished.status)
        self.assertIn(b"Nothing was changed.", finished.errors)
        self.assertIsNotNone(self.terminal.kept(ALICE)["refreshToken"])
        self.assertEqual(0, self.terminal.run("logout", "--forget", ALICE).status)
        self.assertEqual([], [*self.terminal.state.glob("*.json")])
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)


class DeviceTests(CommandTestCase):
    """
    Signing in with a browser on another computer.
    """

    def addClient(self) -> None:
        """
        Let the administrator do what the program says.
        """
        grants = ("--grant", "device_code", "--grant", "refresh_token")
        self.demo.command("client", "add", "--id", "ours", "--name", "ours", *grants)

    def connect(self, decision: str) -> Finished:
        """
        Begin, and type the code that is shown.
        """
        running = self.begin("--device", "--client-id", "ours")
        page, code = running.awaitAddress(), running.awaitCode()
        self.person.connect(f"{page}?user_code={code}", decision)
        return running.end()

    def test_allowed(self) -> None:
        """
        Somebody types the code, and the program goes on.
        """
        self.addClient()

        finished = self.connect("allow")

        self.assertEqual(0, finished.status, finished)
        self.assertEqual(["ours"], self.applications())
        self.assertReads(self.terminal.token(ALICE))
        self.terminal.age(ALICE, _LIFETIME)
        self.assertReads(self.terminal.token(ALICE))

    def test_denied(self) -> None:
        """
        Somebody says no.
        """
        self.addClient()

        finished = self.connect("deny")

        self.assertEqual(1, finished.status)
        self.assertIn(b"Nothing was allowed.", finished.errors)

    def test_notAdded(self) -> None:
        """
        A client that may not do this, and none at all, are told what the administrator has to do.
        """
        self.demo.command(
            "client", "add", "--id", "ours", "--redirect", "http://127.0.0.1/callback"
        )
        told = b"mailauth client add --id ours --grant device_code --grant refresh_token"

        refused = self.terminal.run(*self.login, "--device", "--client-id", "ours")
        unknown = self.terminal.run(*self.login, "--device", "--client-id", "nobody")
        without = self.terminal.run(*self.login, "--device")

        self.assertEqual(1, refused.status)
        self.assertIn(told, refused.errors)
        self.assertEqual(1, unknown.status)
        self.assertIn(told.replace(b"ours", b"nobody"), unknown.errors)
        self.assertEqual(2, without.status)
        self.assertIn(b"--device needs --client-id", without.errors)
