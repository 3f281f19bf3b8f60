"""
The system's keyring, where it is there: the package keyring finds it (GNOME, KDE, macOS). Owns what
becomes of its failures, of which every system has its own.
"""

from __future__ import annotations

from .failures import Outage

SERVICE = "mailauth-token"


def keep(address: str, refreshToken: str) -> bool:
    """
    Put a refresh token there.

    @return: whether it is.
    """
    try:
        import keyring

        keyring.set_password(SERVICE, address, refreshToken)
        # Some take everything, and keep nothing.
        return keyring.get_password(SERVICE, address) == refreshToken
    except Exception:
        return False


def find(address: str) -> str:
    """
    The refresh token.

    @raise Outage: it cannot be read now.
    """
    try:
        import keyring

        found = keyring.get_password(SERVICE, address)
    except Exception as error:
        raise Outage(
            f"The keyring of this system cannot be read now ({type(error).__name__}). Is it"
            " unlocked? For programs that run while nobody is there sign in with --no-keyring."
        ) from None
    if found is None:
        raise Outage(
            f"The keyring of this system has nothing for {address}. If it is not locked, sign in"
            f" again: mailauth-token login {address}"
        )
    return found


def forget(address: str) -> None:
    """
    Take a refresh token out of it, if it can be done.
    """
    try:
        import keyring

        keyring.delete_password(SERVICE, address)
    except Exception:
        return
