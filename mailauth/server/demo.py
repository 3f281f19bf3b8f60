"""
C{mailauth demo}: everything on loopback, with nothing else to set up. Owns the demo's directory and
what it prints.

What it sets up is an ordinary configuration with ordinary accounts; from there on it is the service
that twistd runs, and C{--data} lets every other command work on it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from time import time
from typing import Any

import attrs

from ..passwords import digestAppPassword, makeAppPassword
from ..stores.records import Account, AppPassword
from .certificates import makeCertificates
from .config import CONFIGURATION, STANDARD_PORTS, Configuration, readConfiguration
from .mailhosts import mailHostsOf
from .service import MailService
from .setup.dns import CONFIGURATIONS

MAIL_HOST = "mail.localhost"
_DOMAIN = "example.test"
_NAMES = (
    *("localhost", MAIL_HOST, "127.0.0.1", "::1"),
    *(f"{label}.{_DOMAIN}" for label in CONFIGURATIONS),
)
_SECRETS = "demo-passwords.json"
_ALICE, _BOB = f"alice@{_DOMAIN}", f"bob@{_DOMAIN}"

_TOML = """\
# The configuration of a mailauth demo. 'mailauth demo' writes it anew at each start.

[server]
hostname = "{host}"
data = "."

[listen]
{listen}

[tls]
certificate = "server.pem"
key = "server.key"

[issuer]
url = "https://localhost:{https}"

[admin]
accounts = ["alice@example.test"]

[insecure]
loopback_without_tls = {insecure}
"""

_WELCOME = """\
From: mailauth <postmaster@example.test>\r
To: Alice <alice@example.test>\r
Date: {date}\r
Message-ID: <{id}@example.test>\r
Subject: Welcome to mailauth\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=us-ascii\r
\r
You are reading this with a token, or with an app password.\r
Your account password would not have opened this mailbox.\r
"""


@attrs.frozen
class Demo:
    """
    A directory with a demo in it.

    @ivar secrets: the passwords, by the names they have in C{--json}.
    """

    directory: Path
    configuration: Configuration
    secrets: dict[str, dict[str, str]] = attrs.field(repr=False)

    @property
    def authority(self) -> Path:
        """
        The certificate that clients have to trust.
        """
        return self.directory / "ca.pem"


def prepare(directory: Path, basePort: int, insecureLoopback: bool) -> Demo:
    """
    Make the directory, or find everything in it as it was left.

    @param basePort: what is added to the standard ports.
    @raise OSError: it cannot be used.
    """
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (directory / CONFIGURATION).exists() and not (directory / _SECRETS).exists():
        raise FileExistsError(errno.EEXIST, "its configuration is not one of a demo")
    if not (directory / "server.pem").exists():
        makeCertificates(directory, _NAMES)
    passwords = _passwords(directory / _SECRETS)
    ports = {name: port + basePort for name, port in STANDARD_PORTS.items()}
    path = directory / CONFIGURATION
    path.write_text(
        _TOML.format(
            host=MAIL_HOST,
            https=ports["https"],
            insecure=str(insecureLoopback).lower(),
            listen="\n".join(
                f"{name} = {json.dumps([f'{host}:{port}' for host in _loopback()])}"
                for name, port in ports.items()
            ),
        )
    )
    return Demo(directory, readConfiguration(path), passwords)


def _loopback() -> list[str]:
    """
    This machine's own addresses: not every container has one of IPv6.
    """
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "[::1]"]


def _passwords(path: Path) -> dict[str, dict[str, str]]:
    """
    The demo shows its passwords at every start, so it has to keep them. A server keeps none.
    """
    if not path.exists():
        passwords = {
            _ALICE: {"password": secrets.token_urlsafe(12), "app_password": makeAppPassword()},
            _BOB: {"password": secrets.token_urlsafe(12)},
        }
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(passwords))
        temporary.replace(path)
    kept: dict[str, dict[str, str]] = json.loads(path.read_text())
    return kept


async def populate(demo: Demo, service: MailService) -> None:
    """
    Make the accounts, the app password and the welcome message, at the first start. Whenever it
    was interrupted the next start goes on; the last account is the sign that all is done, so that
    what somebody revoked or deleted since does not come back.
    """
    accounts, appPasswords = service.database.accounts, service.database.appPasswords
    if await accounts.get(_BOB) is not None:
        return
    await _addAccount(_ALICE, demo, service)
    digest = digestAppPassword(demo.secrets[_ALICE]["app_password"].encode())
    if digest is not None and await appPasswords.find(digest) is None:
        await service.mailboxes.deliver(_ALICE, _welcome())
        await appPasswords.add(
            AppPassword(secrets.token_hex(4), _ALICE, "demo", digest, created=time())
        )
    await _addAccount(_BOB, demo, service)


async def _addAccount(name: str, demo: Demo, service: MailService) -> None:
    accounts = service.database.accounts
    if await accounts.get(name) is None:
        hashed = await service.hasher.hash(demo.secrets[name]["password"].encode())
        await accounts.add(Account(name, hashed, created=time()))


def _welcome() -> bytes:
    date = format_datetime(datetime.now(UTC))
    return _WELCOME.format(date=date, id=secrets.token_hex(8)).encode("ascii")


def describeJSON(demo: Demo, ports: dict[str, int]) -> str:
    """
    One line for a program.
    """
    description: dict[str, Any] = {
        "ready": True,
        "pid": os.getpid(),
        "data": str(demo.directory),
        "ca": str(demo.authority),
        "issuer": demo.configuration.issuer,
        "ports": ports,
        "accounts": demo.secrets,
    }
    return json.dumps(description)


_TEXT = """\

