"""
Tests of what an administrator is told about an external issuer and its tokens.
"""

from __future__ import annotations

from time import time
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.oauth.jwt import Signer, makePrivateKey, parseToken
from mailauth.policy import TokenPolicy
from mailauth.server.externalissuers import ENDPOINTS, ExternalIssuer
from mailauth.server.issuercheck import Findings, IssuerCheck
from mailauth.server.issuerpresets import PRESETS
from mailauth.server.reachedissuers import ReachedIssuer, reachBy
from mailauth.server.tokencheck import TokenCheck
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account, Identity
from mailauth.testing.issuer import MemoryIssuer

from ..validators.web import CONFIGURATION, ISSUER, JWKS, METADATA, Web, answer

ALICE = "alice@example.test"
INTROSPECTION = f"{ISSUER}/introspect"
OAUTH = f"{ISSUER}/.well-known/oauth-authorization-server"

SETTINGS = ExternalIssuer(
    name="company",
    url=ISSUER,
    audience=frozenset({"mail"}),
    domains=frozenset({"example.test"}),
    discovery=CONFIGURATION,
    hint="Tell it for whom.",
)
ASKED = attrs.evolve(
    SETTINGS, validation="introspection", clientId="us", clientSecret="s", opaqueTokens=True
)


async def noSigner() -> Signer:
    """
    There is no key of ours.
    """
    raise Outage("no key")


class CheckCase(SynchronousTestCase):
    """
    An issuer that works.
    """

    def setUp(self) -> None:
        """
        It describes itself, and has a key.
        """
        clock = Clock()
        self.web = Web(clock)
        self.seconds = clock.seconds
        self.issuer = MemoryIssuer(ISSUER, "mail", now=lambda: int(time()))
        self.web.says[JWKS] = answer(self.issuer.jwks())
        self.web.says[INTROSPECTION] = answer({"active": False})

    def reached(self, settings: ExternalIssuer) -> ReachedIssuer:
        """
        The way to it.
        """
        fetcher: Any = self.web
        return reachBy(settings, fetcher, self.seconds, noSigner)

    def describe(self, *without: str, **members: Any) -> None:
        """
        Let it say something else of itself.
        """
        said = {name: value for name, value in METADATA.items() if name not in without}
        self.web.says[CONFIGURATION] = answer({**said, **members})

    def found(self, findings: Findings, *expected: tuple[str, str, str]) -> None:
        """
        These are the findings, and no others but good ones.

        @param expected: for each its level, and what is said in it and in how to mend it.
        """
        others = [each for each in findings.all if each.level != "good"]
        self.assertEqual(
            [each.level for each in others], [level for level, _, _ in expected], others
        )
        for finding, (_, says, mend) in zip(others, expected, strict=True):
            self.assertIn(says, finding.says)
            self.assertIn(mend, finding.mend)
        self.assertEqual(findings.works, "wrong" not in [level for level, _, _ in expected])


AUDIENCE = ("note", "'aud': mail", "Tell it for whom.")


