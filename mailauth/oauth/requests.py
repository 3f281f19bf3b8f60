"""
What a client sends to an OAuth endpoint: a form, parsed once (RFC 6749 appendix B). Owns how large
and how strange one may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from ..scopes import KNOWN_SCOPES, MAIL_SCOPE, parseScope
from .responses import OAuthError

MAX_OCTETS = 16 * 1024
MAX_FIELDS = 50
MAX_SCOPE = 1000

_REPEATABLE = frozenset({"resource"})
"""
RFC 8707 section 2. Everything else may be there once (RFC 6749 section 3.1).
"""


class Form(dict[str, str]):
    """
    The parameters of one request, as they were read: nobody changes it. One without a value counts
    as not sent (RFC 6749 section 3.1). Its repr shows the names alone: some of the values are
    secrets.
    """

    __slots__ = ("resources",)

    def __init__(self, values: Mapping[str, str], resources: tuple[str, ...] = ()) -> None:
        """
        @param resources: the values of C{resource}, in order.
        """
        super().__init__(values)
        self.resources = resources

    def __repr__(self) -> str:
        return f"<Form {' '.join(sorted(self))}>"

    def required(self, name: str) -> str:
        """
        @raise OAuthError: it is missing.
        """
        value = self.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"The parameter {name} is missing.")
        return value


def parseForm(octets: bytes) -> Form:
    """
    Read C{application/x-www-form-urlencoded}, from a body or a query.

    @raise OAuthError: it is too large, not UTF-8, holds a NUL or a parameter twice.
    """
    if len(octets) > MAX_OCTETS:
        raise OAuthError("invalid_request", "The request is too large.")
    fields = octets.split(b"&") if octets else []
    if len(fields) > MAX_FIELDS:
        raise OAuthError("invalid_request", "The request has too many parameters.")
    values: dict[str, str] = {}
    resources: list[str] = []
    for field in fields:
        encodedName, _, encodedValue = field.partition(b"=")
        name, value = _decode(encodedName), _decode(encodedValue)
        if not value or not name:
            continue
        if name in _REPEATABLE:
            resources.append(value)
        elif name in values:
            # Its name is the client's own text, and goes into no answer.
            raise OAuthError("invalid_request", "A parameter is there more than once.")
        else:
            values[name] = value
    return Form(values, tuple(resources))


def _decode(part: bytes) -> str:
    try:
        text = unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "A parameter is not in UTF-8.") from None
    if "\0" in text:
        raise OAuthError("invalid_request", "A parameter has a NUL in it.")
    return text


def requestedScope(text: str | None, allowed: frozenset[str]) -> frozenset[str]:
    """
    The scope that a client asks for: all of it or nothing. A mail client that got less would lose
    its token at the next start.

    @param text: the parameter C{scope}. Without one it is all of mail, or all that is allowed where
        that is less (RFC 6749 section 3.3).
    @param allowed: what the client may ask for.
    @raise OAuthError: it is malformed, or a scope in it is unknown or not allowed.
    """
    if text is None:
        return frozenset({MAIL_SCOPE}) if MAIL_SCOPE in allowed else allowed
    scope = _readScope(text)
    if not scope <= KNOWN_SCOPES:
        raise OAuthError("invalid_scope", "There is no such scope.")
    if not scope <= allowed:
        raise OAuthError("invalid_scope", "The client may not ask for this scope.")
    return scope


def narrowedScope(text: str | None, granted: frozenset[str]) -> frozenset[str]:
    """
    The scope that a client asks for with a refresh token (RFC 6749 section 6).

    @param text: the parameter C{scope}. Without one it is what was granted.
    @raise OAuthError: it is malformed, or more than was granted.
    """
    if text is None:
        return granted
    scope = _readScope(text)
    if not scope <= granted:
        raise OAuthError("invalid_scope", "This scope was not granted.")
    return scope


def _readScope(text: str) -> frozenset[str]:
    try:
        scope = parseScope(text) if len(text) <= MAX_SCOPE else frozenset()
    except ValueError:
        scope = frozenset()
    if not scope:
        raise OAuthError("invalid_scope", "The scope is malformed.")
    return scope
