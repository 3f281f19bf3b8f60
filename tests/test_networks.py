"""
Whose neighbours share a limit.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.networks import networkOf


class NetworkOfTests(SynchronousTestCase):
    """
    L{networkOf}.
    """

    def test_table(self) -> None:
        """
        An IPv4 address stands for itself, an IPv6 address for its /64, an IPv4 address written
        as IPv6 for the IPv4 one (PW7).
        """
        table = {
            "192.0.2.1": "192.0.2.1",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
            "2001:db8:1:2::": "2001:db8:1:2::/64",
            "fe80::1%eth0": "fe80::/64",
            "::ffff:192.0.2.1": "192.0.2.1",
        }
        for peer, network in table.items():
            with self.subTest(peer):
                self.assertEqual(network, networkOf(peer))

    def test_noNetwork(self) -> None:
        """
        Loopback in any spelling shares nothing, and neither does what is no address.
        """
        for peer in (None, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "/run/socket"):
            with self.subTest(peer):
                self.assertIs(None, networkOf(peer))

    @given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
    def test_neighbours(self, address: object, host: int) -> None:
        """
        Two addresses of one /64 share a network.
        """
        packed = int.from_bytes(address.packed, "big")  # type: ignore[attr-defined]  # hypothesis
        neighbour = type(address)(packed >> 64 << 64 | host)  # type: ignore[call-arg]  # likewise
        if packed >> 64:
            self.assertEqual(networkOf(str(address)), networkOf(str(neighbour)))
