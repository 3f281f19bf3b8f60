"""
The configuration: a TOML file becomes frozen values. Owns what every key is called, what it may
hold and what it is if nobody says.

C{etc/mailauth.toml} in the sources shows every key with a sentence about it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from ..errors import InvalidCredentials
from ..mail.waiting import WaitingLimits
from ..passwords import DEFAULT_COST, MAX_COST, MIN_COST
from ..policy import PASSWORD_RULES
from ..scopes import MAIL_SCOPE, SCOPE, SERVICE_SCOPES
from ..stores.records import APP_PASSWORD_LIMIT, MOST_APP_PASSWORDS
from ..stores.revocations import KEEP
from ..usernames import canonicalName
from .externalissuers import ExternalIssuer, readExternalIssuers
from .issuersettings import DAY, IssuerSettings, readIssuerSettings
from .toml import ConfigurationError, Mistake, Table

LISTENERS = ("imap", "imaps", "submission", "submissions", "pop3", "pop3s", "https")
STANDARD_PORTS = {
    "imap": 143,
    "imaps": 993,
    "submission": 587,
    "submissions": 465,
    "pop3": 110,
    "pop3s": 995,
    "https": 443,
}
CONFIGURATION = "mailauth.toml"
DATABASE = "mailauth.db"
KEY_FILE = "mailauth.key"
LOGIN_LOG = "logins.jsonl"

# An IP address, in brackets if it is IPv6, and a port unless it is the standard one.
_ADDRESS = re.compile(r"(?:\[(?P<six>[^]]*:[^]]*)\]|(?P<four>[0-9.]*))(?::(?P<port>[0-9]{1,5}))?")

# As greetings and trace headers take it (RFC 5321 section 2.3.5), so in ASCII.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")

# Nothing that would end a line of a protocol, or a word of it.
_URL = re.compile(r"https://[!-~]+")


@attrs.frozen
class Address:
    """
    Where to listen.
    """

    host: str
    port: int


@attrs.frozen
class Configuration:
    """
    Everything that the service is told.

    @ivar hostname: what mail clients call the server.
    @ivar directory: where the database and the mail are kept.
    @ivar listen: for each of L{LISTENERS} its addresses.
    @ivar certificate: the certificate chain in PEM.
    @ivar privateKey: its key in PEM.
    @ivar keyFile: the file whose key seals private keys and other secrets.
    @ivar issuer: the URL that identifies the built-in authorization server.
    @ivar audience: for whom its tokens are.
    @ivar tokenLifetime: of an access token that comes without a refresh token, in seconds.
    @ivar issuing: how the authorization server is set besides.
    @ivar externalIssuers: whose tokens are accepted besides.
    @ivar passwordRule: where account passwords may be used.
    @ivar domainRules: the same for each domain that the configuration names.
    @ivar defaultDomain: for login names without a domain.
    @ivar administrators: the accounts that may use the administration site.
    @ivar adminSecondFactor: only if they sign in with more than a password.
    @ivar accountPage: where people manage what they sign in with.
    @ivar scope: what a refused client is told to ask for.
    @ivar waiting: the limits on connections that have not logged in.
    @ivar messageSize: the largest message, in octets.
    @ivar hashCost: of bcrypt.
    @ivar appPasswordLimit: how many app passwords an account may have, if nothing else is set.
    @ivar eventsKept: for how many seconds events are kept.
    @ivar loginLog: the file in which every login is a line.
    @ivar insecureLoopback: take secrets without TLS from this machine.
    @ivar xoauth2Document: on which services a refused XOAUTH2 gets the error document.
    """

    hostname: str
    directory: Path
    listen: Mapping[str, tuple[Address, ...]]
    certificate: Path
    privateKey: Path
    keyFile: Path
    issuer: str
    audience: str
    tokenLifetime: float
    issuing: IssuerSettings
    externalIssuers: tuple[ExternalIssuer, ...]
    passwordRule: str
    domainRules: Mapping[str, str]
    defaultDomain: str | None
    administrators: frozenset[str]
    adminSecondFactor: bool
    accountPage: str
    scope: str
    waiting: WaitingLimits
    messageSize: int
    hashCost: int
    appPasswordLimit: int
    eventsKept: float
    loginLog: Path
    insecureLoopback: bool
    xoauth2Document: frozenset[str]

    @property
    def database(self) -> Path:
        """
        The file of the database.
        """
        return self.directory / DATABASE

    @property
    def revocationsKept(self) -> float:
        """
        For how many seconds revocations are kept: longer than anything lives that they end.
        """
        longest = max(KEEP, self.issuing.refreshTokenIdle, self.issuing.browserSession)
        return longest + DAY

    @property
    def discovery(self) -> str:
        """
        The address of the built-in issuer's discovery document (OpenID Connect Discovery 1.0
        section 4).
        """
        return discoveryOf(self.issuer)

    @property
    def domains(self) -> frozenset[str]:
        """
        The domains that it names.
        """
        default = () if self.defaultDomain is None else (self.defaultDomain,)
        return frozenset(self.domainRules).union(default)

    def passwordRuleOf(self, domain: str) -> str:
        """
        Where the account passwords of a domain may be used.
        """
        return self.domainRules.get(domain, self.passwordRule)


def discoveryOf(issuer: str) -> str:
    """
    The address of an issuer's discovery document.
    """
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def readConfiguration(path: Path) -> Configuration:
    """
    Read a configuration file.

    @raise ConfigurationError: it cannot be used; all that is wrong with it is said.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        says = f"cannot be read: {reason}; name another with --config"
        raise ConfigurationError([Mistake(str(path), says)]) from None
    try:
        members = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([Mistake(str(path), f"is not TOML: {error}")]) from None
    mistakes: list[Mistake] = []
    configuration = _readAll(Table(members, mistakes, "", path.resolve().parent))
    if mistakes:
        raise ConfigurationError(mistakes)
    return configuration


