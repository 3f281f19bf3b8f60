"""
Networks: whose neighbours share a limit.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


@lru_cache(maxsize=4096)
def networkOf(peer: str | None) -> str | None:
    """
    Whose neighbours share a budget: an IPv4 address, or the /64 of an IPv6 one, which is what one
    customer is given.

    @return: C{None} for loopback and for what is no IP address: those share nothing.
    """
    if peer is None or peer.startswith("127.") or peer == "::1":
        return None
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return networkOf(str(address.ipv4_mapped))
        return str(ip_network((address, 64), strict=False))
    return peer
