"""
Programs for Node. Owns what they need to run at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import SkipTest

from . import ALICE
from .demo import DemoTestCase
from .programs import need, run

SCRIPTS = Path(__file__).parent / "node"


class NodeTestCase(DemoTestCase):
    """
    The scripts are in C{node/}, and what they need is installed by C{npm ci} there.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("node")
        if not (SCRIPTS / "node_modules").is_dir():
            raise SkipTest("needs npm ci in tests/interop/node")
        super().setUp()

    def script(self, name: str, *arguments: dict[str, Any]) -> dict[str, Any]:
        """
        What a script says.
        """
        finished = run(
            *("node", str(SCRIPTS / name), *map(json.dumps, arguments)),
            environment={"NODE_EXTRA_CA_CERTS": self.demo.authority},
        )
        self.assertEqual(0, finished.status, finished)
        outcome: dict[str, Any] = json.loads(finished.output)
        return outcome

    def imapflow(self, listener: str, **secret: str) -> dict[str, Any]:
        """
        Read the first message.
        """
        options = {
            "host": "localhost",
            "port": self.demo.ports[listener],
            "secure": listener == "imaps",
            "doSTARTTLS": listener == "imap",
            "auth": {"user": ALICE, **secret},
        }
        return self.script("imapflow.mjs", options)
