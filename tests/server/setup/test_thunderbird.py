"""
Tests of Thunderbird's add-on. The program itself installs one in C{tests.interop}.
"""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.builtinclients import BUILT_IN
from mailauth.server.setup.thunderbird import AddOn

from .described import HOST, HOSTS, ISSUER


def manifestOf(package: bytes) -> dict[str, Any]:
    """
    What is in the file, which is nothing else.
    """
    with ZipFile(BytesIO(package)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json"]
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


class AddOnTests(SynchronousTestCase):
    """
    L{AddOn}.
    """

    def setUp(self) -> None:
        """
        It.
        """
        self.addOn = AddOn(HOSTS)
        self.changed = AddOn(attrs.evolve(HOSTS, issuer="https://elsewhere.example.org"))

    def newest(self, addOn: AddOn, installed: str | None = None) -> dict[str, str]:
        """
        The update that is offered.
        """
        [update] = addOn.updates(installed)["addons"][addOn.identifier]["updates"]
        found: dict[str, str] = update
        return found

    def test_manifest(self) -> None:
        """
        The manifest says how to sign in for this mail host, as a client that is known here.
        """
        manifest = manifestOf(self.addOn.package())
        gecko = manifest["browser_specific_settings"]["gecko"]
        oauth = manifest["oauth_provider"]

        self.assertEqual(2, manifest["manifest_version"])
        self.assertEqual((f"oauth@{HOST}", "140.0"), (gecko["id"], gecko["strict_min_version"]))
        client = BUILT_IN[oauth.pop("clientId")]
        self.assertEqual(client.redirectURIs, (oauth.pop("redirectionEndpoint"),))
        self.assertEqual(
            {
                "issuer": "id.example.org",
                "issuerIdentifier": ISSUER,
                "authorizationEndpoint": f"{ISSUER}/authorize",
                "tokenEndpoint": f"{ISSUER}/token",
                "usePKCE": True,
                "useExternalBrowser": True,
                "hostnames": [HOST],
                "scopes": "urn:ietf:params:oauth:scope:mail offline_access",
            },
            oauth,
        )

    def test_same(self) -> None:
        """
        The file is the same octets each time, and who has it needs no other.
        """
        version = manifestOf(self.addOn.package())["version"]

        self.assertEqual(self.addOn.package(), AddOn(HOSTS).package())
        self.assertEqual(version, self.newest(self.addOn)["version"])
        self.assertEqual(version, self.newest(self.addOn, version)["version"])

    def test_raised(self) -> None:
        """
        What changes gets a higher version than the one that is installed, whichever that is, and
        what is offered is what is there to be fetched.
        """
        first = manifestOf(self.addOn.package())["version"]
        second = self.newest(self.changed, first)["version"]
        third = self.newest(self.addOn, second)["version"]

        majors = [int(each.partition(".")[0]) for each in (first, second, third)]
        self.assertEqual([1, 2, 3], majors)
        update = self.newest(self.changed, first)
        path, _, query = update["update_link"].partition("?version=")
        self.assertEqual(f"https://elsewhere.example.org/{self.changed.path}", path)
        package = self.changed.package(query)
        self.assertEqual(second, manifestOf(package)["version"])
        self.assertEqual(f"sha256:{sha256(package).hexdigest()}", update["update_hash"])

    def test_strangeVersions(self) -> None:
        """
        Whatever else somebody says is installed counts as nothing: the add-on manager takes up to
        nine digits a number.
        """
        usual = self.addOn.version(None)
        for strange in (
            "",
            "1",
            "0.5",
            "01.5",
            "1.05",
            "1.2.3",
            "123456789.1",
            "1.1234567890",
            "x",
        ):
            self.assertEqual(usual, self.addOn.version(strange))
        self.assertRegex(usual, r"^1\.[0-9]{1,9}$")

    def test_policies(self) -> None:
        """
        An organisation's policy installs it from here.
        """
        self.assertEqual(
            {
                f"oauth@{HOST}": {
                    "installation_mode": "force_installed",
                    "install_url": f"{ISSUER}/setup/thunderbird/{HOST}.xpi",
                }
            },
            self.addOn.policies()["policies"]["ExtensionSettings"],
        )
