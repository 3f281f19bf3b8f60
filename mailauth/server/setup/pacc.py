"""
The document of draft-ietf-mailmaint-pacc, and what vouches for it in the DNS.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from ...oauth.responses import writeJSON
from ..mailhosts import MailHosts

_NAMES = {"imap": ("imap",), "pop3": ("pop3",), "smtp": ("smtp", "submit")}
"""
What it calls our protocols: the second revision submission C{smtp}, the third C{submit}.
"""


def writePACC(hosts: MailHosts) -> bytes:
    """
    The document, the same octets for all domains and at every start. It has no ports: a protocol is
    where it always is, with TLS from the start, and whoever listens elsewhere forwards from there.
    """
    protocols = {
        name: {"host": hosts.hostname}
        for server in hosts.servers
        if server.implicitTLS
        for name in _NAMES[server.protocol]
    }
    return writeJSON(
        {
            "protocols": protocols,
            "authentication": {"oauth-public": {"issuer": hosts.issuer}, "password": True},
            "info": {
                "provider": {"name": hosts.hostname[:60]},
                "help": {"documentation": hosts.address("setup/")},
            },
        }
    )


def digestRecord(document: bytes) -> str:
    """
    What the TXT record says about the document.
    """
    return f"v=UAAC1; a=sha256; d={b64encode(sha256(document).digest()).decode('ascii')}"
