"""
The configurations of C{docs/clients}, with the programs that they are for, as somebody uses them
who signed in with C{mailauth-token}.
"""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from pathlib import Path

from ..tokenclient.terminal import Terminal
from . import ALICE, BOB
from .demo import DemoTestCase
from .documents import blocksOf, filledIn
from .person import Person
from .programs import Finished, need, run

SCRIPTS = sysconfig.get_path("scripts")

MESSAGE = b"Subject: Hello\n\nHello Bob.\n"

_TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
_PORTS = {"993": "imaps", "995": "pop3s", "465": "submissions"}
_PORT = re.compile(rf"\b(?:{'|'.join(_PORTS)})\b")


class ClientsTestCase(DemoTestCase):
    """
    Alice is signed in, and has a home directory.
    """

    programs: tuple[str, ...] = ()

    def setUp(self) -> None:
        """
        See the parent.
        """
        need(*self.programs, f"{SCRIPTS}/mailauth-token")
        super().setUp()
        self.home = self.directory / "home"
        self.home.mkdir(mode=0o700)
        self.terminal = Terminal(self.home)
        self.environment = {
            **self.terminal.environment,
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm",
        }
        running = self.terminal.begin(
            *("login", ALICE, "--issuer", self.demo.issuer),
            *("--ca-file", self.demo.authority),
        )
        person = Person(self.demo)
        person.visit(person.answer(running.awaitAddress()))
        self.assertEqual(0, running.end().status)

    def fill(self, block: str) -> str:
        """
        A block with alice's address, and with where the demo is.
        """
        text = _PORT.sub(lambda match: str(self.demo.ports[_PORTS[match[0]]]), block)
        return filledIn(
            text,
            {
                "mail.example.org": "localhost",
                "example.org": "example.test",
                _TRUSTED: self.demo.authority,
                "tls_trust_file system": f"tls_trust_file {self.demo.authority}",
            },
        )

    def write(self, document: str, heading: str) -> Path:
        """
        Write a file as a document shows it, where its heading says, or into C{rc} for one that has
        another heading.
        """
        [block, *_] = blocksOf(f"clients/{document}.md", heading)
        path = self.home / (heading.removeprefix("~/") if heading.startswith("~/") else "rc")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(self.fill(block))
        return path

    def makeMaildir(self) -> Path:
        """
        Make the Maildir that the documents have in common.
        """
        maildir = self.home / "Mail"
        for name in ("cur", "new", "tmp"):
            (maildir / name).mkdir(parents=True)
        return maildir

    def runProgram(self, *command: str, stdin: bytes = b"") -> Finished:
        """
        Run a program of alice's.
        """
        return run(*command, stdin=stdin, environment=self.environment)

    def assertFetched(self, finished: Finished, directory: Path) -> None:
        """
        The welcome message is there, octet for octet but for the ends of its lines and what the
        program puts before it.
        """
        self.assertEqual(0, finished.status, finished)
        [welcome] = self.inbox(ALICE)
        [path] = [*directory.glob("new/*"), *directory.glob("cur/*")]
        got = path.read_bytes().replace(b"\r\n", b"\n")
        _, text = welcome.replace(b"\r\n", b"\n").split(b"\n\n")
        self.assertIn(b"Subject: Welcome to mailauth\n", got)
        self.assertTrue(got.endswith(b"\n\n" + text), got)

    def assertSent(self, finished: Finished) -> None:
        """
        Bob got a message.
        """
        self.assertEqual(0, finished.status, finished)
        [received] = self.inbox(BOB)
        self.assertTrue(received.endswith(b"\r\nHello Bob.\r\n"), received)


class MsmtpTests(ClientsTestCase):
    """
    msmtp.
    """

    programs = ("msmtp",)

    def test_sends(self) -> None:
        """
        It sends; and when the access has been ended it hands on what to do.
        """
        rc = self.write("msmtp", "~/.msmtprc")

        self.assertSent(self.runProgram("msmtp", f"--file={rc}", BOB, stdin=MESSAGE))

        self.assertEqual(0, self.terminal.run("logout", ALICE).status)
        finished = self.runProgram("msmtp", f"--file={rc}", BOB, stdin=MESSAGE)
        self.assertNotEqual(0, finished.status)
        self.assertIn(f"mailauth-token login {ALICE}".encode(), finished.errors)


