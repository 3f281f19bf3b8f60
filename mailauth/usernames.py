"""
Login name and account name: one canonical form, one comparison.

Look-up, throttle, cache, log and tags all use the canonical form, so that no two spellings of a
name are two accounts, or two budgets for guessing, and no two accounts are one (SA9).
"""

from __future__ import annotations

import re
import unicodedata

import idna

from .errors import InvalidCredentials

MAX_OCTETS = 320
"""
64 octets of local part, an @, and 255 of domain (RFC 5321 section 4.5.3.1).
"""

_ASCII_NAME = re.compile(r"[a-z0-9!#$&'+\-./=?^_`{|}~]+(?:@[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?)?")
"""
The names that almost all are, for which nothing more has to be looked at. It leaves out C{*} and
C{%}, which other systems give a meaning to (SA8).
"""

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Me"})
_FORBIDDEN_ASCII = frozenset('*%"(),:;<>@[\\]')


def canonicalName(loginName: bytes | str, defaultDomain: str | None = None) -> str:
    """
    The account name that a login name stands for: composed (NFC), in lower case, full-width
    letters folded (RFC 8265's UsernameCaseMapped), the domain in A-labels (RFC 5891).

    @param loginName: as typed; octets are UTF-8.
    @param defaultDomain: what to put behind a name without a domain, in canonical form, or
        C{None} to leave such a name as it is.
    @raise InvalidCredentials: no account can have this name. The answer is that of a wrong
        password.
    """
    if isinstance(loginName, bytes):
        try:
            loginName = loginName.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidCredentials("the login name is not UTF-8") from None
    if not loginName or len(loginName) > MAX_OCTETS:
        raise InvalidCredentials("the login name is empty or too long")
    name = loginName.lower() if loginName.isascii() else _foldName(loginName)
    if _ASCII_NAME.fullmatch(name) is None or ".." in name:
        name = _canonicalForm(name)
        if _canonicalForm(_foldName(name)) != name:
            raise InvalidCredentials("the login name has no stable form")
    if defaultDomain is not None and "@" not in name:
        name = f"{name}@{defaultDomain}"
    if len(name.encode("utf-8")) > MAX_OCTETS:
        raise InvalidCredentials("the login name is too long")
    return name


def _foldName(name: str) -> str:
    """
    Width, case and composition, in RFC 8265's order.
    """
    narrow = "".join(_narrow(character) for character in name)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", narrow).lower())


def _narrow(character: str) -> str:
    decomposition = unicodedata.decomposition(character)
    if decomposition.startswith(("<wide>", "<narrow>")):
        return chr(int(decomposition.split()[1], 16))
    return character


def _canonicalForm(name: str) -> str:
    """
    Check what L{_foldName} left, and bring the domain into A-labels.
    """
    localPart, at, domain = name.rpartition("@")
    if not at:
        localPart, domain = domain, ""
    for character in localPart:
        if (
            unicodedata.category(character) in _FORBIDDEN_CATEGORIES
            or character in _FORBIDDEN_ASCII
        ):
            raise InvalidCredentials("the login name has a character that no name has")
    if not localPart:
        raise InvalidCredentials("the login name has nothing before the @")
    if not at:
        return localPart
    try:
        ascii = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise InvalidCredentials("the login name has an impossible domain") from None
    return f"{localPart}@{ascii.lower()}"
