"""
What mail programs have to know of this server, in one place: everything that sets one up is written
from it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

from ..scopes import MAIL_SCOPE, OFFLINE_SCOPE
from .config import Configuration

SCOPE = f"{MAIL_SCOPE} {OFFLINE_SCOPE}"
"""
What a mail program asks for.
"""

_LISTENERS = {
    "imaps": ("imap", True),
    "imap": ("imap", False),
    "pop3s": ("pop3", True),
    "pop3": ("pop3", False),
    "submissions": ("smtp", True),
    "submission": ("smtp", False),
}
"""
For each listener its protocol, and whether TLS begins at once: the preferred ones first (RFC 8314
section 3).
"""


@attrs.frozen
class MailServer:
    """
    Where one protocol is spoken.

    @ivar protocol: C{"imap"}, C{"pop3"} or C{"smtp"}.
    @ivar implicitTLS: TLS begins at once, and not with STARTTLS.
    """

    protocol: str
    port: int
    implicitTLS: bool


@attrs.frozen
class MailHosts:
    """
    The server.

    @ivar hostname: what mail programs call it.
    @ivar issuer: whom they get tokens from.
    @ivar servers: all that there are, the preferred ones first.
    """

    hostname: str
    issuer: str
    servers: tuple[MailServer, ...]

    @property
    def origin(self) -> str:
        """
        Where what has a path of its own is.
        """
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def webHost(self) -> str:
        """
        The name of the host that has the pages and the documents.
        """
        return urlsplit(self.issuer).hostname or self.hostname

    def address(self, path: str) -> str:
        """
        Where something below the issuer is.
        """
        return f"{self.issuer.rstrip('/')}/{path}"

    def preferred(self, protocol: str, implicitTLS: bool | None = None) -> MailServer | None:
        """
        The one to use for a protocol.

        @param implicitTLS: only one like that.
        """
        for server in self.servers:
            if server.protocol == protocol and implicitTLS in (None, server.implicitTLS):
                return server
        return None


def mailHostsOf(configuration: Configuration) -> MailHosts:
    """
    What a configuration says. Of several addresses of a listener the first has the port.
    """
    servers = tuple(
        MailServer(protocol, configuration.listen[listener][0].port, implicitTLS)
        for listener, (protocol, implicitTLS) in _LISTENERS.items()
        if configuration.listen[listener]
    )
    return MailHosts(configuration.hostname, configuration.issuer, servers)
