"""
One login by one client, which then does what the protocol is for: it reads the first message
of the inbox, or sends one. Owns how curl and Python's own clients are told to, and how it
is read from them what came of it.
"""

from __future__ import annotations

import imaplib
import json
import poplib
import smtplib
import ssl
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import attrs

from . import ALICE, BOB, HOST
from .programs import run

CURL_REFUSED = 67

_DUMMY = "\x01"
"""
What a client has to say to the error document (RFC 7628 section 3.2.3).
"""


@attrs.frozen
class Attempt:
    """
    What to try.

    @ivar protocol: C{"imap"}, C{"smtp"} or C{"pop3"}.
    @ivar implicitTLS: whether TLS comes first, or by STARTTLS.
    @ivar mechanism: its name; Python takes C{"LOGIN"} for the login that needs no mechanism, where
        there is one.
    @ivar secret: the token or the password.
    @ivar message: the file to send, where the protocol sends.
    @ivar name: who logs in, and sends.
    @ivar recipient: to whom.
    """

    protocol: str
    port: int
    implicitTLS: bool
    authority: str
    mechanism: str
    secret: str = attrs.field(repr=False)
    message: Path = Path()
    initialResponse: bool = False
    name: str = ALICE
    recipient: str = BOB

    @property
    def clientMessage(self) -> str:
        """
        What the mechanism says first.
        """
        if self.mechanism == "PLAIN":
            return f"\0{self.name}\0{self.secret}"
        header = f"n,a={self.name}," if self.mechanism == "OAUTHBEARER" else f"user={self.name}"
        return f"{header}\x01auth=Bearer {self.secret}\x01\x01"

    def tlsContext(self) -> ssl.SSLContext:
        """
        For clients in Python.
        """
        return ssl.create_default_context(cafile=self.authority)


@attrs.frozen
class Outcome:
    """
    What came of it.

    @ivar content: the message that was read.
    @ivar documents: the error documents of RFC 7628.
    @ivar refusal: the last word of the server, if it is a refusal.
    """

    content: bytes = b""
    documents: list[dict[str, str]] = attrs.field(factory=list)
    refusal: bytes | None = None


# curl


def curl(attempt: Attempt) -> Outcome:
    """
    Let curl try. It prefers OAUTHBEARER, so XOAUTH2 is seen where that alone is offered; and it
    sends an initial response on IMAP where the server offers SASL-IR, elsewhere if it is asked to
    and while it is short.
    """
    scheme = attempt.protocol + ("s" if attempt.implicitTLS else "")
    path = {"imap": "INBOX;MAILINDEX=1", "smtp": "client.example", "pop3": "1"}[attempt.protocol]
    options = ["-q", "-sSv", "--cacert", attempt.authority]
    if not attempt.implicitTLS:
        options += ["--ssl-reqd"]
    if attempt.mechanism == "PLAIN":
        options += ["--user", f"{attempt.name}:{attempt.secret}"]
    else:
        options += ["--user", attempt.name, "--oauth2-bearer", attempt.secret]
    if attempt.initialResponse and attempt.protocol != "imap":
        options += ["--sasl-ir"]
    if attempt.protocol == "smtp":
        options += [
            "--mail-from",
            attempt.name,
            "--mail-rcpt",
            attempt.recipient,
            "--upload-file",
            str(attempt.message),
        ]
    finished = run("curl", *options, f"{scheme}://{HOST}:{attempt.port}/{path}")
    return _readCurl(finished.status, finished.output, finished.errors)


def _readCurl(status: int, output: bytes, log: bytes) -> Outcome:
    said = [line[2:].rstrip(b"\r") for line in log.split(b"\n") if line.startswith(b"< ")]
    if status == CURL_REFUSED:
        documents = [_document(words[1]) for line in said if len(words := line.split(b" ")) == 2]
        return Outcome(output, [each for each in documents if each], said[-1])
    assert status == 0, log
    return Outcome(output)