def _readAll(top: Table) -> Configuration:
    server, tls, issuer = top.table("server"), top.table("tls"), top.table("issuer")
    signin, limits, log = top.table("signin"), top.table("limits"), top.table("log")
    admin, insecure = top.table("admin"), top.table("insecure")
    appPasswords, audit = top.table("app_passwords"), top.table("audit")
    hostname = _hostname(server)
    directory = server.path("data", Path("/var/lib/mailauth"))
    for key in ("certificate", "key"):
        if not tls.has(key):
            tls.mistaken(key, "is missing: the name of a file in PEM")
    url = _url(issuer, "url", f"https://{hostname}")
    rule = signin.choice("account_password", PASSWORD_RULES, PASSWORD_RULES[0])
    configuration = Configuration(
        hostname=hostname,
        directory=directory,
        listen=_readListeners(top.table("listen")),
        certificate=tls.file("certificate") or Path(),
        privateKey=tls.file("key") or Path(),
        keyFile=server.path("key_file", directory / KEY_FILE),
        issuer=url,
        audience=issuer.text("audience", url),
        tokenLifetime=issuer.seconds("token_lifetime", 3600, 60, 86400),
        issuing=readIssuerSettings(issuer, signin),
        externalIssuers=readExternalIssuers(
            top.tables("external_issuers"), url, _url, _canonicalDomain
        ),
        passwordRule=rule,
        domainRules=_readDomains(top.tables("domains"), rule),
        defaultDomain=_domain(signin, "default_domain"),
        administrators=_readAdministrators(admin),
        adminSecondFactor=admin.boolean("second_factor", False),
        accountPage=_url(signin, "account_page", url.rstrip("/") + "/account/"),
        scope=_scope(signin),
        waiting=_readWaiting(limits),
        messageSize=limits.octets("message_size", 50 * 10**6, 10_000, 2**31),
        hashCost=limits.integer("password_hash_cost", DEFAULT_COST, MIN_COST, MAX_COST),
        appPasswordLimit=appPasswords.integer("limit", APP_PASSWORD_LIMIT, 0, MOST_APP_PASSWORDS),
        eventsKept=audit.integer("keep_days", 365, 1, 36_500) * DAY,
        loginLog=log.path("logins", directory / LOGIN_LOG),
        insecureLoopback=insecure.boolean("loopback_without_tls", False),
        xoauth2Document=_readServices(signin, "xoauth2_error_document", ("smtp",)),
    )
    for table in (top, server, tls, issuer, signin, limits, log, admin, insecure):
        table.finish()
    appPasswords.finish()
    audit.finish()
    return configuration


