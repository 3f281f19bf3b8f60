"""
Login name and account name: one canonical form, one comparison.

Look-up, throttle, cache, log and tags all use the canonical form, so that no two spellings of a
name are two accounts, or two budgets for guessing, and no two accounts are one (SA9).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

from .errors import InvalidCredentials

MAX_OCTETS = 320
"""
64 octets of local part, an @, and 255 of domain (RFC 5321 section 4.5.3.1).
"""

_SPECIALS = "!#$&'+-/=?^_`{|}~"
"""
What a local part may hold beside letters, digits and dots (RFC 5321 section 4.1.2), without C{*}
and C{%}, which other systems give a meaning to (SA8).
"""

_ATOM = rf"[a-z0-9{re.escape(_SPECIALS)}]+"
_LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_ASCII_NAME = re.compile(rf"{_ATOM}(?:\.{_ATOM})*(?:@{_LABEL}(?:\.{_LABEL})*)?")
_MAX_LABEL = 63
"""
The names that almost all are. For those no longer than one label may be (RFC 1035 section 2.3.4),
nothing more has to be looked at.
"""

_WITHOUT_SPECIALS = str.maketrans("", "", _SPECIALS)
_JOINERS = frozenset("\u200c\u200d")


@lru_cache(maxsize=10_000, typed=True)  # every login asks for the same name several times
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
    if len(name) > _MAX_LABEL or _ASCII_NAME.fullmatch(name) is None:
        try:
            name = _canonicalForm(name)
        except UnicodeError:
            raise InvalidCredentials("no account can have this login name") from None
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
    Check what is left of a name once it is folded, and bring its domain into A-labels.

    @raise UnicodeError: no account can have this name.
    """
    localPart, at, domain = name.partition("@")
    for atom in localPart.split("."):
        _checkAtom(atom)
    if not at:
        return localPart
    aLabels = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    if aLabels.endswith("."):
        raise idna.IDNAError("a second spelling of the domain")
    return f"{localPart}@{aLabels}"


def _checkAtom(atom: str) -> None:
    """
    Between the dots of a local part stand the letters and digits that may stand in a domain
    (RFC 5892: of any script, but none that a second folding would change and none that cannot be
    seen), and the specials. The joiners that RFC 5892 takes between some letters cannot be seen.

    @raise UnicodeError: something else does.
    """
    if not atom or not _JOINERS.isdisjoint(atom):
        raise idna.IDNAError("an empty atom, or a joiner")
    letters = atom.translate(_WITHOUT_SPECIALS)
    if letters:
        idna.check_label(letters)
