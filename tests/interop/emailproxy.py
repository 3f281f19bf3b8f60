"""
email-oauth2-proxy, which gives OAuth to mail programs that have never heard of it. Owns its
process, its configuration, and how it is read from its log what it wants.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

from mailauth.scopes import MAIL_SCOPE

from . import ALICE, BOB, HOST
from .demo import Demo
from .ports import freePort
from .programs import TIMEOUT, Finished, run

_CONFIGURATION = """\
[IMAP-{imap}]
local_address = {host}
server_address = localhost
server_port = {imaps}

[SMTP-{smtp}]
local_address = {host}
server_address = localhost
server_port = {submissions}
server_starttls = False

[{name}]
token_url = {issuer}/token
oauth2_scope = {scope} offline_access
client_id = emailproxy
"""

# The one of them for codes, the other for devices.
_ASKS = re.compile(
    rb".* (?:Please visit the following URL to authenticate account \S+:|Visit) (https://\S+).*\n"
)


_LISTENS = re.compile(r"(?m)^\[(IMAP|SMTP)-([0-9]+)\]$")


def configuration(demo: Demo, flow: str) -> str:
    """
    One that listens where nobody does.

    @param flow: how it gets its first tokens, in its own words.
    """
    text = _CONFIGURATION.format(
        imap=freePort(),
        smtp=freePort(),
        host=HOST,
        name=ALICE,
        issuer=demo.issuer,
        scope=MAIL_SCOPE,
        imaps=demo.ports["imaps"],
        submissions=demo.ports["submissions"],
    )
    return text + flow


class EmailProxy:
    """
    One that runs, with an account of alice's.

    @ivar path: of its configuration, in which it keeps its tokens as well.
    """

    def __init__(self, demo: Demo, directory: Path, configuration: str) -> None:
        """
        Start it, and wait until it listens.

        @param directory: for its files.
        @param configuration: with a section for IMAP and one for SMTP.
        """
        found = {name: int(port) for name, port in _LISTENS.findall(configuration)}
        self._imap, self._smtp = found["IMAP"], found["SMTP"]
        self.path = directory / "emailproxy.config"
        self.path.write_text(configuration)
        log = ("--log-file", directory / "emailproxy.log")
        self._process = subprocess.Popen(
            (
                *(sys.executable, "-u", "-m", "emailproxy", "--no-gui", "--local-server-auth"),
                *("--config-file", self.path, *log),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SSL_CERT_FILE": demo.authority},
        )
        self._awaitLine(re.compile(rb".*listening for authentication requests.*\n"))

    def awaitAddress(self) -> str:
        """
        Wait until it wants somebody to sign in.

        @return: where.
        """
        return self._awaitLine(_ASKS)[1].decode("ascii")

    def _awaitLine(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        assert self._process.stdout is not None
        hanging = Timer(TIMEOUT, self._process.kill)
        hanging.start()
        said = []
        try:
            for line in self._process.stdout:
                said.append(line)
                match = pattern.fullmatch(line)
                if match is not None:
                    return match
        finally:
            hanging.cancel()
        raise AssertionError(b"".join(said))

    def read(self) -> Finished:
        """
        Let curl read the first message through it: an ordinary login, with a password that only
        the proxy knows.
        """
        return _curl(f"imap://{HOST}:{self._imap}/INBOX;MAILINDEX=1")

    def send(self, message: Path) -> Finished:
        """
        Let curl send a message to bob through it.
        """
        return _curl(
            *("--mail-from", ALICE, "--mail-rcpt", BOB, "--upload-file", str(message)),
            f"smtp://{HOST}:{self._smtp}/client.example",
        )

    def end(self) -> None:
        """
        End it, and wait until it is gone.
        """
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=TIMEOUT)
        finally:
            self._process.kill()
            self._process.communicate()


def _curl(*arguments: str) -> Finished:
    return run("curl", "-q", "-sS", "--user", f"{ALICE}:of the proxy", *arguments)
