"""
What the documentation says to do with the demo, done.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.config import STANDARD_PORTS

from ...interop.demo import startDemo
from ..deployment import makeDirectory

ROOT = Path(__file__).parents[3]

COMMANDS = re.compile(r"```\n(mailauth --data mailauth-demo dns .*?)```", re.DOTALL)


class DocumentedTests(SynchronousTestCase):
    """
    C{docs/operating.md}.
    """

    def test_demo(self) -> None:
        """
        Its commands find nothing wrong with the demo.
        """
        directory = makeDirectory(self)
        demo = startDemo(directory / "mailauth-demo")
        self.addCleanup(demo.stop)
        [commands] = COMMANDS.findall((ROOT / "docs" / "operating.md").read_text("utf-8"))
        for name, port in STANDARD_PORTS.items():
            commands = commands.replace(f"=:{port + 1000}", f"=:{demo.ports[name]}")
        command = f'set -e\nmailauth() {{ "{sys.executable}" -m mailauth "$@"; }}\n{commands}'

        done = subprocess.run(
            ["bash", "-c", command],
            cwd=directory,
            env={"PYTHONPATH": str(ROOT), "MAILAUTH_CONFIG": "/nowhere"},
            capture_output=True,
            text=True,
            timeout=60,
        )

        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        self.assertIn("Everything works: ", done.stdout)
