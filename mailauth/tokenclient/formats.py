"""
How a token is printed, for programs that do not make it what they need of it by themselves.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping


def _plain(address: str, token: str) -> str:
    return token


def _xoauth2(address: str, token: str) -> str:
    """
    The initial response of XOAUTH2.
    """
    return _base64(f"user={address}\x01auth=Bearer {token}\x01\x01")


def _oauthbearer(address: str, token: str) -> str:
    """
    The initial response of OAUTHBEARER (RFC 7628 section 3.1); the name as RFC 5801 section 4 has
    it.
    """
    name = address.replace("=", "=3D").replace(",", "=2C")
    return _base64(f"n,a={name},\x01auth=Bearer {token}\x01\x01")


def _curl(address: str, token: str) -> str:
    """
    Lines of a configuration of curl, so that the token is no argument of a command.
    """
    name = address.replace("\\", "\\\\").replace('"', '\\"')
    return f'user = "{name}"\noauth2-bearer = "{token}"'


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8")).decode("ascii")


FORMATS: Mapping[str, Callable[[str, str], str]] = {
    "plain": _plain,
    "xoauth2": _xoauth2,
    "oauthbearer": _oauthbearer,
    "curl": _curl,
}