class IssuerCheckTests(CheckCase):
    """
    L{IssuerCheck}.
    """

    def check(self, *wrong: tuple[str, str], settings: ExternalIssuer = SETTINGS) -> Findings:
        """
        Check it.

        @param wrong: what does not work, and how it is mended.
        """
        findings = Findings()
        checking = IssuerCheck(self.reached(settings), findings).check()
        self.successResultOf(Deferred.fromCoroutine(checking))
        self.found(findings, *(("wrong", says, mend) for says, mend in wrong), AUDIENCE)
        return findings

    def test_works(self) -> None:
        """
        Of one that works it is said where what is, and for whom its tokens have to be.
        """
        says = [each.says for each in self.check().all]

        self.assertEqual(len(says), 4)
        self.assertIn(CONFIGURATION, says[0])
        self.assertIn(JWKS, says[1])
        self.assertIn("ES256: 1.", says[2])

    def test_oauth(self) -> None:
        """
        One that has no OpenID document may have one of OAuth's.
        """
        self.web.says[OAUTH] = self.web.says.pop(CONFIGURATION)

        self.check()

    def test_otherIssuer(self) -> None:
        """
        An issuer is who it says it is, letter for letter: what differs is said (O 32).
        """
        for said, mend in (
            (f"{ISSUER}/", "slash"),
            ("https://Issuer.Example", "capital"),
            ("https://issuer.example/{tenantid}/v2.0", "every organisation"),
            ("https://other.example", "url = 'https://other.example'"),
            (None, "'discovery'"),
            (["x"], "'discovery'"),
        ):
            self.describe(issuer=said)
            self.check((repr(said), mend))

    def test_unreadable(self) -> None:
        """
        A document that cannot be had, or is none, is named with the reason.
        """
        for said, reason in (
            (Outage("nobody vouches for its certificate"), "nobody vouches"),
            (answer(status=404), "answers 404"),
            (answer(status=301, location="https://other.example/x"), "on to https://other.example"),
            (answer(b"<html>"), "JSON"),
        ):
            self.web.says[CONFIGURATION] = said
            self.check((reason, "'certificate_authority'"))

    def test_notNeeded(self) -> None:
        """
        Where the configuration says all that is needed, the document may be missing.
        """
        del self.web.says[CONFIGURATION]
        [key] = [self.issuer.signer.verifyingKey]
        file = attrs.evolve(SETTINGS, keys=(key,))
        named = attrs.evolve(SETTINGS, endpoints={"jwks_uri": JWKS})
        for settings in (file, named):
            findings = Findings()
            checking = IssuerCheck(self.reached(settings), findings).check()
            self.successResultOf(Deferred.fromCoroutine(checking))
            self.found(findings, ("note", "cannot be read", "Nobody needs it"), AUDIENCE)
            self.assertIn("ES256", findings.all[1].says)

    def test_elsewhere(self) -> None:
        """
        An endpoint at another origin is called only if the configuration names it (TK16; O 32).
        """
        keys = "https://keys.example/jwks"
        self.describe(jwks_uri=keys)
        self.web.says[keys] = answer(self.issuer.jwks())

        self.check((keys, f"endpoints = {{ jwks_uri = {keys!r} }}"))
        self.assertEqual(self.web.count(keys), 0)

        self.check(settings=attrs.evolve(SETTINGS, endpoints={"jwks_uri": keys}))

    def test_missingEndpoints(self) -> None:
        """
        An endpoint that is called has to be there.
        """
        self.describe(*ENDPOINTS)
        self.check(("no jwks_uri", "'endpoints'"))
        self.check(
            ("no introspection_endpoint", 'validation = "jwt"'),
            settings=ASKED,
        )
        signIn = attrs.evolve(SETTINGS, signIn=True, clientId="us")
        self.check(
            ("no authorization_endpoint", ""),
            ("no token_endpoint", ""),
            ("no jwks_uri", ""),
            settings=signIn,
        )
        self.describe()
        self.check(settings=signIn)

    def test_keys(self) -> None:
        """
        Keys that cannot be had, that nothing can be verified with, or that are for other
        algorithms are named.
        """
        for said, says, mend in (
            (answer(status=500), "answers 500", "'keys'"),
            (answer(b"<html>"), "cannot be read", "'keys'"),
            (answer({"keys": []}), "no key", "HS256"),
            (answer({"keys": [{"kty": "oct", "k": "AAAA", "alg": "HS256"}]}), "no key", "HS256"),
        ):
            self.web.says[JWKS] = said
            self.check((says, mend))
        self.web.says[JWKS] = answer(self.issuer.jwks())
        rsa = attrs.evolve(SETTINGS, algorithms=frozenset({"RS256"}))
        self.check(("ES256, and 'algorithms' allows RS256", "['ES256']"), settings=rsa)

    def test_introspection(self) -> None:
        """
        Whether it may be asked is found out by asking about a token that nobody issued.
        """
        self.check(settings=ASKED)
        self.assertEqual(
            self.web.asked[-1].form,
            {"token": ["mailauth-issuer-check"], "token_type_hint": ["access_token"]},
        )
        self.check(("no key", "'client_id'"), settings=attrs.evolve(ASKED, clientSecret=None))

        for said, says in (
            (answer(status=401), "answered 401"),
            (Outage("down"), "down"),
            (
                answer({"active": True, "sub": "1", "aud": "mail", "exp": int(time()) + 60}),
                "nobody issued",
            ),
        ):
            self.web.says[INTROSPECTION] = said
            self.check((says, "'client_id'"), settings=ASKED)
        self.flushLoggedErrors()

    def test_userinfo(self) -> None:
        """
        So it is with tokeninfo.
        """
        tokeninfo = f"{ISSUER}/tokeninfo"
        settings = attrs.evolve(
            SETTINGS, validation="userinfo", endpoints={"tokeninfo_endpoint": tokeninfo}
        )
        self.web.says[tokeninfo] = answer({"error": "invalid_token"}, 400)
        self.check(settings=settings)

        self.web.says[tokeninfo] = answer(status=404)
        self.check(("answered 404", "tokeninfo"), settings=settings)


