"""
Tests for L{mailauth.stores.documents}.
"""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    Client,
    DeviceCode,
    Grant,
    OpaqueToken,
)
from mailauth.oauth.tokens import AccessToken
from mailauth.stores.documents import fromDocument, toDocument

# By the type that an attribute has. What a store keeps of another type has to be added here.
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    str | None: st.none() | st.text(),
    float: st.floats(allow_nan=False),
    float | None: st.none() | st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(),
    bytes | None: st.none() | st.binary(),
    frozenset[str]: st.frozensets(st.text(), max_size=3),
    tuple[str, ...]: st.lists(st.text(), max_size=3).map(tuple),
}


def recordsOf(kind: type[Any]) -> st.SearchStrategy[Any]:
    """
    Records of a kind, with any values.
    """
    hints = get_type_hints(kind)
    names = [field.name for field in attrs.fields(kind) if field.init]
    return st.builds(kind, **{name: VALUES[hints[name]] for name in names})


for kind in (Authentication, AccessToken, Grant):
    VALUES[kind] = recordsOf(kind)
VALUES[Grant | None] = st.none() | VALUES[Grant]


class DocumentTests(SynchronousTestCase):
    """
    L{toDocument} and L{fromDocument}.
    """

    @given(st.one_of(recordsOf(Client), recordsOf(Grant)))
    def test_whole(self, record: Any) -> None:
        """
        What is written is read again, whatever is in it.
        """
        self.assertEqual(record, fromDocument(type(record), toDocument(record)))

    @given(
        st.one_of(
            *map(recordsOf, (AuthorizationCode, BrowserSession, DeviceCode, OpaqueToken)),
        ),
        st.data(),
    )
    def test_columns(self, record: Any, data: st.DataObject) -> None:
        """
        What has columns is not in the document, and is read from them.
        """
        names = [field.name for field in attrs.fields(type(record))]
        # These have columns wherever they are.
        columns = {"digest", *({"grant"} if isinstance(record, DeviceCode) else ())}
        columns |= data.draw(st.sets(st.sampled_from(names)))

        document = toDocument(record, columns)

        self.assertEqual(set(names) - columns, set(json.loads(document)))
        values = {name: getattr(record, name) for name in columns}
        self.assertEqual(record, fromDocument(type(record), document, **values))

    def test_older(self) -> None:
        """
        A document that was written before its record had an attribute has its default.
        """
        document = json.loads(toDocument(Client("a client", verified=True)))
        del document["softwareId"]
        del document["grantTypes"]

        read = fromDocument(Client, json.dumps(document))

        self.assertEqual(Client("a client", verified=True), read)
