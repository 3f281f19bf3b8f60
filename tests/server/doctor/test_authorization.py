"""
Tests of what is said of an authorization server.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.oauth.jwt import Signer, makeJWKS, makePrivateKey
from mailauth.oauth.metadata import authorizationServerMetadata
from mailauth.oauth.pkce import checkChallenge
from mailauth.scopes import KNOWN_SCOPES
from mailauth.server.builtinclients import BUILT_IN, FAIREMAIL, THUNDERBIRD
from mailauth.server.doctor.authorization import AuthorizationServer, findIssuers, judgeMetadata
from mailauth.server.doctor.findings import FAILS, OK, UNKNOWN, WARNING, Finding
from mailauth.server.mailhosts import SCOPE

from .pages import MemoryWeb, answer

ISSUER = "https://id.example.test/mail"
OAUTH = "https://id.example.test/.well-known/oauth-authorization-server/mail"
OPENID = f"{ISSUER}/.well-known/openid-configuration"
METADATA = authorizationServerMetadata(ISSUER, KNOWN_SCOPES, ["ES256"])
PAGE = answer(b"<form method=post>")


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    """
    What is not as it should be: how bad, and what it says.
    """
    return [(each.level, each.says) for each in findings if each.level != OK]


class MetadataTests(SynchronousTestCase):
    """
    L{judgeMetadata}.
    """

    def judge(self, **changes: Any) -> list[Finding]:
        """
        What is said against our own metadata, with some members changed, or taken away.
        """
        members = {**METADATA, **changes}
        kept = {name: member for name, member in members.items() if member is not None}
        return [each for each in judgeMetadata(kept, SCOPE) if each.level != OK]

    def test_good(self) -> None:
        """
        Nothing.
        """
        self.assertEqual([], self.judge())

    def test_each(self) -> None:
        """
        Each member that programs need is missed, with what to do.
        """
        for changes, expected in (
            ({"token_endpoint": None}, "token_endpoint is None"),
            ({"token_endpoint": "http://id.example.test/token"}, "no address with https"),
            ({"authorization_endpoint": 1}, "authorization_endpoint is 1"),
            ({"jwks_uri": "https://\u00e9.example"}, "jwks_uri"),
            ({"jwks_uri": "https://["}, "jwks_uri"),
            ({"jwks_uri": "https://a:b/"}, "jwks_uri"),
            ({"jwks_uri": "https://a b/"}, "jwks_uri"),
            ({"code_challenge_methods_supported": None}, "PKCE with S256"),
            ({"code_challenge_methods_supported": ["plain"]}, "PKCE with S256"),
            ({"authorization_response_iss_parameter_supported": "true"}, "'iss', RFC 9207"),
            ({"scopes_supported": ["offline_access"]}, "scope urn:ietf:params:oauth:scope:mail"),
            ({"scopes_supported": "mail"}, "does not know the scope"),
            (
                {"token_endpoint_auth_methods_supported": ["client_secret_basic"]},
                "without a secret",
            ),
            ({"registration_endpoint": "/register"}, "registration_endpoint is no address"),
        ):
            [finding] = self.judge(**changes)

            self.assertEqual(FAILS, finding.level, changes)
            self.assertIn(expected, finding.says)
            self.assertTrue(finding.mend)

    def test_noRegistration(self) -> None:
        """
        Without registration most programs get in.
        """
        [finding] = self.judge(registration_endpoint=None)

        self.assertEqual((WARNING, "registration"), (finding.level, finding.topic))


class AuthorizationServerTests(SynchronousTestCase):
    """
    L{AuthorizationServer}.
    """

    def setUp(self) -> None:
        """
        One that works.
        """
        self.web = MemoryWeb()
        key = Signer.fromPEM("k", "ES256", makePrivateKey("ES256")).verifyingKey
        self.web.says = {
            OAUTH: answer(METADATA),
            OPENID: answer(METADATA),
            f"{ISSUER}/jwks.json": answer(makeJWKS([key])),
            f"{ISSUER}/authorize": PAGE,
        }
        self.server = AuthorizationServer(self.web, ISSUER, "alice@example.test")

    def found(self, work: Any) -> Any:
        """
        The result of a coroutine that need not wait.
        """
        return self.successResultOf(Deferred.fromCoroutine(work))

    def describe(self, *configurations: str) -> list[tuple[str, str]]:
        """
        What is said against its metadata.
        """
        return bad(self.found(self.server.describe(configurations)))

    def test_good(self) -> None:
        """
        It is found at both addresses, and at those that mail servers lead to; each is asked once.
        """
        self.assertEqual([], self.describe(OPENID, OPENID))

        self.assertEqual([OAUTH, OPENID], [address for _, address, _, _ in self.web.asked])
        self.assertEqual([], bad(self.found(self.server.keys())))

    def test_issuer(self) -> None:
        """
        An issuer that calls itself otherwise, be it by a slash, is refused by programs.
        """
        for said in (f"{ISSUER}/", "https://ID.example.test/mail", None):
            self.web.says[OAUTH] = answer({**METADATA, "issuer": said})

            [(level, says)] = self.describe()

            self.assertEqual(FAILS, level)
            self.assertIn(f"is of the issuer {said!r}, and programs were led to {ISSUER!r}", says)

    def test_ledElsewhere(self) -> None:
        """
        Where a mail server leads to another issuer, or to nothing, that fails.
        """
        other = "https://other.example/.well-known/openid-configuration"
        self.web.says[other] = answer({**METADATA, "issuer": "https://other.example"})

        self.assertEqual(FAILS, self.describe(other)[0][0])
        self.assertIn("there is no such host", self.describe("https://gone.example/x")[0][1])

    def test_outage(self) -> None:
        """
        An issuer that cannot be reached is none that is wrong; a page is no metadata.
        """
        self.web.says[OAUTH] = Outage("the connection is refused")
        self.web.says[OPENID] = answer(b"<html>")

        (outage, _), (page, says) = self.describe()

        self.assertEqual((UNKNOWN, FAILS), (outage, page))
        self.assertIn("it is no JSON object", says)
        self.assertEqual([], self.found(self.server.keys()) + self.found(self.server.signIns()))

    def test_redirect(self) -> None:
        """
        Nobody follows a redirect of the metadata; where it leads is said.
        """
        self.web.says[OAUTH] = answer(b"", 302, location="https://other.example/")

        [(level, says)] = self.describe()

        self.assertEqual(FAILS, level)
        self.assertIn("it answers 302 and sends programs on to https://other.example/", says)

    def test_keys(self) -> None:
        """
        A key set without keys, none at all, and one out of reach.
        """
        self.describe()
        for says, level in (
            (answer({"keys": []}), FAILS),
            (answer(b"<html>"), FAILS),
            (answer(b"", 503), UNKNOWN),
        ):
            self.web.says[f"{ISSUER}/jwks.json"] = says

            self.assertEqual(level, bad(self.found(self.server.keys()))[0][0])

    def signIn(self) -> list[tuple[str, str]]:
        """
        What is said against Thunderbird's sign-in.
        """
        self.describe()
        return bad([self.found(self.server.signIn(THUNDERBIRD))])

    def test_signIn(self) -> None:
        """
        A client asks as its program does, and goes on to the page, with the cookie that it was
        given. Nobody signs in.
        """
        self.web.says[f"{ISSUER}/authorize"] = answer(
            b"", 303, location="signin?x=1", set_cookie="__Host-b=v; Path=/; Secure"
        )
        self.web.says[f"{ISSUER}/signin"] = PAGE

        self.assertEqual([], self.signIn())

        (_, asked, _, _), (method, page, _, headers) = self.web.asked[-2:]
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
        self.assertEqual("alice@example.test", query["login_hint"])
        self.assertEqual(SCOPE, query["scope"])
        self.assertEqual("http://127.0.0.1/callback", query["redirect_uri"])
        checkChallenge(query["code_challenge"], query["code_challenge_method"])
        self.assertEqual(("GET", f"{ISSUER}/signin?x=1"), (method, page))
        self.assertEqual("__Host-b=v", headers["Cookie"])

    def test_noSignIn(self) -> None:
        """
        Whoever is sent back to the program, around in a circle, or to a page without a form, does
        not get in.
        """
        for says, expected in (
            (
                answer(b"", 303, location="http://127.0.0.1/callback?error=invalid_scope&state=x"),
                "it answers invalid_scope",
            ),
            (answer(b"", 303, location="authorize"), "the way there does not end"),
            (answer(b"<html>"), "there is no form on it"),
            (answer(b"", 303, location="https://["), "it leads to an address that is none"),
            (answer(b"", 400), "it answers 400"),
        ):
            self.web.says[f"{ISSUER}/authorize"] = says

            [(level, said)] = self.signIn()

            self.assertEqual(FAILS, level)
            self.assertIn(f"Thunderbird does not get to the sign-in page: {expected}", said)

    def test_onwards(self) -> None:
        """
        Nobody goes on to another host: that one is said.
        """
        self.web.says[f"{ISSUER}/authorize"] = answer(b"", 303, location="https://idp.example/a")
        self.describe()

        finding = self.found(self.server.signIn(FAIREMAIL))

        self.assertEqual(OK, finding.level)
        self.assertIn("is sent on to https://idp.example, to sign in there", finding.says)
        self.assertNotIn("idp.example", str([address for _, address, _, _ in self.web.asked]))

    def test_allClients(self) -> None:
        """
        Each client that is built in is tried.
        """
        self.describe()

        topics = {each.topic for each in self.found(self.server.signIns())}

        self.assertEqual({f"client.{clientId}" for clientId in BUILT_IN}, topics)

    def register(self, says: Any) -> list[Finding]:
        """
        What is found when a client registers.
        """
        self.describe()
        self.web.says[f"{ISSUER}/register"] = says
        found: list[Finding] = self.found(self.server.register())
        return found

    def test_removed(self) -> None:
        """
        What was registered is removed, if the server has a way for it (RFC 7592).
        """
        where = f"{ISSUER}/register/1"
        self.web.says[where] = answer(b"", 204)
        registered = {
            "client_id": "1",
            "registration_client_uri": where,
            "registration_access_token": "t",
        }

        found = self.register(answer(registered, 201))

        self.assertEqual([], bad(found))
        self.assertEqual("It was removed again.", found[-1].says)
        method, address, _, headers = self.web.asked[-1]
        self.assertEqual(("DELETE", where, "Bearer t"), (method, address, headers["Authorization"]))
        body = next(each for each in self.web.asked if each[0] == "POST")[2]
        self.assertEqual("none", json.loads(body)["token_endpoint_auth_method"])

    def test_notRemoved(self) -> None:
        """
        If it cannot be removed, that is said.
        """
        registered = {
            "client_id": "1",
            "registration_client_uri": f"{ISSUER}/register/1",
            "registration_access_token": "t",
        }

        for says in (Outage("the connection is refused"), answer(b"", 401)):
            self.web.says[f"{ISSUER}/register/1"] = says

            [(level, said)] = bad(self.register(answer(registered, 201)))

            self.assertEqual(WARNING, level)
            self.assertIn("It could not be removed again", said)

    def test_refused(self) -> None:
        """
        A server that lets nobody register, although it says so, fails; one out of reach does not.
        """
        for says, level in ((answer({}, 400), FAILS), (answer({}, 503), UNKNOWN)):
            self.assertEqual(level, bad(self.register(says))[0][0])

    def test_findIssuers(self) -> None:
        """
        Where no document names an issuer, mail servers may lead to one that describes itself.
        """
        addresses = [OPENID, OAUTH, "https://gone.example/"]

        self.assertEqual([ISSUER], self.found(findIssuers(self.web, addresses)))
