"""
Tests for L{mailauth.validators.userinfo}.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
from zope.interface.verify import verifyObject

from mailauth.errors import ExpiredToken, InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.validators._http import Fetched, NotFetchable
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.keys import StaticKeys
from mailauth.validators.userinfo import UserinfoValidator

from .web import CONFIGURATION, EPOCH, GARBAGE, ISSUER, WebTestCase, answer

TOKENINFO = "https://oauth2.example/tokeninfo"
USERINFO = f"{ISSUER}/userinfo"
TOKEN = b"ya29.opaque-token_of-somebody"

# As Google answers.
ABOUT: dict[str, Any] = {
    "azp": "client.apps.example",
    "aud": "client.apps.example",
    "sub": "110169484474386276334",
    "scope": "https://mail.google.com/ openid email",
    "exp": str(EPOCH + 900),
    "expires_in": "900",
    "email": "alice@example.test",
    "email_verified": "true",
    "access_type": "online",
}
PERSON: dict[str, Any] = {
    "sub": "110169484474386276334",
    "name": "Alice",
    "email": "alice@example.test",
    "email_verified": True,
}


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    """
    The members, but for these.
    """
    return {name: value for name, value in members.items() if name not in names}


class UserinfoTests(WebTestCase):
    """
    L{UserinfoValidator}.
    """

    def setUp(self) -> None:
        """
        An issuer with the two endpoints.
        """
        super().setUp()
        self.discovery = self.discover(addresses={"tokeninfo_endpoint": TOKENINFO})
        self.issuer = TrustedIssuer(
            ISSUER,
            StaticKeys([]),
            frozenset({"client.apps.example"}),
            "email",
            maxLifetime=3600.0,
        )
        self.validator = self.makeValidator()

    def makeValidator(self, **changes: Any) -> UserinfoValidator:
        """
        Whoever asks it.
        """
        return UserinfoValidator(
            attrs.evolve(self.issuer, **changes),
            partial(self.discovery.locate, "tokeninfo_endpoint"),
            partial(self.discovery.locate, "userinfo_endpoint"),
            self.web.post,
            self.web.get,
            self.now,
        )

    def says(self, about: Any = ABOUT, person: Any = PERSON) -> None:
        """
        The endpoints answer so.
        """
        self.web.says[TOKENINFO] = answer(about)
        self.web.says[USERINFO] = answer(person)

    def accepted(self, about: Any = ABOUT, person: Any = PERSON) -> AccessToken:
        """
        The token is what they say.
        """
        self.says(about, person)
        token = self.found(self.validator.validate(TOKEN))
        assert isinstance(token, AccessToken)
        return token

    def refused(self, about: Any = ABOUT, person: Any = PERSON) -> InvalidToken:
        """
        It is refused for what they say.
        """
        self.says(about, person)
        return self.invalid(self.validator.validate(TOKEN))

    def unknown(self, about: Any = ABOUT, person: Any = PERSON) -> None:
        """
        What they say leaves open what it is.
        """
        self.says(about, person)
        self.outage(self.validator.validate(TOKEN))

    def test_interface(self) -> None:
        """
        It is a validator.
        """
        verifyObject(ITokenValidator, self.validator)

    def test_everything(self) -> None:
        """
        One endpoint says what the token is, the other whose. Nobody says when it was issued: it
        counts as old as it can be.
        """
        self.assertEqual(
            self.accepted(),
            AccessToken(
                issuer=ISSUER,
                subject="110169484474386276334",
                owner="alice@example.test",
                scope=frozenset({"https://mail.google.com/", "openid", "email"}),
                audience=frozenset({"client.apps.example"}),
                expires=float(EPOCH + 900),
                issued=float(EPOCH + 900 - 3600),
                clientId="client.apps.example",
            ),
        )

    def test_requests(self) -> None:
        """
        The token is in a form, and in a header: in no address (WB10).
        """
        self.accepted()

        about, person = (asked for asked in self.web.asked if asked.address != CONFIGURATION)
        self.assertEqual(about.form, {"access_token": [TOKEN.decode()]})
        self.assertEqual(about.headers, {"Accept": "application/json"})
        self.assertEqual(person.headers["Authorization"], f"Bearer {TOKEN.decode()}")
        for asked in self.web.asked:
            self.assertNotIn(TOKEN.decode(), asked.address)

    def test_otherAudience(self) -> None:
        """
        A token that somebody gave to another client is not for us, though it opens the userinfo
        endpoint, and whatever that says (TK12, TK19).
        """
        self.refused({**ABOUT, "aud": "evil.apps.example", "azp": "evil.apps.example"})
        self.refused({**ABOUT, "aud": "evil.apps.example"}, {**PERSON, "aud": ABOUT["aud"]})
        self.unknown(without(ABOUT, "aud"), {**PERSON, "aud": ABOUT["aud"]})
        self.validator = self.makeValidator(clients=frozenset({"client.apps.example"}))
        self.accepted()
        self.refused({**ABOUT, "azp": "evil.apps.example"})
        self.refused(without(ABOUT, "azp"), {**PERSON, "azp": ABOUT["azp"]})

    def test_verifiedEmail(self) -> None:
        """
        An email address counts only where the same document says exactly that it was verified
        (TK14).
        """
        for verified in ("true", False, 1, None):
            self.refused(person={**PERSON, "email_verified": verified})
        self.refused({**ABOUT, "email_verified": True}, without(PERSON, "email_verified"))
        self.refused({**ABOUT, "email_verified": True}, without(PERSON, "email"))

    def test_twoPeople(self) -> None:
        """
        Endpoints that speak of two people say nothing; the first may leave out whom.
        """
        self.unknown({**ABOUT, "sub": "1"})
        self.unknown(person=without(PERSON, "sub"))
        self.accepted(without(ABOUT, "sub"))

    def test_expires(self) -> None:
        """
        When it ends is a number, or a text that is one, from now or from the epoch.
        """
        for about in (
            {**ABOUT, "exp": EPOCH + 900},
            without(ABOUT, "exp"),
            {**without(ABOUT, "exp"), "expires_in": 900},
            {**ABOUT, "exp": "soon"},
        ):
            self.assertEqual(self.accepted(about).expires, EPOCH + 900)
        values: tuple[Any, ...] = (None, True, "", "-1", "1e9", "9" * 5000, [EPOCH], {})
        for value in values:
            self.unknown({**ABOUT, "exp": value, "expires_in": value})
        self.unknown(without(ABOUT, "exp", "expires_in"))
        self.assertIsInstance(self.refused({**ABOUT, "exp": EPOCH - LEEWAY}), ExpiredToken)
        self.refused({**ABOUT, "exp": EPOCH + 3600 + LEEWAY + 10_000_000, "iat": EPOCH})

    def test_unknownToken(self) -> None:
        """
        A token that the issuer does not know is refused, and the other endpoint is not asked.
        """
        self.says()
        for document in (
            {"error": "invalid_token", "error_description": "Invalid Value"},
            {"error_description": "Invalid Value"},
        ):
            for status in (400, 401):
                self.web.says[TOKENINFO] = answer(document, status)
                self.invalid(self.validator.validate(TOKEN))
        self.assertEqual(self.web.count(USERINFO), 0)

        self.says()
        self.web.says[USERINFO] = answer(b"", 401)
        self.invalid(self.validator.validate(TOKEN))

    def test_form(self) -> None:
        """
        Nobody is asked about what cannot be a token; whoever is refused learns where his tokens
        come from.
        """
        self.validator = self.makeValidator(discovery=CONFIGURATION)
        for token in (b"", b"a b", b"a\r\nAuthorization: b", b"\xff"):
            error = self.invalid(self.validator.validate(token))
            self.assertEqual(error.openidConfiguration, CONFIGURATION)

        self.assertEqual(self.web.asked, [])

    def test_outage(self) -> None:
        """
        Whatever is no answer leaves open what the token is (O 23, O 28).
        """
        lies: list[Fetched | Exception] = [
            *(answer(ABOUT, status) for status in (204, 302, 304, 403, 404, 429, 500)),
            *map(answer, GARBAGE.values()),
            NotFetchable("it is too large"),
            Outage("down"),
        ]
        for address in (TOKENINFO, USERINFO):
            for lie in lies:
                self.says()
                self.web.says[address] = lie
                self.outage(self.validator.validate(TOKEN))
        self.says()
        for document in ({"error": "invalid_request"}, b"<html>"):
            self.web.says[TOKENINFO] = answer(document, 400)
            self.outage(self.validator.validate(TOKEN))

    def test_noSecrets(self) -> None:
        """
        The token is in nothing that is held or said (LG1; O 29).
        """
        said = [repr(vars(self.validator))]
        for about in ({}, without(ABOUT, "aud"), {**ABOUT, "aud": "other"}):
            self.says(about)
            failing = self.validator.validate(TOKEN)
            failure = self.failureResultOf(failing, InvalidToken, Outage)
            said += [str(failure.value), repr(failure), failure.getTraceback(), repr(failing)]

        self.assertNotIn(TOKEN.decode(), "".join(said))