mailauth is running. Everything is on this machine only, and Ctrl-C stops it.

  IMAP        {host}, port {imaps} (TLS) or {imap} (STARTTLS)
  submission  {host}, port {submissions} (TLS) or {submission} (STARTTLS)
  POP3        {host}, port {pop3s} (TLS) or {pop3} (STLS)
  issuer      {issuer}   (any OAuth client registers itself there)
  accounts    {accountPage}   (who can read your mail)
  admin site  {adminPage}   (alice may)
  set-up page {setupPage}   (what to do in which mail program)

  alice@example.test   account password {alicePassword}
                       app password     {aliceAppPassword}
  bob@example.test     account password {bobPassword}

Paste this into another terminal:

  {program}
  CA={ca}
  alice() {{ curl --cacert $CA --user alice@example.test --oauth2-bearer "$ALICE" "$@"; }}
  bob() {{ curl --cacert $CA --user bob@example.test --oauth2-bearer "$BOB" "$@"; }}
  ALICE=$(mailauth --data {data} token issue alice@example.test)
  BOB=$(mailauth --data {data} token issue bob@example.test)

  # With the token: read the welcome message, by IMAP and by POP3.
  alice "imaps://localhost:{imaps}/INBOX;MAILINDEX=1"
  alice "pop3s://localhost:{pop3s}/1"

  # Send a message to bob, and read it as bob.
  printf 'Subject: Hello\\r\\n\\r\\nHello Bob.\\r\\n' > hello.eml
  alice smtps://localhost:{submissions} --mail-from alice@example.test \\
    --mail-rcpt bob@example.test --upload-file hello.eml
  bob "imaps://localhost:{imaps}/INBOX;MAILINDEX=*"

  # The app password does the same with an ordinary login.
  curl --cacert $CA --user alice@example.test:{aliceAppPassword} \\
    "imaps://localhost:{imaps}/INBOX;MAILINDEX=1"

  # The account password does not, and the server says what to use.
  curl -v --cacert $CA --user alice@example.test:{alicePassword} \\
    "imaps://localhost:{imaps}/INBOX;MAILINDEX=1"
"""


def describe(demo: Demo, ports: dict[str, int], program: str) -> str:
    """
    What a person needs next.

    @param program: the line that makes C{mailauth} a command in a shell.
    """
    return _TEXT.format(
        host=MAIL_HOST,
        **ports,
        issuer=demo.configuration.issuer,
        accountPage=demo.configuration.accountPage,
        adminPage=f"{demo.configuration.issuer}/admin/",
        setupPage=mailHostsOf(demo.configuration).address("setup/"),
        alicePassword=demo.secrets[_ALICE]["password"],
        aliceAppPassword=demo.secrets[_ALICE]["app_password"],
        bobPassword=demo.secrets[_BOB]["password"],
        ca=demo.authority,
        data=demo.directory,
        program=program,
    )
