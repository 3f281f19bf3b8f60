"""
The configuration of email-oauth2-proxy, which gives OAuth to a mail program that has never heard of
it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..builtinclients import EMAIL_PROXY
from ..mailhosts import SCOPE, MailHosts

TYPE = b"text/plain; charset=utf-8"

LOCAL_PORTS = {"IMAP": 2993, "SMTP": 2465}
"""
Where it listens on the person's own computer.
"""

_HEAD = """\
# email-oauth2-proxy for {address}.
# In the mail program: host 127.0.0.1, IMAP port {IMAP}, SMTP port {SMTP}, no encryption, and any
# password: it encrypts what the proxy keeps."""


def writeConfiguration(hosts: MailHosts, address: str) -> bytes:
    """
    The configuration for one mailbox.
    """
    return "\n".join([*_lines(hosts, address), ""]).encode("utf-8")


def _lines(hosts: MailHosts, address: str) -> Iterator[str]:
    yield _HEAD.format(address=address, **LOCAL_PORTS)
    for name, localPort in LOCAL_PORTS.items():
        server = hosts.preferred(name.lower())
        if server is None:
            continue
        yield ""
        yield f"[{name}-{localPort}]"
        yield "local_address = 127.0.0.1"
        yield f"server_address = {hosts.hostname}"
        yield f"server_port = {server.port}"
        yield f"server_starttls = {not server.implicitTLS}"
    yield ""
    yield f"[{address}]"
    yield f"permission_url = {hosts.address('authorize')}"
    yield f"token_url = {hosts.address('token')}"
    yield f"oauth2_scope = {SCOPE}"
    yield f"client_id = {EMAIL_PROXY.clientId}"
    yield "use_pkce = True"
    yield f"redirect_uri = {EMAIL_PROXY.redirectURIs[0]}"
