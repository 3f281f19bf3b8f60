"""
Tests of the listener on loopback. What it takes is tested with the command.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from twisted.trial.unittest import SynchronousTestCase

from mailauth.tokenclient.failures import Refusal
from mailauth.tokenclient.loopback import Listener


class ListenerTests(SynchronousTestCase):
    """
    A listener.
    """

    def test_idle(self) -> None:
        """
        A browser that opens a connection and says nothing keeps nobody else waiting.
        """
        with Listener() as listener:
            host = ("127.0.0.1", urlsplit(listener.redirectURI).port)
            with socket.create_connection(host):
                address = f"{listener.redirectURI}?code=c&state={listener.state}"
                build_opener(ProxyHandler({})).open(address).close()

                self.assertEqual({"code": "c", "state": listener.state}, listener.wait())

    def test_nobody(self) -> None:
        """
        Nobody is waited for for ever.
        """
        with Listener() as listener:
            self.assertRaises(Refusal, listener.wait, 0.05)
