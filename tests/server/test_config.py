"""
Tests of the configuration file.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

import mailauth
from mailauth.mail.waiting import WaitingLimits
from mailauth.oauth.jwt import ALGORITHMS, Signer, makeJWKS, makePrivateKey
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.certificates import makeCertificates
from mailauth.server.config import (
    STANDARD_PORTS,
    Address,
    Configuration,
    readConfiguration,
)
from mailauth.server.externalissuers import ExternalIssuer
from mailauth.server.issuerpresets import PRESETS
from mailauth.server.issuersettings import IssuerSettings
from mailauth.server.service import MailService
from mailauth.server.toml import ConfigurationError

from .deployment import makeDirectory

SAMPLE = Path(mailauth.__file__).parent.parent / "etc" / "mailauth.toml"

# The words of the sample, its keys among them.
KEYS = [*sorted(set(re.findall(r"\w+", SAMPLE.read_text()))), "", "a b", "é"]

VALUES = st.recursive(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(["https://[", "web", "[::1]:1", "1h", "server.pem", "a@b", "xn--a"]),
        st.integers(),
        st.integers(10**300, 10**400),
        st.floats(),
        st.booleans(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    ),
    max_leaves=20,
)

LEAST = """
[server]
hostname = "mail.example.org"
[tls]
certificate = "server.pem"
key = "server.key"
"""

ISSUER = """
[external_issuers.company]
url = "https://idp.example.org"
audience = "mail"
domains = ["example.org"]
keys = "keys"
"""


class ConfigurationCase(SynchronousTestCase):
    """
    A test with a directory for configurations.
    """

    def setUp(self) -> None:
        """
        A directory with the files that a configuration has to name.
        """
        self.directory = makeDirectory(self)
        makeCertificates(self.directory, ["mail.example.org"])

    def read(self, text: str) -> Configuration:
        """
        Read a configuration file that holds this.
        """
        path = self.directory / "mailauth.toml"
        path.write_text(text, "utf-8")
        return readConfiguration(path)

    def mistakes(self, text: str) -> dict[str, str]:
        """
        What is wrong with it, by key.
        """
        error = self.assertRaises(ConfigurationError, self.read, text)
        said = {mistake.key: mistake.says for mistake in error.mistakes}
        self.assertEqual(len(said), len(error.mistakes), "a key is named twice")
        return said


class ReadConfigurationTests(ConfigurationCase):
    """
    What each key does.
    """

    def test_defaults(self) -> None:
        """
        A host name and a certificate are enough, and nothing that weakens is on.
        """
        self.assertEqual(
            self.read(LEAST),
            Configuration(
                hostname="mail.example.org",
                directory=Path("/var/lib/mailauth"),
                listen=dict.fromkeys(STANDARD_PORTS, ()),
                certificate=self.directory / "server.pem",
                privateKey=self.directory / "server.key",
                keyFile=Path("/var/lib/mailauth/mailauth.key"),
                issuer="https://mail.example.org",
                audience="https://mail.example.org",
                tokenLifetime=3600.0,
                issuing=IssuerSettings(),
                externalIssuers=(),
                passwordRule="web",
                domainRules={},
                defaultDomain=None,
                administrators=frozenset(),
                adminSecondFactor=False,
                accountPage="https://mail.example.org/account/",
                scope=MAIL_SCOPE,
                waiting=WaitingLimits(2000, 20),
                messageSize=50_000_000,
                hashCost=12,
                appPasswordLimit=50,
                eventsKept=365 * 86400.0,
                loginLog=Path("/var/lib/mailauth/logins.jsonl"),
                insecureLoopback=False,
                xoauth2Document=frozenset({"smtp"}),
            ),
        )

    def test_everyKey(self) -> None:
        """
        Every key that is set is heard.
        """
        configuration = self.read("""
            [server]
            hostname = "mx-1.example.org"
            data = "data"
            key_file = "/etc/mailauth/key"
            [listen]
            imap = "192.0.2.1:1143"
            imaps = ["192.0.2.1", "[2001:db8::1]", "[::]:1993"]
            https = []
            [tls]
            certificate = "server.pem"
            key = "server.key"
            [issuer]
            url = "https://id.example.org:8443/mail"
            audience = "mail"
            token_lifetime = "15m"
            access_token_lifetime = "5m"
            refresh_token_idle = "30d"
            grant_lifetime = "365d"
            opaque_tokens = true
            open_registration = false
            client_metadata_documents = true
            [signin]
            account_password = "everywhere"
            account_page = "https://id.example.org/help"
            default_domain = "Bücher.example"
            scope = "imap smtp"
            browser_session = "1h"
            xoauth2_error_document = ["imap", "pop3"]
            [domains."Legacy.example"]
            account_password = "web"
            [domains."other.example"]
            [limits]
            waiting_connections = 10
            waiting_per_network = 3
            message_size = "1MiB"
            password_hash_cost = 10
            [app_passwords]
            limit = 3
            [audit]
            keep_days = 30
            [admin]
            accounts = ["Bob@example.org"]
            second_factor = true
            [log]
            logins = "/var/log/mailauth/logins"
            [insecure]
            loopback_without_tls = true
        """)

        self.assertEqual(configuration.hostname, "mx-1.example.org")
        self.assertEqual(configuration.directory, self.directory / "data")
        self.assertEqual(configuration.database, self.directory / "data" / "mailauth.db")
        self.assertEqual(configuration.listen["imap"], (Address("192.0.2.1", 1143),))
        self.assertEqual(
            configuration.listen["imaps"],
            (Address("192.0.2.1", 993), Address("2001:db8::1", 993), Address("::", 1993)),
        )
        self.assertEqual(configuration.listen["https"], ())
        self.assertEqual(configuration.issuer, "https://id.example.org:8443/mail")
        self.assertEqual(
            configuration.discovery,
            "https://id.example.org:8443/mail/.well-known/openid-configuration",
        )
        self.assertEqual(configuration.audience, "mail")
        self.assertEqual(configuration.tokenLifetime, 900)
        self.assertEqual(configuration.keyFile, Path("/etc/mailauth/key"))
        self.assertEqual(
            configuration.issuing,
            IssuerSettings(300, 30 * 86400, 365 * 86400, 3600, True, False, True),
        )
        self.assertEqual(configuration.passwordRule, "everywhere")
        self.assertEqual(configuration.accountPage, "https://id.example.org/help")
        self.assertEqual(configuration.defaultDomain, "xn--bcher-kva.example")
        self.assertEqual(configuration.scope, "imap smtp")
        self.assertEqual(configuration.xoauth2Document, {"imap", "pop3"})
        rules = {"legacy.example": "web", "other.example": "everywhere"}
        self.assertEqual(configuration.domainRules, rules)
        self.assertEqual(configuration.domains, {*rules, "xn--bcher-kva.example"})
        self.assertEqual(configuration.waiting, WaitingLimits(10, 3))
        self.assertEqual(configuration.messageSize, 1_048_576)
        self.assertEqual(configuration.hashCost, 10)
        self.assertEqual(configuration.appPasswordLimit, 3)
        self.assertEqual(configuration.administrators, {"bob@example.org"})
        self.assertTrue(configuration.adminSecondFactor)
        self.assertEqual(configuration.eventsKept, 30 * 86400.0)
        self.assertEqual(configuration.loginLog, Path("/var/log/mailauth/logins"))
        self.assertTrue(configuration.insecureLoopback)

    def test_derived(self) -> None:
        """
        The audience and the account page follow the issuer's URL, and the log of the logins the
        directory, unless they are set.
        """
        configuration = self.read(
            LEAST.replace("[tls]", 'data = "d"\n[tls]')
            + '[issuer]\nurl = "https://id.example.org/"'
        )

        self.assertEqual(configuration.loginLog, self.directory / "d" / "logins.jsonl")
        self.assertEqual(configuration.audience, "https://id.example.org/")
        self.assertEqual(configuration.accountPage, "https://id.example.org/account/")
        self.assertEqual(
            configuration.discovery, "https://id.example.org/.well-known/openid-configuration"
        )

    def test_revocationsKept(self) -> None:
        """
        A revocation is kept for longer than anything lives that it ends, so that nothing comes to
        life again that nobody used since (TK18).
        """
        for more, days in (
            ("", 91),
            ('[issuer]\nrefresh_token_idle = "1h"', 33),
            ('[issuer]\nrefresh_token_idle = "365d"', 366),
            ('[signin]\nbrowser_session = "200d"', 201),
        ):
            self.assertEqual(self.read(LEAST + more).revocationsKept, days * 86400)

    def test_passwordRuleOf(self) -> None:
        """
        A domain's rule goes before the server's.
        """
        configuration = self.read(
            LEAST + '[domains."legacy.example"]\naccount_password = "everywhere"'
        )

        self.assertEqual(configuration.passwordRuleOf("legacy.example"), "everywhere")
        self.assertEqual(configuration.passwordRuleOf("example.org"), "web")


class MistakeTests(ConfigurationCase):
    """
    What is said about a configuration that cannot be used.
    """

    def test_all(self) -> None:
        """
        All mistakes are named at once, each by its key, with what it holds and may hold.
        """
        self.assertEqual(
            self.mistakes("""
                hostname = "x"
                [server]
                hostname = "mail.example.org"
                date = "."
                [listen]
                imap = "localhost:143"
                smtp = "192.0.2.1"
                [tls]
                certificate = "gone.pem"
                [issuer]
                url = "http://mail.example.org"
                token_lifetime = 30
                [signin]
                account_password = "imap"
                account_page = "mail.example.org"
                default_domain = "a b"
                scope = 'a "b"'
                xoauth2_error_document = ["smtp", "submission"]
                [limits]
                waiting_connections = 0
                waiting_per_network = "20"
                message_size = "50mb"
                password_hash_cost = 31
                [log]
                logins = 3
                [insecure]
                loopback_without_tls = "yes"
            """),
            {
                "hostname": "is not a key here",
                "server.date": "is not a key here; did you mean data?",
                "listen.imap": "holds 'localhost:143'; it may hold addresses such as"
                ' "192.0.2.1:143" or "[::]:143"',
                "listen.smtp": "is not a key here",
                "tls.certificate": f"cannot read {self.directory}/gone.pem:"
                " No such file or directory",
                "tls.key": "is missing: the name of a file in PEM",
                "issuer.url": "holds 'http://mail.example.org'; it may hold an address such as"
                ' "https://host/"',
                "issuer.token_lifetime": 'holds 30; it may hold a time such as "90s", "15m", "1h"'
                ' or "30d", from 60 to 86400',
                "signin.account_password": 'holds \'imap\'; it may hold one of "web", "everywhere"',
                "signin.account_page": "holds 'mail.example.org'; it may hold an address such as"
                ' "https://host/"',
                "signin.default_domain": "holds 'a b'; it may hold the name of a domain",
                "signin.scope": "holds 'a \"b\"'; it may hold scopes, one space between them",
                "signin.xoauth2_error_document": "holds smtp, submission; it may hold imap, jmap,"
                " pop3, smtp",
                "limits.waiting_connections": "holds 0; it may hold a whole number from 1 to"
                " 1000000",
                "limits.waiting_per_network": "holds '20'; it may hold a whole number from 1 to"
                " 1000000",
                "limits.message_size": "holds '50mb'; it may hold a size such as \"500kB\","
                ' "50MB" or "1GiB", from 10000 to 2.14748e+09',
                "limits.password_hash_cost": "holds 31; it may hold a whole number from 4 to 14",
                "log.logins": "holds 3; it may hold the name of a file",
                "insecure.loopback_without_tls": "holds 'yes'; it may hold true or false",
            },
        )

    def test_misspeltTable(self) -> None:
        """
        A table that nobody knows is a mistake like a key: a rule in it would be without effect.
        """
        self.assertEqual(
            self.mistakes(LEAST + "[limit]\n[domain.x]"),
            {
                "limit": "is not a key here; did you mean limits?",
                "domain": "is not a key here; did you mean domains?",
            },
        )

    def test_noTable(self) -> None:
        """
        What should be a table and is none is a mistake, not a crash.
        """
        said = self.mistakes("server = 1\nlisten = 'x'\ndomains = []\nexternal_issuers = 3")

        self.assertEqual(said["server"], "holds 1; it may hold a table")
        self.assertEqual(said["listen"], "holds 'x'; it may hold a table")
        self.assertEqual(said["domains"], "holds []; it may hold a table")
        self.assertEqual(said["external_issuers"], "holds 3; it may hold a table")
        self.assertEqual(said["server.hostname"], "is missing")

    def test_hostname(self) -> None:
        """
        What goes into greetings and headers is a host name, and nothing that could end a line.
        """
        for name in (
            *("", "a b", "a..b", ".a", "a.", "-a", "a-.b", "a_b", "mäil.example", "a\\r\\nb"),
            *("a" * 64, "a." * 127 + "a", "a" * 63 + "_"),
        ):
            said = self.mistakes(LEAST.replace("mail.example.org", name))
            self.assertEqual(list(said), ["server.hostname"], name)
        for name in ("localhost", "mail.example.org", "mx-1", "192.0.2.1", "a" * 63):
            self.assertEqual(self.read(LEAST.replace("mail.example.org", name)).hostname, name)

    def test_addresses(self) -> None:
        """
        An address is numeric, and if it is IPv6 it stands in brackets.
        """
        for address in (
            "::1",
            "[::1",
            "::1]",
            "[::1]143",
            "[127.0.0.1]:143",
            "127.0.0.1:",
            "127.0.0.1:x",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1:٣",
            "127.0.0.1:" + "9" * 5000,
            "127.0.0",
            "1.2.3.256",
            "mail.example.org",
            ":143",
            " 127.0.0.1",
        ):
            said = self.mistakes(f'{LEAST}[listen]\nimap = ["127.0.0.1", "{address}"]')
            self.assertEqual(list(said), ["listen.imap"], address)

    def test_urls(self) -> None:
        """
        An issuer's URL is https, and has a host and neither query nor fragment (RFC 8414 section
        2); nor has it anything that could end a line or a word.
        """
        for url in (
            "",
            "https://",
            "https:///path",
            "https://[",
            "https://[::1",
            "https://host:port",
            "https://host:99999",
            "https://host:0",
            "https://host?query",
            "https://host#fragment",
            "https://ho st",
            "https://höst",
            "https://host/\\r\\nx",
            "HTTP://host",
        ):
            said = self.mistakes(f'{LEAST}[issuer]\nurl = "{url}"')
            self.assertEqual(list(said), ["issuer.url"], url)
        for url in (
            "https://host",
            "https://host:8443/a/b/",
            "https://[::1]:443",
            "https://1.2.3.4",
        ):
            self.assertEqual(self.read(f'{LEAST}[issuer]\nurl = "{url}"').issuer, url)

    def test_domain(self) -> None:
        """
        A domain's table is named by a domain, and its keys are checked.
        """
        self.assertEqual(
            self.mistakes(LEAST + '[domains."a b"]\naccount_passwort = "web"'),
            {
                "domains.a b.a b": "holds 'a b'; it may hold the name of a domain",
                "domains.a b.account_passwort": "is not a key here; did you mean account_password?",
            },
        )

    def test_unreadable(self) -> None:
        """
        A file that is not there, is a directory, is not UTF-8 or not TOML is named with the
        reason.
        """
        gone = self.directory / "gone.toml"
        octets = self.directory / "octets.toml"
        octets.write_bytes(b"\xff")
        wrong = self.directory / "wrong.toml"
        wrong.write_text("[server")
        deep = self.directory / "deep.toml"
        deep.write_text("a = " + "[" * 10_000)
        long = self.directory / "long.toml"
        long.write_text("a = " + "9" * 5_000)

        said = {}
        for path in (gone, self.directory, octets, wrong, deep, long):
            error = self.assertRaises(ConfigurationError, readConfiguration, path)
            [mistake] = error.mistakes
            self.assertEqual(mistake.key, str(path))
            said[path] = mistake.says

        self.assertEqual(
            said[gone], "cannot be read: No such file or directory; name another with --config"
        )
        self.assertEqual(
            said[self.directory], "cannot be read: Is a directory; name another with --config"
        )
        self.assertEqual(
            said[octets], "cannot be read: it is not UTF-8; name another with --config"
        )
        for path in (wrong, deep, long):
            self.assertTrue(said[path].startswith("is not TOML: "), said[path])


class ExternalIssuerTests(ConfigurationCase):
    """
    Somebody else's authorization server.
    """

    def setUp(self) -> None:
        """
        Its key.
        """
        super().setUp()
        self.signer = Signer.fromPEM("one", "ES256", makePrivateKey("ES256"))
        self.keys = self.directory / "keys"
        self.keys.write_bytes(makeJWKS([self.signer.verifyingKey]))

    def readIssuer(self, text: str = ISSUER) -> ExternalIssuer:
        """
        The one issuer of a configuration.
        """
        [issuer] = self.read(LEAST + text).externalIssuers
        return issuer

    def test_defaults(self) -> None:
        """
        Its URL, audience and domains have to be said, and the rest is as strict as it can be for
        any issuer.
        """
        issuer = self.readIssuer()

        [key] = issuer.keys or ()
        self.assertEqual(key.kid, "one")
        self.assertEqual(
            attrs.evolve(issuer, keys=()),
            ExternalIssuer(
                name="company",
                url="https://idp.example.org",
                audience=frozenset({"mail"}),
                domains=frozenset({"example.org"}),
                keys=(),
                discovery="https://idp.example.org/.well-known/openid-configuration",
            ),
        )

    def test_everyKey(self) -> None:
        """
        Every key that is set is heard.
        """
        issuer = self.readIssuer(
            ISSUER.replace('"example.org"', '"Example.ORG", "bücher.example"')
            + """
            username_claim = "email"
            subject_claim = "oid"
            types = ["JWT", "none"]
            algorithms = ["ES256"]
            clients = ["thunderbird", "mutt"]
            discovery = "https://elsewhere.example/openid"
            endpoints = { jwks_uri = "https://elsewhere.example/keys" }
            default_scope = ["imap", "smtp"]
            accounts = "create"
            signed_introspection = true
            label = "Company"
            """
        )

        self.assertEqual(issuer.label, "Company")
        self.assertEqual(issuer.domains, {"example.org", "xn--bcher-kva.example"})
        self.assertEqual(issuer.usernameClaim, "email")
        self.assertEqual(issuer.subjectClaim, "oid")
        self.assertEqual(issuer.types, {"jwt", ""})
        self.assertEqual(issuer.algorithms, {"ES256"})
        self.assertEqual(issuer.clients, {"thunderbird", "mutt"})
        self.assertEqual(issuer.discovery, "https://elsewhere.example/openid")
        self.assertEqual(issuer.endpoints, {"jwks_uri": "https://elsewhere.example/keys"})
        self.assertEqual(issuer.defaultScope, {"imap", "smtp"})
        self.assertEqual(issuer.accounts, "create")
        self.assertTrue(issuer.signedIntrospection)

    def test_pem(self) -> None:
        """
        Its keys may be one public key in PEM.
        """
        self.keys.write_bytes(publicPEM(self.signer))

        [key] = self.readIssuer().keys or ()

        self.assertEqual(key.key, self.signer.verifyingKey.key)

    def test_presets(self) -> None:
        """
        What is known about a product is filled in where the configuration is silent.
        """
        for preset, url, expected in (
            ("keycloak", "https://idp.example.org/realms/mail", ("preferred_username", {"jwt"})),
            ("entra", "https://login.example/8c5b/v2.0", ("preferred_username", {"jwt", "at+jwt"})),
            ("authentik", "https://idp.example.org/o/mail/", ("preferred_username", {"jwt"})),
            ("dex", "https://dex.example.org", ("email", {"jwt", ""})),
        ):
            text = ISSUER.replace("https://idp.example.org", url) + f'preset = "{preset}"'
            issuer = self.readIssuer(text)
            self.assertEqual((issuer.usernameClaim, issuer.types), expected, preset)
            self.assertEqual((issuer.validation, issuer.opaqueTokens), ("jwt", False))
            self.assertEqual(issuer.subjectClaim, "oid" if preset == "entra" else "sub")

        entra = self.readIssuer(ISSUER + 'preset = "entra"')
        self.assertIn("IMAP.AccessAsUser.All", entra.scopes["imap"])
        self.assertNotIn("IMAP.AccessAsUser.All", entra.scopes["smtp"])
        google = self.readIssuer(
            ISSUER.replace('url = "https://idp.example.org"\n', 'preset = "google"\n')
        )
        self.assertEqual(google.url, "https://accounts.google.com")
        self.assertEqual((google.validation, google.opaqueTokens), ("userinfo", True))
        self.assertIn("tokeninfo_endpoint", google.endpoints)
        self.assertIn("Google", google.hint)
        typed = self.readIssuer(ISSUER + 'preset = "keycloak"\ntypes = "at+jwt"')
        self.assertEqual(typed.types, {"at+jwt"})

    def test_everybody(self) -> None:
        """
        An address that stands for all organisations of a product is refused: their people call
        themselves what they like (TK14).
        """
        for tenant in ("common", "organizations", "consumers"):
            url = f"https://login.microsoftonline.com/{tenant}/v2.0"
            said = self.mistakes(
                LEAST + ISSUER.replace("https://idp.example.org", url) + 'preset = "entra"'
            )
            self.assertIn("one tenant", said["external_issuers.company.url"])

    def test_clients(self) -> None:
        """
        Whoever is asked has to know who asks, and only one can be asked about what says nothing
        by itself.
        """
        for key in ('validation = "introspection"', "sign_in = true"):
            said = self.mistakes(LEAST + ISSUER + key)
            self.assertEqual(list(said), ["external_issuers.company.client_id"])
        (self.directory / "secret").write_text("of the client\n")
        issuer = self.readIssuer(ISSUER + 'client_id = "us"\nclient_secret_file = "secret"')
        self.assertEqual((issuer.clientId, issuer.clientSecret), ("us", "of the client"))
        self.assertNotIn("of the client", repr(issuer))
        asked = 'client_id = "us"\nvalidation = "introspection"\n'
        other = ISSUER.replace("company", "other").replace("idp.", "other.")
        said = self.mistakes(LEAST + ISSUER + asked + other + asked)
        self.assertEqual(list(said), ["external_issuers.other.opaque_tokens"])
        said = self.mistakes(LEAST + ISSUER + "opaque_tokens = true")
        self.assertEqual(list(said), ["external_issuers.company.opaque_tokens"])

    def test_tokeninfo(self) -> None:
        """
        Who may read a person's name with a token may not be whom it was given to: an issuer that
        does not say has nothing to be asked (TK12).
        """
        said = self.mistakes(LEAST + ISSUER + 'validation = "userinfo"')
        self.assertEqual(list(said), ["external_issuers.company.endpoints"])

        issuer = self.readIssuer(
            ISSUER
            + 'validation = "userinfo"\n'
            + 'endpoints = { tokeninfo_endpoint = "https://idp.example.org/tokeninfo" }'
        )
        self.assertTrue(issuer.opaqueTokens)

    def test_addresses(self) -> None:
        """
        What is called by name is https, and something that is called at all.
        """
        said = self.mistakes(
            LEAST
            + ISSUER
            + 'endpoints = { jwks_uri = "http://a.example/", keys_uri = "https://a/" }'
        )

        self.assertEqual(
            said,
            {
                "external_issuers.company.endpoints.jwks_uri": "holds 'http://a.example/'; it may"
                ' hold an address such as "https://host/"',
                "external_issuers.company.endpoints.keys_uri": "is not a key here; did you mean"
                " jwks_uri?",
            },
        )

    def test_certificateAuthority(self) -> None:
        """
        Who vouches for its servers is read at the start: a file that vouches for nobody would be
        found out only when somebody cannot log in.
        """
        for name in ("keys", "gone"):
            said = self.mistakes(LEAST + ISSUER + f'certificate_authority = "{name}"')
            self.assertEqual(list(said), ["external_issuers.company.certificate_authority"])
        issuer = self.readIssuer(ISSUER + 'certificate_authority = "server.pem"')
        self.assertEqual(issuer.certificateAuthority, (self.directory / "server.pem").read_bytes())

    def test_missing(self) -> None:
        """
        Each of the three that have to be there is named where it is missing: an issuer without an
        audience or a domain would speak for everybody.
        """
        said = self.mistakes(LEAST + "[external_issuers.company]\n[external_issuers.other]")

        self.assertEqual(
            {key: says for key, says in said.items() if ".company." in key},
            {
                "external_issuers.company.url": "is missing: the issuer as its tokens name it",
                "external_issuers.company.audience": "is missing: whom its tokens have to be for",
                "external_issuers.company.domains": "is missing: the domains whose accounts it may"
                " speak for",
            },
        )
        self.assertEqual(len(said), 6)

    def test_same(self) -> None:
        """
        An issuer with the URL of another, or of the built-in one, is a mistake.
        """
        again = ISSUER.replace("company", "again")
        own = again.replace("idp.example.org", "mail.example.org")

        self.assertEqual(
            self.mistakes(LEAST + ISSUER + again),
            {
                "external_issuers.again.url": "holds 'https://idp.example.org', which is another"
                " issuer's"
            },
        )
        self.assertEqual(
            self.mistakes(LEAST + own),
            {
                "external_issuers.again.url": "holds 'https://mail.example.org', which is another"
                " issuer's"
            },
        )

    def test_wrong(self) -> None:
        """
        A key that is misspelt, an unknown algorithm and a name that is no domain are mistakes.
        """
        text = ISSUER.replace('["example.org"]', '"example_org"')

        self.assertEqual(
            self.mistakes(LEAST + text + 'algorithms = ["HS256", "none"]\nclient = "x"'),
            {
                "external_issuers.company.domains": "holds 'example_org'; it may hold the name of"
                " a domain",
                "external_issuers.company.algorithms": "holds HS256, none; it may hold "
                + ", ".join(sorted(ALGORITHMS)),
                "external_issuers.company.client": "is not a key here; did you mean clients?",
            },
        )

    def test_unusableKeys(self) -> None:
        """
        A file without a usable key is named with the reason: half of a key set would be found
        out only when somebody cannot log in.
        """
        for content in (b"", b"no key", b'{"keys": []}', b"{", makePrivateKey("ES256")):
            self.keys.write_bytes(content)

            said = self.mistakes(LEAST + ISSUER)

            self.assertEqual(list(said), ["external_issuers.company.keys"], content)
            self.assertTrue(
                said["external_issuers.company.keys"].startswith(str(self.keys)), content
            )


class AnyDocumentTests(ConfigurationCase):
    """
    Whatever a file holds.
    """

    @given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
    def test_members(self, members: dict[str, Any]) -> None:
        """
        Any document is a configuration or a ConfigurationError that says something.
        """
        self.check(toTOML(members))

    @given(st.text())
    def test_text(self, text: str) -> None:
        """
        So is any text.
        """
        self.check(text)

    @given(st.sampled_from(sorted(tomllib.loads(SAMPLE.read_text()))), VALUES)
    def test_table(self, name: str, value: Any) -> None:
        """
        So is a configuration in which one table was replaced.
        """
        sample = tomllib.loads(SAMPLE.read_text())
        self.check(toTOML({**sample, name: value}))

    def check(self, text: str) -> None:
        """
        Read it.
        """
        try:
            self.read(text)
        except ConfigurationError as error:
            self.assertTrue(error.mistakes)
            self.assertNotIn("", [mistake.says for mistake in error.mistakes])


class SampleTests(ConfigurationCase):
    """
    C{etc/mailauth.toml}.
    """

    def sample(self) -> str:
        """
        The file, with the certificates and the directory of this test.
        """
        return (
            SAMPLE.read_text()
            .replace("/etc/mailauth/fullchain.pem", "server.pem")
            .replace("/etc/mailauth/privkey.pem", "server.key")
            .replace("/var/lib/mailauth", ".")
        )

    def uncommented(self) -> str:
        """
        The same with every key that is commented out.
        """
        return re.sub(r"(?m)^# (?=\w+ = |\[)", "", self.sample())

    def test_builds(self) -> None:
        """
        The file as it is makes a service, which listens where it says.
        """
        configuration = self.read(self.sample())

        service = MailService(configuration, reactor)

        names = [str(listener.name) for listener in service if listener.name]
        self.assertEqual(
            sorted(names),
            sorted(
                f"{name} {host} {port}"
                for name, port in STANDARD_PORTS.items()
                for host in ("0.0.0.0", "::")
            ),
        )

    def test_everyKey(self) -> None:
        """
        It shows every key: those that are commented out are all there are besides those set.
        """
        keys = re.findall(r'table\w*\("(\w+)"|\w+\(\s*(?:\w+, )?"(\w+)"', config())
        named = {name for pair in keys for name in pair if name}
        shown = set(re.findall(r"(?m)^(?:# )?\[?(\w+)", self.uncommented()))

        self.assertEqual(named - shown, set())

    def test_defaults(self) -> None:
        """
        A key that is commented out holds its default. Those without one change only themselves.
        """
        (self.directory / "company.secret").write_text("secret")
        certificate = (self.directory / "server.pem").read_bytes()
        (self.directory / "company-ca.pem").write_bytes(certificate)
        (self.directory / "company.jwks").write_bytes(
            makeJWKS([Signer.fromPEM("1", "ES256", makePrivateKey("ES256")).verifyingKey])
        )
        commented = self.read(self.sample())

        everything = self.read(self.uncommented())

        [issuer] = everything.externalIssuers
        self.assertEqual(issuer.name, "company")
        self.assertEqual(issuer.certificateAuthority, certificate)
        self.assertEqual(everything.domainRules, {"legacy.example.org": "everywhere"})
        self.assertEqual(everything.defaultDomain, "example.org")
        self.assertEqual(everything.issuing.grantLifetime, 365 * 86400)
        self.assertEqual(
            attrs.evolve(
                everything,
                externalIssuers=(),
                domainRules={},
                defaultDomain=None,
                issuing=attrs.evolve(everything.issuing, grantLifetime=None),
            ),
            commented,
        )


class DocumentedIssuersTests(ConfigurationCase):
    """
    C{docs/issuers.md} and C{docs/quickstart.md}.
    """

    def test_read(self) -> None:
        """
        Each issuer that they show can be put into a configuration as it is, and each product that
        is known has one.
        """
        for name in ("company.secret", "zitadel.secret"):
            (self.directory / name).write_text("secret")
        docs = SAMPLE.parent.parent / "docs"
        written = "".join((docs / name).read_text() for name in ("issuers.md", "quickstart.md"))
        blocks = re.findall(r"(?ms)^```toml\n(.*?)^```$", written)

        for block in blocks:
            [issuer] = self.read(LEAST + block).externalIssuers
            self.assertTrue(issuer.audience)
        shown = re.findall(r'(?m)^preset = "(\w+)"', "".join(blocks))
        self.assertEqual(set(shown), set(PRESETS))


def config() -> str:
    """
    The modules that read the keys.
    """
    server = SAMPLE.parent.parent / "mailauth" / "server"
    return "".join(
        (server / name).read_text()
        for name in ("config.py", "issuersettings.py", "externalissuers.py")
    )


def publicPEM(signer: Signer) -> bytes:
    """
    The public half of a key.
    """
    key: Any = signer.verifyingKey.key
    octets: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return octets


def toTOML(value: Any, outer: bool = True) -> str:
    """
    Write a document.
    """
    if isinstance(value, dict):
        pairs = [f"{quoted(key)} = {toTOML(each, False)}" for key, each in value.items()]
        return "\n".join(pairs) if outer else "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toTOML(each, False) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """
    A basic string (TOML 1.0).
    """
    escaped = "".join(
        character if character.isalnum() or character in " ./:[]@" else f"\\U{ord(character):08x}"
        for character in text
    )
    return f'"{escaped}"'
