"""
The add-on that lets Thunderbird sign in here with OAuth: nothing but a manifest, which names the
issuer. Thunderbird has no other way to learn of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile, ZipInfo

from ..builtinclients import THUNDERBIRD
from ..mailhosts import SCOPE, MailHosts

TYPE = b"application/x-xpinstall"

_UPDATES = "setup/thunderbird/updates.json"

# "1.2345": the second number says what is in it, the first how often that has changed since this
# Thunderbird was given it, so that there is always a higher one. Both are written as the add-on
# manager takes them, up to nine digits.
_VERSION = re.compile(r"([1-9][0-9]{0,7})\.(0|[1-9][0-9]{0,8})")


class AddOn:
    """
    It.

    @ivar identifier: how Thunderbird knows it again.
    @ivar path: where it is, below the issuer.
    """

    def __init__(self, hosts: MailHosts) -> None:
        self._hosts = hosts
        self.identifier = f"oauth@{hosts.hostname}"
        self.path = f"setup/thunderbird/{hosts.hostname}.xpi"
        self._content = int.from_bytes(sha256(_write(self._manifest(""))).digest()[:4]) % 10**9

    def version(self, installed: str | None) -> str:
        """
        The version of what it is now: that which is installed, if it is the same, or a higher one.

        @param installed: the version that a Thunderbird has, if it says.
        """
        match = _VERSION.fullmatch(installed or "")
        if match is None:
            return f"1.{self._content}"
        same = int(match[2]) == self._content
        return f"{int(match[1]) + (not same)}.{self._content}"

    def package(self, version: str | None = None) -> bytes:
        """
        The file: the same octets each time.

        @param version: what L{version} said; whatever else it is, is not heard.
        """
        written = BytesIO()
        with ZipFile(written, "w") as archive:
            member = ZipInfo("manifest.json", (1980, 1, 1, 0, 0, 0))
            # Who made it, and who may read it, must not depend on where it is made.
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, _write(self._manifest(self.version(version))))
        return written.getvalue()

    def updates(self, installed: str | None = None) -> Mapping[str, Any]:
        """
        What Thunderbird is told that asks for a newer one.
        """
        version = self.version(installed)
        content = self.package(version)
        update = {
            "version": version,
            "update_link": f"{self._hosts.address(self.path)}?version={version}",
            "update_hash": f"sha256:{sha256(content).hexdigest()}",
        }
        return {"addons": {self.identifier: {"updates": [update]}}}

    def policies(self) -> Mapping[str, Any]:
        """
        What an organisation puts into its own C{policies.json}, to have it installed everywhere.
        """
        setting = {
            "installation_mode": "force_installed",
            "install_url": self._hosts.address(self.path),
        }
        return {"policies": {"ExtensionSettings": {self.identifier: setting}}}

    def _manifest(self, version: str) -> Mapping[str, Any]:
        hosts = self._hosts
        return {
            "manifest_version": 2,
            "name": f"{hosts.hostname} sign-in",
            "version": version,
            "browser_specific_settings": {
                "gecko": {
                    "id": self.identifier,
                    "strict_min_version": "140.0",
                    # The add-on manager fills it in.
                    "update_url": f"{hosts.address(_UPDATES)}?version=%ITEM_VERSION%",
                }
            },
            "oauth_provider": {
                "issuer": urlsplit(hosts.issuer).netloc,
                "issuerIdentifier": hosts.issuer,
                "clientId": THUNDERBIRD.clientId,
                "authorizationEndpoint": hosts.address("authorize"),
                "tokenEndpoint": hosts.address("token"),
                "redirectionEndpoint": THUNDERBIRD.redirectURIs[0],
                "usePKCE": True,
                "useExternalBrowser": True,
                "hostnames": [hosts.hostname],
                "scopes": SCOPE,
            },
        }


def _write(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, indent=2).encode("ascii")
