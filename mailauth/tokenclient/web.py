"""
HTTPS, as far as it is needed here. Owns its bounds: one request without redirects, to a server
whose certificate is verified, for so long, with an answer of so many octets.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request

import attrs

from .deadline import within
from .failures import NoAnswer, Outage, Refusal, printable

PATIENCE = 8.0
"""
How many seconds a request may take, from the look-up of the name to the last octet. A second one
then still comes within the ten for which mailauth forgives that a rotation was not heard of.
"""

MAX_OCTETS = 1 << 16


@attrs.frozen
class Answer:
    """
    What a server said.

    @ivar host: which.
    @ivar body: it may hold secrets.
    """

    host: str
    status: int
    body: bytes = attrs.field(repr=False)

    def members(self) -> Mapping[str, Any]:
        """
        The JSON object that it is.

        @raise Outage: it is none, so it is no answer of the one who was asked.
        """
        try:
            members = json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            raise self.outage()
        return members

    def outage(self) -> Outage:
        """
        What it is where this is no answer.
        """
        return Outage(f"{self.host} does not work at the moment (status {self.status}).")


class Web:
    """
    The servers out there. Proxies are those of the environment.
    """

    def __init__(self, authority: str | None = None) -> None:
        """
        @param authority: a file with the certificates to trust; those of the system if it is not
            said.
        @raise Refusal: it cannot be read.
        """
        try:
            tlsContext = ssl.create_default_context(cafile=authority)
        except OSError as error:
            raise Refusal(f"{authority} has no certificates to trust: {error.strerror}") from None
        # Nothing that would follow a redirect, or open anything but https (so S310 is met).
        self._opener = OpenerDirector()
        self._opener.add_handler(ProxyHandler())
        self._opener.add_handler(HTTPSHandler(context=tlsContext))
        self._opener.addheaders = [("User-Agent", "mailauth-token"), ("Accept", "*/*")]

    def get(self, address: str, token: str | None = None) -> Answer:
        """
        Fetch something.

        @param token: an access token to show.
        @raise Outage: there was no answer.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._open(Request(address, headers=headers))  # noqa: S310

    def post(self, address: str, form: Mapping[str, str]) -> Answer:
        """
        Send a form.

        @raise Outage: there was no answer.
        """
        return self._open(Request(address, urlencode(form).encode("ascii")))  # noqa: S310

    def postJSON(self, address: str, members: Mapping[str, Any]) -> Answer:
        """
        Send a JSON object.

        @raise Outage: there was no answer.
        """
        headers = {"Content-Type": "application/json"}
        body = json.dumps(members).encode("ascii")
        return self._open(Request(address, body, headers))  # noqa: S310

    def _open(self, request: Request) -> Answer:
        host = urlsplit(request.full_url).netloc
        try:
            with within(PATIENCE), self._opener.open(request, timeout=PATIENCE) as response:
                body = response.read(MAX_OCTETS + 1)
        # None of them is shown whole, nor chained: some quote what was sent.
        except (OSError, HTTPException, ValueError) as error:
            raise _outage(host, error) from None
        if len(body) > MAX_OCTETS:
            raise Outage(f"{host} says too much.")
        return Answer(host, response.status, body)


def _outage(host: str, error: Exception) -> Outage:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Outage(
            f"{host} has a certificate that is not trusted here: {reason.verify_message}. For a"
            " certificate authority of your own sign in with --ca-file FILE."
        )
    why = type(reason).__name__
    if isinstance(reason, TimeoutError):
        why = "it took too long"
    elif isinstance(reason, OSError):
        why = printable(reason.strerror or reason)
    return NoAnswer(f"{host} cannot be reached: {why}.")


def isHTTPS(address: object) -> bool:
    """
    Whether it is an address that may be called.
    """
    if not isinstance(address, str) or not address.isascii() or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and parts.username is None
            and " " not in address
            and "#" not in address
            and (parts.port or 443) > 0
        )
    except ValueError:
        return False
