"""
Tests for L{mailauth.policy}: tables of cases, for the policy is pure.
"""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import AvatarId, LoginContext
from mailauth.errors import (
    AccountDisabled,
    ExpiredPassword,
    ExpiredToken,
    InsufficientScope,
    InvalidCredentials,
    InvalidToken,
    NotOwner,
    Refusal,
    ServiceNotAllowed,
)
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.policy import (
    PASSWORD_RULES,
    TokenPolicy,
    admitAccountPassword,
    admitAppPassword,
    admitToken,
    passwordAllowed,
)
from mailauth.scopes import MAIL_SCOPE, MAIL_SERVICES, SERVICE_SCOPES
from mailauth.stores.records import Account, AppPassword

NOW = 1000.0
NAME = "alice@example.test"
ISSUER = "https://issuer.example"
DISABLED = Account(NAME, enabled=False)

TOKEN = AccessToken(
    issuer=ISSUER,
    subject="8f3e",
    owner=NAME,
    scope=frozenset({MAIL_SCOPE}),
    audience=frozenset({"mail.example"}),
    expires=NOW + 100,
    issued=NOW,
    clientId="thunderbird",
    tokenId="7",
)

APP_PASSWORD = AppPassword("phone-1", NAME, "phone", digest=bytes(32))

# How the owner may spell himself, and whom else somebody might ask for (SA1, SA9).
OWN_SPELLINGS = (
    None,
    b"",
    b"alice@example.test",
    b"alice",
    b"ALICE@Example.TEST",
    "\N{FULLWIDTH LATIN SMALL LETTER A}lice@example.test".encode(),
)
OTHERS = (
    b"bob@example.test",
    b"bob",
    b"alice@other.test",
    b"alice@example.test.",
    b"alice @example.test",
    b"alice@example.test\0",
    b"alice*admin",
    b"alice@example.test,bob@example.test",
    "alice\N{ZERO WIDTH SPACE}@example.test".encode(),
    "\N{CYRILLIC SMALL LETTER A}lice@example.test".encode(),
    b"\xff",
    b"x" * 1000,
    b"@example.test",
)


class PolicyTestCase(SynchronousTestCase):
    """
    Whoever is refused is refused by the exact class, for what he is told depends on it.
    """

    def assertRefused(self, kind: type[Refusal], ask: Any, *arguments: Any) -> Refusal:
        """
        The answer is no, and this no.
        """
        with self.assertRaises(Refusal, msg=arguments) as caught:
            ask(*arguments)
        error = caught.exception
        assert isinstance(error, Refusal)
        self.assertIs(type(error), kind, msg=arguments)
        return error


