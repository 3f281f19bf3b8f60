"""
A client of the authorization server that is made of openid-client. Owns its process, and how it is
told what to do.
"""

from __future__ import annotations

import json
import os
import subprocess
from threading import Timer
from typing import Any

from .nodejs import SCRIPTS
from .programs import TIMEOUT


class Refused(Exception):
    """
    A step was refused: by the server, or by the client because of what the server said.

    @ivar error: the server's code (RFC 6749 section 5.2), C{None} if it is the client's opinion.
    @ivar status: of the server's answer.
    """

    def __init__(self, refusal: dict[str, Any]) -> None:
        super().__init__(refusal)
        self.error = refusal.get("error")
        self.status = refusal.get("status")


class RelyingParty:
    """
    One that runs.
    """

    def __init__(self, authority: str) -> None:
        """
        Start it.

        @param authority: the file with the certificate to trust.
        """
        self._process = subprocess.Popen(
            ("node", SCRIPTS / "openidclient.mjs"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": authority},
        )

    def take(self, step: str, *arguments: Any) -> Any:
        """
        Take one of the steps in C{node/openidclient.mjs}.

        @raise Refused: it did not work.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        requests.write(json.dumps({"step": step, "arguments": arguments}).encode() + b"\n")
        requests.flush()
        hanging = Timer(TIMEOUT, self._process.kill)
        hanging.start()
        try:
            answer = json.loads(answers.readline())
        finally:
            hanging.cancel()
        if "refusal" in answer:
            raise Refused(answer["refusal"])
        return answer["value"]

    def end(self) -> None:
        """
        End it, and wait until it is gone.
        """
        self._process.communicate(timeout=TIMEOUT)
