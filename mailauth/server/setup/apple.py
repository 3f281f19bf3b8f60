"""
The configuration profile for iOS, iPadOS and macOS (Apple's C{com.apple.mail.managed}). It holds an
app password of its own, or none: then the device asks for one. Profiles know no OAuth for IMAP.
"""

from __future__ import annotations

import plistlib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ..mailhosts import MailHosts

TYPE = b"application/x-apple-aspen-config"

_ASKS = "Sets up your mail. You are asked for an app password."
_SAYS = "Sets up your mail, with an app password for this device alone."


def writeProfile(hosts: MailHosts, address: str | None, password: str | None = None) -> bytes:
    """
    The profile, unsigned. A device that has one for the same address already replaces it.

    @param address: of the mailbox, or C{None} to have the device ask.
    @param password: for receiving and sending, or C{None} to have the device ask.
    """
    account: dict[str, Any] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": _identifier(hosts, address, "mail"),
        "PayloadUUID": _uuid(hosts, address, "mail"),
        "PayloadDisplayName": address or hosts.hostname,
        "EmailAccountDescription": address or hosts.hostname,
        "SMIMEEnabled": False,
        **_incoming(hosts),
        **_outgoing(hosts),
    }
    if address is not None:
        account |= {
            "EmailAddress": address,
            "IncomingMailServerUsername": address,
            "OutgoingMailServerUsername": address,
        }
    if password is not None:
        account |= {"IncomingPassword": password, "OutgoingPassword": password}
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": _identifier(hosts, address, "profile"),
        "PayloadUUID": _uuid(hosts, address, "profile"),
        "PayloadDisplayName": f"Mail on {hosts.hostname}",
        "PayloadOrganization": hosts.hostname,
        "PayloadDescription": _ASKS if password is None else _SAYS,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [account],
    }
    return plistlib.dumps(profile)


def _incoming(hosts: MailHosts) -> dict[str, Any]:
    server = hosts.preferred("imap") or hosts.preferred("pop3")
    if server is None:
        return {}
    return {
        "EmailAccountType": "EmailTypeIMAP" if server.protocol == "imap" else "EmailTypePOP",
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": hosts.hostname,
        "IncomingMailServerPortNumber": server.port,
        "IncomingMailServerUseSSL": True,
    }


def _outgoing(hosts: MailHosts) -> dict[str, Any]:
    server = hosts.preferred("smtp")
    if server is None:
        return {}
    return {
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": hosts.hostname,
        "OutgoingMailServerPortNumber": server.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }


def _identifier(hosts: MailHosts, address: str | None, part: str) -> str:
    backwards = ".".join(reversed(hosts.hostname.split(".")))
    return f"{backwards}.{_uuid(hosts, address, '')[:8].lower()}.{part}"


def _uuid(hosts: MailHosts, address: str | None, part: str) -> str:
    named = hosts.address(f"setup/apple.mobileconfig?{address or ''}#{part}")
    return str(uuid5(NAMESPACE_URL, named)).upper()