class TokenPolicyTests(PolicyTestCase):
    """
    Tokens.
    """

    policy = TokenPolicy(defaultDomain="example.test")

    def admit(
        self,
        token: AccessToken = TOKEN,
        account: Account | None = Account(NAME),  # noqa: B008
        authzid: bytes | None = None,
        service: str = "imap",
        now: float = NOW,
    ) -> AvatarId:
        """
        Ask for the usual login, but for this.
        """
        context = LoginContext(service)
        return admitToken(token, NAME, account, authzid, context, self.policy, now)

    def test_avatarId(self) -> None:
        """
        Who is let in is known by his account, his credential and all that can end it.
        """
        avatarId = self.admit()

        self.assertEqual(avatarId, NAME.encode())
        self.assertEqual(avatarId.tags, {f"account:{NAME}", *TOKEN.tags})
        self.assertEqual(avatarId.expires, TOKEN.expires)
        self.assertEqual(avatarId.credential, "token of thunderbird")
        self.assertFalse(avatarId.readOnly)

    def test_unnamedClient(self) -> None:
        """
        A token that does not say who got it belongs to some client.
        """
        avatarId = self.admit(attrs.evolve(TOKEN, clientId=None))

        self.assertEqual(avatarId.credential, "token of a client")

    def test_scopes(self) -> None:
        """
        One scope of the service's is enough, and that of another service is none (TK12).
        """
        cases = {
            "imap": ({MAIL_SCOPE, "imap"}, {"smtp", "pop", "pop3", "jmap", "IMAP", "openid"}),
            "smtp": ({MAIL_SCOPE, "smtp"}, {"imap", "pop", "pop3", "jmap"}),
            "pop3": ({MAIL_SCOPE, "pop", "pop3"}, {"imap", "smtp", "jmap"}),
            "jmap": ({MAIL_SCOPE, "jmap"}, {"imap", "smtp", "pop", "pop3"}),
            "web": (set(), {MAIL_SCOPE, "imap", "web"}),
            "": (set(), {MAIL_SCOPE, ""}),
        }
        self.assertEqual(set(cases) - {"web", ""}, set(SERVICE_SCOPES))
        for service, (good, bad) in cases.items():
            for scope in good:
                token = attrs.evolve(TOKEN, scope=frozenset({scope, "offline_access"}))
                self.admit(token, service=service)
            refused = attrs.evolve(TOKEN, scope=frozenset(bad))
            error = self.assertRefused(
                InsufficientScope, lambda t, s: self.admit(t, service=s), refused, service
            )
            self.assertEqual(error.scope, MAIL_SCOPE)
        self.assertRefused(InsufficientScope, self.admit, attrs.evolve(TOKEN, scope=frozenset()))

    def test_readOnlyScopes(self) -> None:
        """
        A scope for reading opens a service for reading alone, unless there is one for more; for
        sending there is none (O 43).
        """
        read = f"{MAIL_SCOPE}:read"
        for service, own in (("imap", "imap"), ("pop3", "pop3"), ("pop3", "pop"), ("jmap", "jmap")):
            for name in (read, f"{service}:read"):
                scope = frozenset({name, "offline_access"})
                self.assertTrue(
                    self.admit(attrs.evolve(TOKEN, scope=scope), service=service).readOnly
                )
                for more in (MAIL_SCOPE, own):
                    token = attrs.evolve(TOKEN, scope=scope | {more})
                    self.assertFalse(self.admit(token, service=service).readOnly)
            others = frozenset({f"{each}:read" for each in MAIL_SERVICES if each != service})
            self.assertRefused(
                InsufficientScope,
                lambda t, s: self.admit(t, service=s),
                attrs.evolve(TOKEN, scope=others),
                service,
            )
        for service in ("smtp", "web", ""):
            self.assertRefused(
                InsufficientScope,
                lambda t, s: self.admit(t, service=s),
                attrs.evolve(TOKEN, scope=frozenset({read, "smtp:read", "imap:read"})),
                service,
            )

    def test_configuredScopes(self) -> None:
        """
        Which scopes open a service, and which to ask for, the configuration says.
        """
        full, read = "https://mail.google.com/", "gmail.readonly"
        self.policy = TokenPolicy({"imap": frozenset({full})}, {"imap": frozenset({read})}, "mail")

        self.assertFalse(self.admit(attrs.evolve(TOKEN, scope=frozenset({full, read}))).readOnly)
        self.assertTrue(self.admit(attrs.evolve(TOKEN, scope=frozenset({read}))).readOnly)
        self.assertEqual(self.assertRefused(InsufficientScope, self.admit).scope, "mail")

    def test_issuerScopes(self) -> None:
        """
        Where an issuer names its scopes otherwise, these open its services, and those of others do
        not; other issuers' tokens are read as ever.
        """
        full = {
            "imap": "IMAP.AccessAsUser.All",
            "smtp": "SMTP.Send",
            "pop3": "POP.AccessAsUser.All",
        }
        self.policy = TokenPolicy(
            issuerScopes={ISSUER: {name: frozenset({scope}) for name, scope in full.items()}}
        )
        elsewhere = attrs.evolve(TOKEN, issuer="https://other.example")
        for service in MAIL_SERVICES:
            for named, scope in {**full, "ours": MAIL_SCOPE, "our own": service}.items():
                for token, opens in (
                    (TOKEN, named == service),
                    (elsewhere, named.startswith("our")),
                ):
                    token = attrs.evolve(token, scope=frozenset({scope}))
                    if opens:
                        self.assertFalse(self.admit(token, service=service).readOnly)
                    else:
                        self.assertRefused(
                            InsufficientScope,
                            lambda t, s: self.admit(t, service=s),
                            token,
                            service,
                        )
        read = attrs.evolve(TOKEN, scope=frozenset({"imap:read"}))
        self.assertTrue(self.admit(read).readOnly)

    def test_owner(self) -> None:
        """
        The authorization identity is the owner in any spelling (SA1, SA9).
        """
        for authzid in OWN_SPELLINGS:
            self.assertEqual(self.admit(authzid=authzid), NAME.encode())

    def test_notOwner(self) -> None:
        """
        A token does not open anybody else's account (SA1).
        """
        for authzid in OTHERS:
            self.assertRefused(NotOwner, lambda a: self.admit(authzid=a), authzid)

    def test_expired(self) -> None:
        """
        A token that was remembered ends when its validator would have ended it (CS3).
        """
        self.admit(now=TOKEN.expires + LEEWAY - 1)
        self.assertRefused(ExpiredToken, lambda: self.admit(now=TOKEN.expires + LEEWAY))

    def test_bound(self) -> None:
        """
        A token that is bound to a key is nothing without it, and SASL proves none (TK12).
        """
        self.assertRefused(InvalidToken, self.admit, attrs.evolve(TOKEN, bound=True))

    def test_account(self) -> None:
        """
        A valid token opens no account that is gone or disabled.
        """
        self.assertRefused(InvalidToken, self.admit, TOKEN, None)
        self.assertRefused(AccountDisabled, self.admit, TOKEN, DISABLED)

    def test_order(self) -> None:
        """
        Somebody else's account, disabled or not, is not told apart.
        """
        for account in (Account(NAME), DISABLED):
            self.assertRefused(NotOwner, self.admit, TOKEN, account, b"bob")
        self.assertRefused(
            InvalidToken, self.admit, attrs.evolve(TOKEN, bound=True), DISABLED, b"bob"
        )

    def test_ownerOf(self) -> None:
        """
        The owner's name is brought into the form that all look-ups use (SA9).
        """
        for owner in (NAME, "alice", "Alice@EXAMPLE.test"):
            self.assertEqual(self.policy.ownerOf(attrs.evolve(TOKEN, owner=owner)), NAME)
        for owner in ("", "a b", "alice\0", "\ud800", "x" * 1000, "@example.test"):
            self.assertRefused(InvalidToken, self.policy.ownerOf, attrs.evolve(TOKEN, owner=owner))

    def test_domains(self) -> None:
        """
        An issuer speaks for the domains that it was given, and for no other (TK14).
        """
        policy = TokenPolicy(domains={ISSUER: frozenset({"example.test"})})

        self.assertEqual(policy.ownerOf(TOKEN), NAME)
        for owner in ("alice@other.test", "alice@sub.example.test", "alice", "example.test"):
            self.assertRefused(InvalidToken, policy.ownerOf, attrs.evolve(TOKEN, owner=owner))
        unlimited = attrs.evolve(TOKEN, issuer="https://other.example", owner="alice@other.test")
        self.assertEqual(policy.ownerOf(unlimited), "alice@other.test")

    def test_issuerOfNothing(self) -> None:
        """
        An issuer that was given no domain speaks for nobody.
        """
        policy = TokenPolicy(domains={ISSUER: frozenset()})

        self.assertRefused(InvalidToken, policy.ownerOf, TOKEN)

    def test_checkDomain(self) -> None:
        """
        For whom an issuer may speak is asked of the account, whatever the token calls it.
        """
        policy = TokenPolicy(domains={ISSUER: frozenset({"example.test"})})

        policy.checkDomain(ISSUER, NAME)
        policy.checkDomain("https://other.example", "alice@other.test")
        self.assertRefused(InvalidToken, policy.checkDomain, ISSUER, "alice@other.test")


