"""
Somebody else's authorization servers, as the configuration names them. Owns what has to be said
about each, and what is taken from a preset where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
from cryptography.x509 import load_pem_x509_certificates

from ..oauth.jwt import ALGORITHMS, UnusableKey, VerifyingKey, keysFromJWKS, publicKeyFromPEM
from ..scopes import SERVICE_SCOPES
from ..validators.discovery import ADDRESSES
from .issuerpresets import PRESETS, Preset
from .toml import Table

VALIDATIONS = ("jwt", "introspection", "userinfo")
ACCOUNTS = ("existing", "create")

NO_TYPE = "none"
"""
Stands among the types for tokens that do not say one.
"""

ENDPOINTS = (*ADDRESSES, "tokeninfo_endpoint")
"""
What may be named that its metadata does not, or names at another origin.
"""


@attrs.frozen
class ExternalIssuer:
    """
    One of them.

    @ivar name: what the configuration calls it.
    @ivar url: its C{iss}, octet for octet.
    @ivar validation: how its tokens are validated: one of L{VALIDATIONS}.
    @ivar audience: for whom they have to be.
    @ivar domains: the domains whose accounts it may speak for.
    @ivar subjectClaim: the claim that says who somebody is, and never changes.
    @ivar usernameClaim: the claim with the login name, which counts the first time alone.
    @ivar types: see L{TrustedIssuer<mailauth.validators.claims.TrustedIssuer>}, as for what is not
        said here.
    @ivar scopes: for each service the scopes of which any one is enough, where they are not ours.
    @ivar defaultScope: what its tokens are good for that do not say.
    @ivar keys: its keys, if a file has them; C{None} if they are fetched from it.
    @ivar endpoints: addresses of L{ENDPOINTS}, which may be anywhere.
    @ivar discovery: the address of its discovery document.
    @ivar clientId: who we are to it, for introspection and for signing in; C{None} if nobody.
    @ivar clientSecret: with which we prove it; C{None} if we do with a key of ours.
    @ivar signedIntrospection: what it says about tokens has to be signed (RFC 9701).
    @ivar opaqueTokens: it is asked about tokens that say nothing by themselves.
    @ivar signIn: its people sign in here through it.
    @ivar label: what they call it.
    @ivar accounts: whether an account has to exist, or is made at the first sign-in: one of
        L{ACCOUNTS}.
    @ivar certificateAuthority: the certificates in PEM of whoever vouches for its servers; C{None}
        for those whom the platform trusts.
    @ivar hint: what its administrators get wrong about the audience.
    """

    name: str
    url: str
    audience: frozenset[str]
    domains: frozenset[str]
    discovery: str
    validation: str = "jwt"
    subjectClaim: str = "sub"
    usernameClaim: str = "sub"
    types: frozenset[str] = frozenset({"at+jwt"})
    algorithms: frozenset[str] = ALGORITHMS
    clients: frozenset[str] | None = None
    scopes: Mapping[str, frozenset[str]] = SERVICE_SCOPES
    defaultScope: frozenset[str] = frozenset()
    keys: tuple[VerifyingKey, ...] | None = None
    endpoints: Mapping[str, str] = attrs.field(factory=dict)
    clientId: str | None = None
    clientSecret: str | None = attrs.field(default=None, repr=False)
    signedIntrospection: bool = False
    opaqueTokens: bool = False
    signIn: bool = False
    label: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    accounts: str = ACCOUNTS[0]
    certificateAuthority: bytes | None = attrs.field(default=None, repr=False)
    hint: str = ""


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
        opaqueTokens = table.boolean("opaque_tokens", validation != "jwt")
        if opaqueTokens and validation == "jwt":
            table.mistaken("opaque_tokens", 'is true, but "jwt" asks nobody what a token is')
        clients = table.texts("clients")
        endpoints = self._endpoints(preset)
        if validation == "userinfo" and "tokeninfo_endpoint" not in endpoints:
            # That somebody can read a person's name with a token does not say whom it was given.
            table.mistaken("endpoints", "has no tokeninfo_endpoint, which says whom a token is for")
        return ExternalIssuer(
            name=self.name,
            url=issuer,
            validation=validation,
            audience=self._required("audience", "whom its tokens have to be for", preset.hint),
            domains=frozenset(
                self.domain(table, "domains", each)
                for each in self._required("domains", "the domains whose accounts it may speak for")
            ),
            subjectClaim=table.text("subject_claim", preset.subjectClaim),
            usernameClaim=table.text("username_claim", preset.usernameClaim),
            types=self._types(preset),
            algorithms=self._algorithms(),
            clients=frozenset(clients) if clients else None,
            scopes=self._scopes(preset),
            defaultScope=frozenset(table.texts("default_scope")),
            keys=self._keys(),
            endpoints=endpoints,
            discovery=self.url(
                table, "discovery", issuer.rstrip("/") + "/.well-known/openid-configuration"
            ),
            clientId=clientId,
            clientSecret=self._clientSecret(),
            signedIntrospection=table.boolean("signed_introspection", False),
            opaqueTokens=opaqueTokens,
            signIn=signIn,
            label=table.text("label", self.name),
            accounts=table.choice("accounts", ACCOUNTS, ACCOUNTS[0]),
            certificateAuthority=self._certificateAuthority(),
            hint=preset.hint,
        )

    def _required(self, key: str, what: str, hint: str = "") -> frozenset[str]:
        values = frozenset(self.table.texts(key))
        if not values:
            self.table.mistaken(key, f"is missing: {what}{'. ' + hint if hint else ''}")
        return values

    def _types(self, preset: Preset) -> frozenset[str]:
        if not self.table.has("types"):
            return preset.types
        named = frozenset(each.lower() for each in self.table.texts("types"))
        return named - {NO_TYPE} | {""} if NO_TYPE in named else named

    def _endpoints(self, preset: Preset) -> dict[str, str]:
        table = self.table.table("endpoints")
        read = {name: self.url(table, name, preset.endpoints.get(name, "")) for name in ENDPOINTS}
        table.finish()
        return {name: address for name, address in read.items() if address}

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

    def _certificateAuthority(self) -> bytes | None:
        path = self.table.file("certificate_authority")
        if path is None:
            return None
        content = path.read_bytes()
        try:
            load_pem_x509_certificates(content)
        except ValueError:
            self.table.mistaken("certificate_authority", f"{path} has no certificate in PEM")
        return content


def readKeys(path: Path) -> tuple[VerifyingKey, ...]:
    """
    Read a file of public keys, a JWK set or one key in PEM.

    @raise UnusableKey: it is neither.
    """
    content = path.read_bytes()
    if content.lstrip().startswith(b"{"):
        return keysFromJWKS(content)
    return (publicKeyFromPEM(content),)