class MpopTests(ClientsTestCase):
    """
    mpop.
    """

    programs = ("mpop",)

    def test_fetches(self) -> None:
        """
        It fetches.
        """
        self.write("mpop", "~/.mpoprc")
        maildir = self.makeMaildir()

        self.assertFetched(self.runProgram("mpop", "-C", str(self.home / ".mpoprc"), "-q"), maildir)


class MuttTests(ClientsTestCase):
    """
    mutt, in a terminal that nobody looks at.
    """

    programs = ("mutt", "script")
    program = "mutt"
    heading = "~/.muttrc"

    def test_readsAndSends(self) -> None:
        """
        It reads and sends.
        """
        rc = self.write("mutt", self.heading)
        copy = self.home / "copy"
        copy.mkdir()
        (copy / "cur").mkdir()
        keys = f"<pipe-message>cat > {copy}/cur/1<enter><exit>"
        command = f"{self.program} -n -F {rc} -e 'set quit=yes' -e 'push \"{keys}\"'"

        self.assertFetched(self.runProgram("script", "-qec", command, "/dev/null"), copy)
        self.assertSent(
            self.runProgram(
                self.program, "-n", "-F", str(rc), "-s", "Hello", BOB, stdin=b"Hello Bob.\n"
            )
        )


class NeoMuttTests(MuttTests):
    """
    NeoMutt.
    """

    programs = ("neomutt", "script")
    program = "neomutt"
    heading = "NeoMutt"


class MbsyncTests(ClientsTestCase):
    """
    mbsync.
    """

    programs = ("mbsync",)

    def test_copies(self) -> None:
        """
        It copies, and the second time with a new token.
        """
        rc = self.write("mbsync", "~/.mbsyncrc")
        (self.home / "Mail").mkdir()

        finished = self.runProgram("mbsync", "-q", "-a", "-c", str(rc))

        self.assertFetched(finished, self.home / "Mail" / "INBOX")
        self.terminal.age(ALICE, 3600)
        self.assertEqual(0, self.runProgram("mbsync", "-q", "-a", "-c", str(rc)).status)


class GetmailTests(ClientsTestCase):
    """
    getmail.
    """

    programs = ("getmail",)

    def test_fetches(self) -> None:
        """
        It fetches. Where root runs the tests, it is told whom to be while it delivers.
        """
        rc = self.write("getmail", "~/.config/getmail/getmailrc")
        maildir = self.makeMaildir()
        if os.geteuid() == 0:
            rc.write_text(rc.read_text().replace("path = ", "user = nobody\npath = "))
            for each in (self.directory, self.home):
                each.chmod(0o711)
            for each in (maildir, *maildir.iterdir()):
                shutil.chown(each, "nobody")

        finished = self.runProgram("getmail", "--rcfile", str(rc), "--getmaildir", str(rc.parent))

        self.assertFetched(finished, maildir)


class OfflineIMAPTests(ClientsTestCase):
    """
    OfflineIMAP.
    """

    programs = ("offlineimap",)

    def test_copies(self) -> None:
        """
        It copies.
        """
        self.write("offlineimap", "~/.offlineimap.py")
        rc = self.write("offlineimap", "~/.offlineimaprc")

        finished = self.runProgram("offlineimap", "-o", "-u", "basic", "-c", str(rc))

        self.assertFetched(finished, self.home / "Mail" / "INBOX")


class CurlTests(ClientsTestCase):
    """
    curl, in lines for a shell.
    """

    programs = ("curl", "bash")

    def paste(self, block: str) -> Finished:
        """
        Paste a block into a shell.
        """
        self.environment["CURL_CA_BUNDLE"] = self.demo.authority
        return self.runProgram(
            "bash", "-o", "pipefail", "-c", f"cd {self.home}\n{self.fill(block)}"
        )

    def test_reads(self) -> None:
        """
        It reads by IMAP and by POP3.
        """
        [welcome] = self.inbox(ALICE)
        blocks = blocksOf("clients/curl.md", "Reading")
        self.assertEqual(2, len(blocks))
        for block in blocks:
            finished = self.paste(block)

            self.assertEqual((0, welcome), (finished.status, finished.output), finished.errors)

    def test_sends(self) -> None:
        """
        It sends.
        """
        [block] = blocksOf("clients/curl.md", "Sending")
        (self.home / "message.eml").write_bytes(MESSAGE.replace(b"\n", b"\r\n"))

        self.assertSent(self.paste(block))