class AppPasswordPolicyTests(PolicyTestCase):
    """
    App passwords.
    """

    def admit(
        self,
        appPassword: AppPassword = APP_PASSWORD,
        account: Account | None = Account(NAME),  # noqa: B008
        username: str = NAME,
        authzid: bytes | None = None,
        service: str = "imap",
        peer: str | None = None,
        now: float = NOW,
    ) -> AvatarId:
        """
        Ask for the usual login, but for this.
        """
        context = LoginContext(service, peer)
        return admitAppPassword(
            appPassword, account, username, authzid, context, "example.test", now
        )

    def test_avatarId(self) -> None:
        """
        Who is let in is known by his account, his app password and what it may.
        """
        avatarId = self.admit(attrs.evolve(APP_PASSWORD, readOnly=True, expires=NOW + 5))

        self.assertEqual(avatarId, NAME.encode())
        self.assertEqual(avatarId.tags, {f"account:{NAME}", "app-password:phone-1"})
        self.assertEqual(avatarId.credential, "app password 'phone'")
        self.assertEqual((avatarId.readOnly, avatarId.expires), (True, NOW + 5))

    def test_owner(self) -> None:
        """
        It belongs to one account: neither another login name nor another authorization identity
        goes with it (SA1, SA9).
        """
        for authzid in OWN_SPELLINGS:
            self.assertEqual(self.admit(authzid=authzid), NAME.encode())
        for authzid in OTHERS:
            self.assertRefused(NotOwner, lambda a: self.admit(authzid=a), authzid)
        for username in ("bob@example.test", "alice", ""):
            self.assertRefused(InvalidCredentials, lambda u: self.admit(username=u), username)

    def test_account(self) -> None:
        """
        It opens no account that is gone or disabled.
        """
        self.assertRefused(InvalidCredentials, self.admit, APP_PASSWORD, None)
        self.assertRefused(AccountDisabled, self.admit, APP_PASSWORD, DISABLED)

    def test_services(self) -> None:
        """
        It is for the services that it names, or for all of mail; the web it never opens, whatever
        it says (PW12, WB11).
        """
        for service in MAIL_SERVICES:
            self.admit(service=service)
            one = attrs.evolve(APP_PASSWORD, services=frozenset({service}))
            self.admit(one, service=service)
            for other in {*MAIL_SERVICES, "web", ""} - {service}:
                self.assertRefused(
                    ServiceNotAllowed, lambda p, s: self.admit(p, service=s), one, other
                )
        for services in (set(), {"web"}, {"imap", "web"}):
            appPassword = attrs.evolve(APP_PASSWORD, services=frozenset(services))
            self.assertRefused(
                ServiceNotAllowed, lambda p: self.admit(p, service="web"), appPassword
            )

    def test_readOnly(self) -> None:
        """
        What may only read sends nothing (PW12).
        """
        readOnly = attrs.evolve(APP_PASSWORD, readOnly=True)

        self.admit(readOnly, service="imap")
        self.assertRefused(ServiceNotAllowed, lambda: self.admit(readOnly, service="smtp"))

    def test_expired(self) -> None:
        """
        It ends at its time (PW12).
        """
        until = attrs.evolve(APP_PASSWORD, expires=NOW)

        self.admit(until, now=NOW - 1)
        self.assertRefused(ExpiredPassword, lambda: self.admit(until, now=NOW))

    def test_networks(self) -> None:
        """
        It is for the networks that it names, or for everywhere (PW12).
        """
        cases: list[tuple[tuple[str, ...], list[str | None], list[str | None]]] = [
            ((), [None, "192.0.2.1", "2001:db8::1", "nowhere"], []),
            (
                ("192.0.2.0/24",),
                ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7", "::FFFF:c000:0207"],
                ["192.0.3.0", "198.51.100.1", "2001:db8::1", "::192.0.2.1"],
            ),
            (("192.0.2.7/24",), ["192.0.2.1"], ["192.0.3.1"]),
            (("192.0.2.7",), ["192.0.2.7"], ["192.0.2.8"]),
            (("0.0.0.0/0",), ["192.0.2.7"], ["2001:db8::1"]),
            (("2001:db8::/32",), ["2001:db8::1", "2001:db8::1%eth0"], ["2001:db9::1", "192.0.2.1"]),
            (("192.0.2.0/24", "2001:db8::/32"), ["192.0.2.1", "2001:db8::1"], ["198.51.100.1"]),
            (("127.0.0.0/8",), ["127.0.0.1"], ["::1"]),
            # What cannot be read has nobody in it, and does not spoil the others.
            (("garbage", "192.0.2.0/24", "10.0.0.0/33"), ["192.0.2.1"], ["10.0.0.1"]),
            (("",), [], ["192.0.2.1", "0.0.0.0", ""]),
        ]
        for networks, inside, outside in cases:
            limited = attrs.evolve(APP_PASSWORD, networks=networks)
            for peer in inside:
                self.admit(limited, peer=peer)
            nowhere = [None, "", "unix", "192.0.2.1:143", "mail.example"] if networks else []
            for peer in outside + nowhere:
                self.assertRefused(
                    ServiceNotAllowed, lambda p, a: self.admit(p, peer=a), limited, peer
                )


