"""
A record as a JSON document, and back. Owns how what is no JSON is written in it.

A table has columns for what its statements ask for or change; the rest of a record is its
document, so that what a record has more of one day needs no migration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, TypeVar, get_type_hints

import attrs

from ..oauth.records import Authentication, Grant
from ..oauth.tokens import AccessToken

T = TypeVar("T", bound=attrs.AttrsInstance)


def toDocument(record: attrs.AttrsInstance, without: Collection[str] = ()) -> str:
    """
    @param without: the attributes that have columns.
    """
    members = _members(record)
    for name in without:
        del members[name]
    return json.dumps(members, separators=(",", ":"))


def fromDocument(kind: type[T], document: str, **columns: Any) -> T:
    """
    @param columns: the attributes that are not in the document.
    """
    return _record(kind, json.loads(document), **columns)


def _members(record: attrs.AttrsInstance) -> dict[str, Any]:
    names = (field.name for field in attrs.fields(type(record)) if field.init)
    return {name: _toJSON(getattr(record, name)) for name in names}


def _toJSON(value: Any) -> Any:
    if attrs.has(type(value)):
        return _members(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return value.hex() if isinstance(value, bytes) else value


def _record(kind: type[T], members: Mapping[str, Any], **columns: Any) -> T:
    readers = _readers(kind)
    for name, value in members.items():
        read = readers.get(name)
        columns[name] = value if read is None or value is None else read(value)
    return kind(**columns)


@cache
def _readers(kind: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    """
    How each attribute is read that is not in JSON what it is here.
    """
    hints = get_type_hints(kind)
    return {name: _READERS[hint] for name, hint in hints.items() if hint in _READERS}


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    frozenset[str]: frozenset,
    tuple[str, ...]: tuple,
    bytes | None: bytes.fromhex,
    Authentication: lambda members: _record(Authentication, members),
    Grant: lambda members: _record(Grant, members),
    AccessToken: lambda members: _record(AccessToken, members),
}