def _readListeners(table: Table) -> dict[str, tuple[Address, ...]]:
    listeners = {}
    for name in LISTENERS:
        addresses = []
        for text in table.texts(name):
            address = _address(text, STANDARD_PORTS[name])
            if address is None:
                port = STANDARD_PORTS[name]
                examples = f'"192.0.2.1:{port}" or "[::]:{port}"'
                table.mistaken(name, f"holds {text!r}; it may hold addresses such as {examples}")
            else:
                addresses.append(address)
        listeners[name] = tuple(addresses)
    table.finish()
    return listeners


def _address(text: str, standardPort: int) -> Address | None:
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    host, port = match["six"] or match["four"], int(match["port"] or standardPort)
    try:
        ip_address(host)
    except ValueError:
        return None
    return Address(host, port) if port < 65536 else None


def _readAdministrators(table: Table) -> frozenset[str]:
    names = set()
    for text in table.texts("accounts"):
        try:
            names.add(canonicalName(text))
        except InvalidCredentials:
            table.mistaken("accounts", f"holds {text!r}, which cannot be an account")
    return frozenset(names)


def _readDomains(tables: Mapping[str, Table], rule: str) -> dict[str, str]:
    rules = {}
    for name, table in tables.items():
        domain = _canonicalDomain(table, name, name)
        rules[domain] = table.choice("account_password", PASSWORD_RULES, rule)
        table.finish()
    return rules


def _readWaiting(limits: Table) -> WaitingLimits:
    return WaitingLimits(
        connections=limits.integer("waiting_connections", 2000, 1, 1_000_000),
        perNetwork=limits.integer("waiting_per_network", 20, 1, 1_000_000),
    )


def _readServices(table: Table, key: str, default: tuple[str, ...]) -> frozenset[str]:
    services = frozenset(table.texts(key, default))
    if services - SERVICE_SCOPES.keys():
        table.mistaken(
            key,
            f"holds {', '.join(sorted(services))}; it may hold {', '.join(sorted(SERVICE_SCOPES))}",
        )
    return services


def _url(table: Table, key: str, default: str) -> str:
    """
    An https URL without query and fragment, as RFC 8414 section 2 wants an issuer to be.
    """
    url = table.text(key, default)
    if url != default and not _isAddress(url):
        table.mistaken(key, f'holds {url!r}; it may hold an address such as "https://host/"')
        return default
    return url


def _isAddress(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what finds out whether it is one.
        return bool(
            _URL.fullmatch(url)
            and parts.hostname
            and parts.port != 0
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        return False


def _hostname(server: Table) -> str:
    hostname = server.required("hostname")
    if hostname and _HOSTNAME.fullmatch(hostname) is None:
        server.mistaken(
            "hostname", f'holds {hostname!r}; it may hold a name such as "mail.example.org"'
        )
    return hostname


def _scope(signin: Table) -> str:
    scope = signin.text("scope", MAIL_SCOPE)
    if SCOPE.fullmatch(scope) is None:
        signin.mistaken("scope", f"holds {scope!r}; it may hold scopes, one space between them")
    return scope


def _domain(table: Table, key: str) -> str | None:
    domain = table.text(key)
    return None if domain is None else _canonicalDomain(table, key, domain)


def _canonicalDomain(table: Table, key: str, domain: str) -> str:
    try:
        return canonicalName(f"x@{domain}").partition("@")[2]
    except InvalidCredentials:
        table.mistaken(key, f"holds {domain!r}; it may hold the name of a domain")
        return domain