class AccountPasswordPolicyTests(PolicyTestCase):
    """
    Account passwords.
    """

    def test_rules(self) -> None:
        """
        C{"web"} is for the web, and C{"everywhere"} for mail programs too. There is no third rule,
        and what is no rule is the stricter one.
        """
        self.assertEqual(PASSWORD_RULES, ("web", "everywhere"))
        for service in (*MAIL_SERVICES, "web"):
            self.assertTrue(passwordAllowed("everywhere", service))
            for rule in ("web", "", "Everywhere"):
                self.assertEqual(passwordAllowed(rule, service), service == "web")

    def test_avatarId(self) -> None:
        """
        Who is let in is known by his account.
        """
        avatarId = admitAccountPassword(Account(NAME), None, None)

        self.assertEqual(avatarId, NAME.encode())
        self.assertEqual(avatarId.tags, {f"account:{NAME}"})
        self.assertEqual(avatarId.credential, "account password")
        self.assertEqual((avatarId.readOnly, avatarId.expires), (False, None))

    def test_owner(self) -> None:
        """
        It opens the account that it belongs to, and no other (SA1, SA9).
        """
        for authzid in OWN_SPELLINGS:
            admitAccountPassword(Account(NAME), authzid, "example.test")
        for authzid in OTHERS:
            self.assertRefused(
                NotOwner, admitAccountPassword, Account(NAME), authzid, "example.test"
            )

    def test_disabled(self) -> None:
        """
        A disabled account stays shut.
        """
        self.assertRefused(AccountDisabled, admitAccountPassword, DISABLED, None, None)
        self.assertRefused(NotOwner, admitAccountPassword, DISABLED, b"bob", None)
