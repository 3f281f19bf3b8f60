"""
What was acknowledged is there, once, after the process was killed.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.files import UniqueNames
from mailauth.server.mailbox.maildir import Maildir

from .parlour import makeDirectory

KILLS = 15

DELIVERER = """
import sys, time
from pathlib import Path
from mailauth.server.mailbox.files import UniqueNames
from mailauth.server.mailbox.maildir import Maildir

maildir = Maildir(Path(sys.argv[1]), UniqueNames(time.time, "host.test"))
maildir.create()
inbox = maildir.folder("INBOX")
number = int(sys.argv[2])
while True:
    inbox.deliver(b"message %d\\r\\n" % number * 2000)
    inbox.claim()
    uid = max(inbox.messages)
    print(number, uid, inbox.uidList.uidValidity, flush=True)
    number += 1
"""


class KillTests(SynchronousTestCase):
    """
    A process that delivers and gives UIDs, killed again and again.
    """

    def test_kill(self) -> None:
        """
        Every acknowledged message is there once, whole, and under the UID that was told.
        """
        path = makeDirectory(self)
        chance = random.Random(7)
        acknowledged: dict[bytes, tuple[int, int]] = {}
        for round in range(KILLS):
            process = subprocess.Popen(
                [sys.executable, "-c", DELIVERER, str(path), str(round * 1000)],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randrange(1, 30))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
            process.stdout.close()
            process.wait()
            for line in lines:
                if line.endswith("\n"):
                    number, uid, validity = map(int, line.split())
                    acknowledged[b"message %d\r\n" % number * 2000] = (uid, validity)

        folder = Maildir(path, UniqueNames(lambda: 0, "host.test")).folder("INBOX").scan()
        stored: dict[bytes, list[tuple[int, int]]] = {}
        for uid in folder.messages:
            place = (uid, folder.uidList.uidValidity)
            stored.setdefault(folder.open(uid).read(), []).append(place)

        self.assertGreaterEqual(len(acknowledged), KILLS)
        for content, place in acknowledged.items():
            self.assertEqual([place], stored.get(content))
        for content in stored:
            self.assertEqual(2000, content.count(b"message "))