def _document(text: bytes) -> dict[str, str]:
    """
    The error document that is this base64, or nothing if it is none.
    """
    try:
        document: dict[str, str] = json.loads(b64decode(text, validate=True))
    except ValueError:
        return {}
    return document


# Python


def python(attempt: Attempt) -> Outcome:
    """
    Let Python's own client of the protocol try: imaplib never sends an initial response, smtplib
    and what we make of poplib always do.
    """
    return {"imap": _imaplib, "smtp": _smtplib, "pop3": _poplib}[attempt.protocol](attempt)


class _Responses:
    """
    What is said to each challenge, and what the challenges held.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.documents: list[dict[str, str]] = []

    def answer(self, challenge: bytes | None = None) -> str:
        """
        @param challenge: decoded; C{None} for the initial response.
        """
        if not challenge:
            return self._attempt.clientMessage
        self.documents.append(json.loads(challenge))
        return _DUMMY


def openIMAP(attempt: Attempt) -> imaplib.IMAP4:
    """
    Connect, and start TLS.
    """
    if attempt.implicitTLS:
        return imaplib.IMAP4_SSL(HOST, attempt.port, ssl_context=attempt.tlsContext())
    client = imaplib.IMAP4(HOST, attempt.port)
    client.starttls(attempt.tlsContext())
    return client


def _imaplib(attempt: Attempt) -> Outcome:
    responses = _Responses(attempt)
    with openIMAP(attempt) as client:
        try:
            if attempt.mechanism == "LOGIN":
                client.login(attempt.name, attempt.secret)
            else:
                client.authenticate(attempt.mechanism, lambda each: responses.answer(each).encode())
        except imaplib.IMAP4.error as error:
            return Outcome(b"", responses.documents, str(error).encode())
        client.select(readonly=True)
        fetched: Any = client.fetch("1", "(BODY[])")[1]
        return Outcome(fetched[0][1])


def _smtplib(attempt: Attempt) -> Outcome:
    client: smtplib.SMTP
    if attempt.implicitTLS:
        client = smtplib.SMTP_SSL(HOST, attempt.port, context=attempt.tlsContext())
    else:
        client = smtplib.SMTP(HOST, attempt.port)
        client.starttls(context=attempt.tlsContext())
    responses = _Responses(attempt)
    with client:
        client.ehlo()
        try:
            if attempt.mechanism == "LOGIN":
                client.user, client.password = attempt.name, attempt.secret
                client.auth("LOGIN", client.auth_login)
            else:
                client.auth(attempt.mechanism, responses.answer)
        except smtplib.SMTPAuthenticationError as error:
            text = error.smtp_error
            reply = text if isinstance(text, bytes) else text.encode()
            return Outcome(b"", responses.documents, b"%d %b" % (error.smtp_code, reply))
        client.sendmail(attempt.name, [attempt.recipient], attempt.message.read_bytes())
        return Outcome()


def _poplib(attempt: Attempt) -> Outcome:
    client: Any
    if attempt.implicitTLS:
        client = poplib.POP3_SSL(HOST, attempt.port, context=attempt.tlsContext())
    else:
        client = poplib.POP3(HOST, attempt.port)
        client.stls(attempt.tlsContext())
    responses = _Responses(attempt)
    try:
        if attempt.mechanism == "LOGIN":
            client.user(attempt.name)
            client.pass_(attempt.secret)
        else:
            # poplib knows no AUTH, and takes a challenge for a success.
            line = f"AUTH {attempt.mechanism} {_encode(responses.answer())}"
            while (reply := client._shortcmd(line)).startswith(b"+ "):
                line = _encode(responses.answer(b64decode(reply[2:])))
    except poplib.error_proto as error:
        return Outcome(b"", responses.documents, error.args[0])
    else:
        _, lines, _ = client.retr(1)
        return Outcome(b"".join(line + b"\r\n" for line in lines))
    finally:
        client.quit()


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
