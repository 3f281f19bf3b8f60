"""
Tests for L{mailauth.server.actions.accounts}.
"""

from __future__ import annotations

import bcrypt

from mailauth.credentials import accountTag
from mailauth.passwords import UnusablePassword
from mailauth.server.actions.accounts import UnusableName
from mailauth.stores.events import Kind
from mailauth.stores.records import Account, Alias, AlreadyExists, NotFound
from mailauth.testing.stores import NOW

from .case import ADMINISTRATOR, ALICE, BOB, OWNER, AdministrationCase


class AccountActionsTests(AdministrationCase):
    """
    Accounts.
    """

    def setUp(self) -> None:
        """
        The actions.
        """
        super().setUp()
        self.accounts = self.administration.accounts

    def stored(self, name: str) -> Account:
        """
        The record of an account.
        """
        return self.got(self.accounts.get(name))

    def test_created(self) -> None:
        """
        An account is made under the canonical form of what was typed, with its password hashed.
        """
        made = self.got(self.accounts.create(ADMINISTRATOR, "Carol", b"a secret", "everywhere"))

        self.assertEqual(made, self.stored("carol@example.test"))
        self.assertEqual(("everywhere", NOW), (made.passwordRule, made.created))
        self.assertTrue(bcrypt.checkpw(b"a secret", (made.passwordHash or "").encode()))
        self.assertEqual(
            [("account_created", ADMINISTRATOR, "carol@example.test", "")], self.events()
        )

    def test_cannotCreate(self) -> None:
        """
        What cannot be made leaves no event, and it is said why.
        """
        for error, typed, password, says in (
            (UnusableName, "a b", None, "a b"),
            (AlreadyExists, "ALICE", None, ALICE),
            (UnusablePassword, "carol", b"", "empty"),
        ):
            creating = self.accounts.create(ADMINISTRATOR, typed, password)
            self.assertIn(says, self.refused(error, creating))

        self.assertEqual([], self.events())

    def test_life(self) -> None:
        """
        Each change does what its store does, and is an event.
        """
        accounts = self.accounts
        connection = self.connect(ALICE)

        self.got(accounts.disable(ADMINISTRATOR, ALICE))
        self.assertFalse(self.stored(ALICE).enabled)
        self.assertEqual("This account was disabled.", connection.ended)
        self.got(accounts.enable(ADMINISTRATOR, ALICE))
        self.assertTrue(self.stored(ALICE).enabled)
        self.got(accounts.setPasswordRule(ADMINISTRATOR, ALICE, "web"))
        self.assertEqual("web", self.stored(ALICE).passwordRule)
        self.got(accounts.remove(ADMINISTRATOR, ALICE))
        self.assertIn(ALICE, self.refused(NotFound, accounts.get(ALICE)))

        self.assertEqual(
            ["account_disabled", "account_enabled", "password_rule_set", "account_removed"],
            self.kinds(),
        )

    def test_nobody(self) -> None:
        """
        Nothing is done to an account that is not there.
        """
        accounts, nobody = self.accounts, "nobody@example.test"

        for doing in (
            accounts.disable(ADMINISTRATOR, nobody),
            accounts.enable(ADMINISTRATOR, nobody),
            accounts.remove(ADMINISTRATOR, nobody),
            accounts.setPassword(ADMINISTRATOR, nobody, b"a secret"),
            accounts.clearPassword(ADMINISTRATOR, nobody),
            accounts.setPasswordRule(ADMINISTRATOR, nobody, None),
            accounts.addAlias(ADMINISTRATOR, nobody, "info"),
        ):
            self.assertIn(nobody, self.refused(NotFound, doing))

        self.assertEqual([], self.events())
        self.assertEqual([], self.delivered)

    def test_password(self) -> None:
        """
        A new password ends what was open, and the owner hears of it by mail; so does he if there is
        none any more.
        """
        self.got(self.accounts.setPassword(OWNER, ALICE, b"a new secret"))
        hashed = self.stored(ALICE).passwordHash or ""
        self.assertTrue(bcrypt.checkpw(b"a new secret", hashed.encode()))
        self.assertTrue(self.stores.revocations.covers([accountTag(ALICE)], NOW))

        self.got(self.accounts.clearPassword(ADMINISTRATOR, ALICE))
        self.assertIsNone(self.stored(ALICE).passwordHash)

        self.assertEqual(["password_set", "password_cleared"], self.kinds())
        self.assertEqual([ALICE, ALICE], [account for account, _ in self.delivered])
        self.assertIn("was changed", self.delivered[0][1])
        self.assertIn("was removed", self.delivered[1][1])
        self.assertNotIn("a new secret", str(self.delivered) + str(self.events()))

    def test_found(self) -> None:
        """
        Accounts are found by a word as somebody types it, page by page, or all at once.
        """
        for number in range(5):
            self.got(self.accounts.create(ADMINISTRATOR, f"x{number}"))

        async def names(word: str) -> list[str]:
            return [account.name async for account in self.accounts.findAll(word)]

        first = self.got(self.accounts.find(" X", limit=3))
        second = self.got(self.accounts.find("x", first[-1].name, 100))

        expected = [f"x{number}@example.test" for number in range(5)]
        found = [account.name for account in (*first, *second)]
        self.assertEqual(expected, [name for name in found if name.startswith("x")])
        self.assertEqual([ALICE, BOB, *expected], self.got(names("")))
        self.assertEqual([ALICE], self.got(names("Alice")))

    def test_aliases(self) -> None:
        """
        An address is given to an account and taken away, in its canonical form.
        """
        added = self.got(self.accounts.addAlias(ADMINISTRATOR, ALICE, "Info"))
        other = self.got(self.accounts.addAlias(ADMINISTRATOR, ALICE, "Sales@Bücher.example"))

        self.assertEqual(Alias("info@example.test", ALICE, NOW), added)
        self.assertEqual((added, other), self.got(self.accounts.listAliases(ALICE)))
        self.assertEqual("sales@xn--bcher-kva.example", other.address)
        self.got(self.accounts.removeAlias(ADMINISTRATOR, ALICE, "INFO@example.test"))
        self.assertEqual((other,), self.got(self.accounts.listAliases(ALICE)))
        self.assertEqual(
            [
                ("alias_added", ADMINISTRATOR, ALICE, "info@example.test"),
                ("alias_added", ADMINISTRATOR, ALICE, "sales@xn--bcher-kva.example"),
                ("alias_removed", ADMINISTRATOR, ALICE, "info@example.test"),
            ],
            self.events(),
        )

    def test_takenAlias(self) -> None:
        """
        Whose an address is already, is said.
        """
        self.got(self.accounts.addAlias(ADMINISTRATOR, ALICE, "info"))

        taken = self.refused(AlreadyExists, self.accounts.addAlias(ADMINISTRATOR, BOB, "info"))
        named = self.refused(AlreadyExists, self.accounts.create(ADMINISTRATOR, "info"))
        account = self.refused(AlreadyExists, self.accounts.addAlias(ADMINISTRATOR, ALICE, BOB))

        for says in (taken, named):
            self.assertEqual(f"info@example.test is an alias of {ALICE} already.", says)
        self.assertEqual(f"There is an account {BOB} already.", account)
        self.assertEqual([str(Kind.ALIAS_ADDED)], self.kinds())
