"""
What a store of clients must do.
"""

from __future__ import annotations

import attrs
from zope.interface.verify import verifyObject

from ...credentials import clientTag
from ...oauth.interfaces import IClients
from ...oauth.records import Client
from ...stores.records import AlreadyExists, NotFound
from .records import (
    ALICE,
    CLIENT,
    ISSUER,
    digestOf,
    makeGrant,
)
from .suite import ConformanceWithAccounts, Heard


class ClientsConformance(ConformanceWithAccounts):
    """
    For L{IClients}.
    """

    client = Client(
        clientId=CLIENT,
        name="Ein Kunde, <b>\N{RIGHT-TO-LEFT OVERRIDE}",
        redirectURIs=("https://client.example/a", "http://127.0.0.1/b"),
        grantTypes=frozenset({"authorization_code", "client_credentials"}),
        scope=frozenset({"imap", "smtp"}),
        authMethod="private_key_jwt",
        secretDigest=b"\x00\xff" * 16,
        jwks='{"keys": []}',
        verified=True,
        opaqueTokens=True,
        resourceServer=True,
        insecureWithoutPKCE=True,
        created=3.5,
        softwareId="4NRB1-0XZABZI9E6-5SM3R",
        address="https://client.example/",
        postLogoutRedirectURIs=("https://client.example/bye",),
        backchannelLogoutURI="https://client.example/logout",
    )

    async def test_clientsInterface(self) -> None:
        """
        They provide all of the interface.
        """
        stores = await self.openStores()

        verifyObject(IClients, stores.clients)

    async def test_addedClient(self) -> None:
        """
        What was added is found by exactly its id, whole; and so is one of which little is known.
        """
        clients = (await self.openStores()).clients
        little = Client("another")
        await clients.add(self.client)
        await clients.add(little)

        self.assertEqual(self.client, await clients.get(CLIENT))
        self.assertEqual(little, await clients.get("another"))
        self.assertIsNone(await clients.get(CLIENT.upper()))
        self.assertIsNone(await clients.get(""))

    async def test_listedClients(self) -> None:
        """
        Clients are listed by id.
        """
        clients = (await self.openStores()).clients
        self.assertEqual((), await clients.list())
        z, b = Client("z"), Client("b")
        await clients.add(z)
        await clients.add(b)

        self.assertEqual((b, z), await clients.list())

    async def test_clientTwice(self) -> None:
        """
        An id is taken once, and the first record stays.
        """
        clients = (await self.openStores()).clients
        await clients.add(self.client)

        await self.assertFails(AlreadyExists, clients.add(Client(CLIENT, "another")))

        self.assertEqual(self.client, await clients.get(CLIENT))

    async def test_addedClientTells(self) -> None:
        """
        Adding a client touches its tag: somebody may remember that there is none.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)

        await stores.clients.add(self.client)

        self.assertEqual([({clientTag(ISSUER, CLIENT)}, None)], heard.news)

    async def test_removedClient(self) -> None:
        """
        A client that is removed takes its grants along, and what they issued; its tag is revoked,
        and no other client's grant or tag is.
        """
        stores = await self.openStores()
        await stores.clients.add(self.client)
        await stores.clients.add(Client("another"))
        other = attrs.evolve(makeGrant("of another"), clientId="another")
        await self.addGrant(stores, makeGrant("of the client"), "token of the client")
        await self.addGrant(stores, other, "token of another")

        await stores.clients.remove(CLIENT)

        self.assertIsNone(await stores.clients.get(CLIENT))
        self.assertEqual((other,), await stores.grants.list(ALICE.name))
        self.assertIsNone(await stores.grants.get("of the client"))
        self.assertIsNone(await stores.opaqueTokens.find(digestOf("token of the client")))
        self.assertIsNotNone(await stores.opaqueTokens.find(digestOf("token of another")))
        self.assertRevoked(stores, clientTag(ISSUER, CLIENT))
        self.assertFalse(stores.revocations.covers([clientTag(ISSUER, "another")], 0))

    async def test_noSuchClient(self) -> None:
        """
        A client that is not there cannot be removed, and nothing is revoked.
        """
        stores = await self.openStores()
        heard = Heard(stores.revocations)

        await self.assertFails(NotFound, stores.clients.remove("nobody"))

        self.assertEqual([], heard.news)
