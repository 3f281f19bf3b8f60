"""
Somebody else's authorization servers, as the configuration names them. Owns what is known about
the products that most of them are, and where each of those is not what one expects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from ..oauth.jwt import ALGORITHMS, UnusableKey, VerifyingKey, keysFromJWKS, publicKeyFromPEM
from ..scopes import SERVICE_SCOPES
from .toml import Table

VALIDATIONS = ("jwt", "introspection", "userinfo")
ACCOUNTS = ("existing", "create")

_GOOGLE = "https://mail.google.com/"


@attrs.frozen
class Preset:
    """
    What is filled in where the configuration is silent.

    @ivar url: the issuer, where there is only one.
    @ivar types: the C{typ} of its access tokens.
    @ivar usernameClaim: the claim with the login name.
    @ivar validation: one of L{VALIDATIONS}.
    @ivar scopes: for each service the scopes that open it, besides our own.
    @ivar everybody: parts of its addresses that stand for all organisations on it, whose people
        choose their names as they like (TK14).
    @ivar hint: what its administrators get wrong.
    """

    url: str | None = None
    types: frozenset[str] = frozenset({"at+jwt"})
    usernameClaim: str = "sub"
    validation: str = "jwt"
    scopes: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    everybody: frozenset[str] = frozenset()
    hint: str = ""


PRESETS: Mapping[str, Preset] = {
    "keycloak": Preset(
        types=frozenset({"jwt"}),
        usernameClaim="preferred_username",
        hint="Keycloak puts nobody into 'aud' by itself: add an audience mapper to the client scope"
        " that names this server's audience.",
    ),
    "entra": Preset(
        types=frozenset({"jwt", "at+jwt"}),
        usernameClaim="preferred_username",
        scopes={
            "imap": frozenset({"IMAP.AccessAsUser.All"}),
            "smtp": frozenset({"SMTP.Send"}),
            "pop3": frozenset({"POP.AccessAsUser.All"}),
        },
        everybody=frozenset({"common", "organizations", "consumers", "{tenantid}"}),
        hint="Expose an API of your own in Entra and have clients ask for its scopes: tokens for"
        " Microsoft Graph cannot be verified by anybody else.",
    ),
    "google": Preset(
        url="https://accounts.google.com",
        usernameClaim="email",
        validation="userinfo",
        scopes={service: frozenset({_GOOGLE}) for service in SERVICE_SCOPES},
        hint="Google's access tokens are opaque. They are asked about at Google, and 'audience'"
        " has to hold the ids of the clients that may have them.",
    ),
    "authentik": Preset(types=frozenset({"jwt"}), usernameClaim="preferred_username"),
    "zitadel": Preset(types=frozenset({"jwt", "at+jwt"}), usernameClaim="preferred_username"),
    "dex": Preset(types=frozenset({"jwt"}), usernameClaim="email"),
}


@attrs.frozen
class ExternalIssuer:
    """
    One of them.

    @ivar name: what the configuration calls it.
    @ivar url: its C{iss}, octet for octet.
    @ivar validation: how its tokens are validated: one of L{VALIDATIONS}.
    @ivar audience: for whom they have to be.
    @ivar domains: the domains whose accounts it may speak for.
    @ivar usernameClaim: the claim with the login name.
    @ivar types: see L{TrustedIssuer<mailauth.validators.claims.TrustedIssuer>}, as for what is not
        said here.
    @ivar scopes: for each service the scopes of which any one is enough, where they are not ours.
    @ivar keys: its keys, if a file has them; C{None} if they are fetched from it.
    @ivar keysAddress: where they are fetched, if that is not at its own origin.
    @ivar discovery: the address of its discovery document.
    @ivar clientId: who we are to it, for introspection and for signing in; C{None} if nobody.
    @ivar clientSecret: with which we prove it.
    @ivar opaqueTokens: it is asked about tokens that say nothing by themselves.
    @ivar signIn: its people sign in here through it.
    @ivar accounts: whether an account has to exist, or is made at the first sign-in: one of
        L{ACCOUNTS}.
    """

    name: str
    url: str
    audience: frozenset[str]
    domains: frozenset[str]
    discovery: str
    validation: str = "jwt"
    usernameClaim: str = "sub"
    types: frozenset[str] = frozenset({"at+jwt"})
    algorithms: frozenset[str] = ALGORITHMS
    clients: frozenset[str] | None = None
    scopes: Mapping[str, frozenset[str]] = SERVICE_SCOPES
    keys: tuple[VerifyingKey, ...] | None = None
    keysAddress: str | None = None
    clientId: str | None = None
    clientSecret: str | None = attrs.field(default=None, repr=False)
    opaqueTokens: bool = False
    signIn: bool = False
    accounts: str = ACCOUNTS[0]


def readExternalIssuers(
    tables: Mapping[str, Table],
    own: str,
    url: Callable[[Table, str, str], str],
    domain: Callable[[Table, str, str], str],
) -> tuple[ExternalIssuer, ...]:
    """
    Read them, noting every mistake.

    @param own: the issuer built in.
    @param url: reads an address: the table, the key and the default.
    @param domain: reads the name of a domain: the table, the key and the name.
    """
    issuers: list[ExternalIssuer] = []
    for name, table in tables.items():
        issuer = _Reader(name, table, url, domain).read()
        if issuer.url and issuer.url in (own, *(other.url for other in issuers)):
            table.mistaken("url", f"holds {issuer.url!r}, which is another issuer's")
        if issuer.opaqueTokens and any(other.opaqueTokens for other in issuers):
            # Nothing in such a token says whose it is.
            table.mistaken("opaque_tokens", "is true of another issuer already")
        issuers.append(issuer)
        table.finish()
    return tuple(issuers)


@attrs.frozen
class _Reader:
    """
    Reads one table.
    """

    name: str
    table: Table
    url: Callable[[Table, str, str], str]
    domain: Callable[[Table, str, str], str]

    def read(self) -> ExternalIssuer:
        """
        The issuer, with whatever is mistaken left out.
        """
        table = self.table
        preset = PRESETS.get(table.choice("preset", PRESETS, "") or "", Preset())
        issuer = self.url(table, "url", preset.url or "")
        if not issuer:
            table.mistaken("url", "is missing: the issuer as its tokens name it")
        if preset.everybody.intersection(issuer.split("/")):
            table.mistaken(
                "url", f"holds {issuer!r}, which is everybody; it may hold that of one tenant"
            )
        validation = table.choice("validation", VALIDATIONS, preset.validation)
        clientId: str | None = table.text("client_id", None)
        signIn = table.boolean("sign_in", False)
        if clientId is None and (signIn or validation == "introspection"):
            table.mistaken("client_id", "is missing: who this server is to the issuer")
        clients = table.texts("clients")
        keysAddress = self.url(table, "keys_url", "")
        return ExternalIssuer(
            name=self.name,
            url=issuer,
            validation=validation,
            audience=self._required("audience", "whom its tokens have to be for", preset.hint),
            domains=frozenset(
                self.domain(table, "domains", each)
                for each in self._required("domains", "the domains whose accounts it may speak for")
            ),
            usernameClaim=table.text("username_claim", preset.usernameClaim),
            types=frozenset(each.lower() for each in table.texts("types", sorted(preset.types))),
            algorithms=self._algorithms(),
            clients=frozenset(clients) if clients else None,
            scopes=self._scopes(preset),
            keys=self._keys(),
            keysAddress=keysAddress or None,
            discovery=self.url(
                table, "discovery", issuer.rstrip("/") + "/.well-known/openid-configuration"
            ),
            clientId=clientId,
            clientSecret=self._clientSecret(),
            opaqueTokens=table.boolean("opaque_tokens", validation != "jwt"),
            signIn=signIn,
            accounts=table.choice("accounts", ACCOUNTS, ACCOUNTS[0]),
        )

    def _required(self, key: str, what: str, hint: str = "") -> frozenset[str]:
        values = frozenset(self.table.texts(key))
        if not values:
            self.table.mistaken(key, f"is missing: {what}{'. ' + hint if hint else ''}")
        return values

    def _algorithms(self) -> frozenset[str]:
        algorithms = frozenset(self.table.texts("algorithms", sorted(ALGORITHMS)))
        if algorithms - ALGORITHMS:
            self.table.mistaken(
                "algorithms",
                f"holds {', '.join(sorted(algorithms - ALGORITHMS))}; it may hold"
                f" {', '.join(sorted(ALGORITHMS))}",
            )
        return algorithms & ALGORITHMS

    def _scopes(self, preset: Preset) -> dict[str, frozenset[str]]:
        table = self.table.table("scopes")
        scopes = {
            service: frozenset(
                table.texts(service, sorted(ours | preset.scopes.get(service, frozenset())))
            )
            for service, ours in SERVICE_SCOPES.items()
        }
        table.finish()
        return scopes

    def _keys(self) -> tuple[VerifyingKey, ...] | None:
        if not self.table.has("keys"):
            return None
        path = self.table.file("keys")
        if path is None:
            return ()
        try:
            keys = readKeys(path)
        except UnusableKey as error:
            self.table.mistaken("keys", f"{path}: {error}")
            return ()
        if not keys:
            self.table.mistaken("keys", f"{path} has no key that could be used")
        return keys

    def _clientSecret(self) -> str | None:
        # A secret in the configuration would be read by everybody who reads that.
        path: Any = self.table.file("client_secret_file")
        return None if path is None else path.read_text("utf-8").strip()


def readKeys(path: Path) -> tuple[VerifyingKey, ...]:
    """
    Read a file of public keys, a JWK set or one key in PEM.

    @raise UnusableKey: it is neither.
    """
    content = path.read_bytes()
    if content.lstrip().startswith(b"{"):
        return keysFromJWKS(content)
    return (publicKeyFromPEM(content),)
