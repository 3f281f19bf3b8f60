"""
What a client sends to an OAuth endpoint: a form, parsed once (RFC 6749 appendix B). Owns how large
and how strange one may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from .responses import OAuthError

MAX_OCTETS = 16 * 1024
MAX_FIELDS = 50

_REPEATABLE = frozenset({"resource"})
"""
RFC 8707 section 2. Everything else may be there once (RFC 6749 section 3.1).
"""


class Form(Mapping[str, str]):
    """
    The parameters of one request. One without a value counts as not sent (RFC 6749 section 3.1).
    Its repr shows the names alone: some of the values are secrets.
    """

    __slots__ = ("_values", "resources")

    def __init__(self, values: Mapping[str, str], resources: tuple[str, ...] = ()) -> None:
        """
        @param resources: the values of C{resource}, in order.
        """
        self._values = dict(values)
        self.resources = resources

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Form {' '.join(sorted(self._values))}>"

    def required(self, name: str) -> str:
        """
        @raise OAuthError: it is missing.
        """
        value = self._values.get(name)
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
        name, _, value = (_decode(part) for part in field.partition(b"="))
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