class TokenCheckTests(CheckCase):
    """
    L{TokenCheck}.
    """

    def setUp(self) -> None:
        """
        Alice has an account.
        """
        super().setUp()
        self.stores = MemoryStores()
        self.successResultOf(self.stores.accounts.add(Account(ALICE)))

    def check(
        self,
        token: bytes,
        *expected: tuple[str, str, str],
        settings: ExternalIssuer = SETTINGS,
        policy: TokenPolicy | None = None,
    ) -> Findings:
        """
        Check it.
        """
        findings = Findings()
        policy = policy or TokenPolicy(domains={ISSUER: settings.domains})
        check = TokenCheck(
            self.reached(settings),
            findings,
            policy,
            self.stores.accounts,
            self.stores.identities,
            time,
        )
        self.successResultOf(Deferred.fromCoroutine(check.check(token)))
        self.found(findings, *expected)
        return findings

    def test_works(self) -> None:
        """
        Of one that works it is said what it opens, and for whom; looking links nobody.
        """
        first = ("note", "when the token is first used", "")
        for _ in range(2):
            findings = self.check(self.issuer.issue(ALICE, scope="imap smtp:read imap:read"), first)
        says = [each.says for each in findings.all]
        self.assertIn("mail-client", says[0])
        self.assertIn("opens imap.", says[1])
        self.assertIn(ALICE, says[2])

        linking = self.stores.identities.link(Identity(ISSUER, ALICE, ALICE))
        self.successResultOf(linking)
        findings = self.check(self.issuer.issue(ALICE, scope="imap:read"))
        self.assertIn("imap for reading", findings.all[1].says)
        self.assertIn("is linked with", findings.all[2].says)

    def test_otherIssuer(self) -> None:
        """
        A token of somebody else is not looked at further.
        """
        for url in (f"{ISSUER}/", "https://other.example"):
            token = MemoryIssuer(url, "mail").issue(ALICE)
            self.check(token, ("wrong", repr(url), "slash"))

    def test_opaque(self) -> None:
        """
        A token that is not signed cannot be verified: how else it can be validated is said.
        """
        self.check(b"ya29.opaque", ("wrong", "not one that is signed", "introspection"))

    def test_traps(self) -> None:
        """
        Each thing that an administrator gets wrong is said, with what to do.
        """
        jwt, es256 = {"types": frozenset({"jwt"})}, {"algorithms": frozenset({"RS256"})}
        later = int(time()) + 3600
        for settings, claims, says, mend in (
            (jwt, {}, "'typ' is 'at+jwt'", "types = ['at+jwt']"),
            (es256, {}, "signed with 'ES256'", "HS256"),
            ({}, {"aud": "account"}, "'aud' is 'account'", "Tell it for whom."),
            ({"hint": ""}, {"aud": ["a", "b"]}, "['a', 'b']", "into 'aud'"),
            ({"clients": frozenset({"thunderbird"})}, {}, "given to 'mail-client'", ""),
            ({}, {"exp": int(time()) - 90}, "expired 9", "new one"),
            ({}, {"iat": later, "exp": later + 60}, "issued in 3", "NTP"),
            ({}, {"exp": "soon"}, "exp is no time", ""),
            ({"subjectClaim": "oid"}, {}, "no 'oid', which 'subject_claim' names", "subject_claim"),
            ({"usernameClaim": "upn"}, {}, "no 'upn'", "'username_claim'"),
            ({"usernameClaim": "email"}, {"email": ALICE}, "email_verified", "verify"),
        ):
            self.check(
                self.issuer.issue(ALICE, **claims),
                ("wrong", says, mend),
                settings=attrs.evolve(SETTINGS, **settings),
            )

    def test_forged(self) -> None:
        """
        What nothing but its signature is wrong with is refused with the validator's reason.
        """
        other = Signer.fromPEM("1", "ES256", makePrivateKey("ES256"))
        token = MemoryIssuer(ISSUER, "mail")
        token.signer = other

        self.check(token.issue(ALICE), ("wrong", "is refused", ""))

    def test_withoutType(self) -> None:
        """
        A token without a type can be allowed by name.
        """
        untyped = attrs.evolve(SETTINGS, types=frozenset({"jwt"}))
        claims = dict(parseToken(self.issuer.issue(ALICE)).claims)
        token = self.issuer.signer.sign(claims, type="")

        self.check(token, ("wrong", "'typ' is ''", "types = ['none']"), settings=untyped)

    def test_outage(self) -> None:
        """
        That nobody can tell is said as it is.
        """
        self.web.says[JWKS] = answer(status=500)

        self.check(self.issuer.issue(ALICE), ("wrong", "Nobody can tell", ""))

    def test_introspected(self) -> None:
        """
        An issuer that is asked about tokens is asked about this one, whatever it looks like.
        """
        said = {"sub": "1", "username": ALICE, "aud": "mail", "exp": int(time()) + 60}
        self.web.says[INTROSPECTION] = answer({"active": True, "scope": "imap", **said})
        settings = attrs.evolve(ASKED, usernameClaim="username")

        findings = self.check(
            b"opaque", ("note", "when the token is first used", ""), settings=settings
        )

        self.assertIn("a client that it does not name", findings.all[0].says)
        self.web.says[INTROSPECTION] = answer({"active": False})
        self.check(b"opaque", ("wrong", "not active", ""), settings=settings)

    def test_scope(self) -> None:
        """
        A scope that opens nothing is said, and so is what would.
        """
        first = ("note", "first used", "")
        for scope in ("openid profile", ""):
            self.check(
                self.issuer.issue(ALICE, scope=scope), ("wrong", "opens nothing", "scopes ="), first
            )
        bound = self.issuer.issue(ALICE, cnf={"jkt": "x"})
        self.check(bound, ("wrong", "bound to a key", "bearer"), first)
        policy = TokenPolicy(issuerScopes={ISSUER: {"imap": frozenset({"corp"})}})
        self.check(self.issuer.issue(ALICE, scope="corp"), first, policy=policy)

    def test_owner(self) -> None:
        """
        Whose account it opens is said, and why it opens none (TK14).
        """
        add = "mailauth account add --no-password bob@example.test"
        bob = self.issuer.issue("bob@example.test")
        outside = self.issuer.issue("bob@elsewhere.test")
        create = attrs.evolve(SETTINGS, accounts="create")
        self.check(bob, ("wrong", "no account bob@example.test", add))
        self.check(bob, ("note", "is made when", ""), settings=create)
        self.check(outside, ("wrong", "bob@elsewhere.test", "'domains' is ['example.test']"))

        link = self.stores.identities.link
        self.successResultOf(link(Identity(ISSUER, "somebody else", ALICE)))
        self.check(
            self.issuer.issue(ALICE),
            ("wrong", "is linked with somebody else", f"{ALICE} --link company {ALICE}"),
        )
        self.successResultOf(self.stores.accounts.add(Account("bob@elsewhere.test")))
        self.successResultOf(link(Identity(ISSUER, "bob@elsewhere.test", "bob@elsewhere.test")))
        self.check(outside, ("wrong", "may not speak for this domain", ""))

    def test_disabled(self) -> None:
        """
        A disabled account is named as that.
        """
        self.successResultOf(self.stores.accounts.disable(ALICE))
        token = self.issuer.issue(ALICE)
        self.check(token, ("wrong", "disabled", ""))
        self.successResultOf(self.stores.identities.link(Identity(ISSUER, ALICE, ALICE)))
        self.check(token, ("wrong", "disabled", ""))


class PresetTests(SynchronousTestCase):
    """
    What is known about products.
    """

    def test_hints(self) -> None:
        """
        Each has something to say about its audience, and names its endpoints as metadata does.
        """
        for name, preset in PRESETS.items():
            self.assertTrue(preset.hint, name)
            self.assertLessEqual(preset.endpoints.keys(), set(ENDPOINTS))
