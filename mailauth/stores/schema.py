"""
The tables. Owns what each column means; how a database comes to have them is in
L{mailauth.stores.migrating}. Times are in seconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

REVISION = "0004"
"""
The migration that makes exactly these tables.
"""

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    # In canonical form.
    Column("name", Text, primary_key=True),
    # Of the account password; null where there is none.
    Column("password_hash", Text),
    Column("enabled", Boolean, nullable=False),
    # "web", "everywhere", or null for the rule of its domain.
    Column("password_rule", Text),
    Column("created", Float, nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    # Where mail is received: the name of every account, and its aliases. One table for both is what
    # keeps an address from being two people's.
    Column("address", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Index("addresses_account", "account"),
)

appPasswordLimits = Table(
    "app_password_limits",
    metadata,
    # Accounts that may have more app passwords than others, or fewer.
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), primary_key=True),
    Column("most", Integer, nullable=False),
)

appPasswords = Table(
    "app_passwords",
    metadata,
    # What revoking it names. No secret.
    Column("identifier", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    # What its owner calls it.
    Column("name", Text, nullable=False),
    # SHA-256 of a generated secret: the one look-up of a login. Null for an imported one.
    Column("digest", LargeBinary),
    # The hash that was imported; null for a generated one.
    Column("imported", Text),
    # Separated by commas; empty for every mail service.
    Column("services", Text, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    # Null for never.
    Column("expires", Float),
    # In CIDR notation, separated by commas; empty for anywhere.
    Column("networks", Text, nullable=False),
    # The last use, all null before the first.
    Column("last_used", Float),
    Column("last_service", Text),
    Column("last_address", Text),
    Column("last_mail_client", Text),
    Index("app_passwords_account", "account"),
    Index("app_passwords_digest", "digest", unique=True),
)

identities = Table(
    "identities",
    metadata,
    # The URL of an external issuer, and who somebody is to it.
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Index("identities_account", "account", "issuer", unique=True),
)

signingKeys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    # The one algorithm it is for, such as "ES256".
    Column("algorithm", Text, nullable=False),
    # The private key, encrypted.
    Column("sealed", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    # When it stopped signing; null while it signs.
    Column("retired", Float),
)

revocations = Table(
    "revocations",
    metadata,
    # In the order of the commits, and never used again: whoever knows one asks for what is greater.
    Column("seq", Integer, primary_key=True),
    # Which credentials, as mailauth.credentials writes tags.
    Column("tag", Text, nullable=False),
    # Whatever was issued until then is dead.
    Column("at", Float, nullable=False),
    # For the owners of the connections that it ends; null if the tag was only touched.
    Column("reason", Text),
    Index("revocations_at", "at"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    # In the order of the commits, and never used again.
    Column("number", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    # As mailauth.stores.events names them.
    Column("kind", Text, nullable=False),
    # Who did it, by what way and from where; the address is null where there is none.
    Column("who", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("address", Text),
    # Whose account it concerns, which need not be there any more; null if nobody's.
    Column("account", Text),
    Column("text", Text, nullable=False),
    Index("events_time", "time"),
    Index("events_account", "account", "number"),
    sqlite_autoincrement=True,
)

# A document is what of a record is in no column, as mailauth.stores.documents writes it.

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    # SHA-256 of its secret; null where it has none.
    Column("secret_digest", LargeBinary),
    Column("created", Float, nullable=False),
    Column("document", Text, nullable=False),
)

authorizationCodes = Table(
    "authorization_codes",
    metadata,
    # SHA-256 of the code.
    Column("digest", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    Column("expires", Float, nullable=False),
    # When it was redeemed, once and for all; null before.
    Column("used", Float),
    Column("document", Text, nullable=False),
    Index("authorization_codes_expires", "expires"),
)

grants = Table(
    "grants",
    metadata,
    # No secret.
    Column("grant_id", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    # It may be one that registered itself, which has no row.
    Column("client_id", Text, nullable=False),
    Column("created", Float, nullable=False),
    # Null for never.
    Column("expires", Float),
    # SHA-256 of the refresh token that is current, and of the one before it, if there are any.
    Column("refresh_digest", LargeBinary),
    Column("previous_digest", LargeBinary),
    # When the current one was issued.
    Column("rotated", Float, nullable=False),
    # When the current one expires unused; null for never.
    Column("refresh_expires", Float),
    Column("last_use", Float, nullable=False),
    # From where it was used last.
    Column("address", Text),
    Column("document", Text, nullable=False),
    Index("grants_account", "account"),
    Index("grants_client_id", "client_id"),
    Index("grants_expires", "expires"),
    Index("grants_refresh_expires", "refresh_expires"),
)

opaqueTokens = Table(
    "opaque_tokens",
    metadata,
    # SHA-256 of the token.
    Column("digest", LargeBinary, primary_key=True),
    # Null for a client's own.
    Column("grant_id", Text, ForeignKey("grants.grant_id", ondelete="CASCADE")),
    Column("expires", Float, nullable=False),
    Column("document", Text, nullable=False),
    Index("opaque_tokens_grant_id", "grant_id"),
    Index("opaque_tokens_expires", "expires"),
)

deviceCodes = Table(
    "device_codes",
    metadata,
    # SHA-256 of the device's half.
    Column("digest", LargeBinary, primary_key=True),
    # The person's half.
    Column("user_code", Text, nullable=False),
    Column("expires", Float, nullable=False),
    # How many seconds have to lie between two polls, and when the last one was.
    Column("poll_interval", Float, nullable=False),
    Column("polled", Float, nullable=False),
    # When somebody decided; null while the device waits.
    Column("decided", Float),
    # The document of the grant, and whose it is; null if nobody allowed it.
    Column("granted", Text),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE")),
    # When it was redeemed, once and for all; null before.
    Column("used", Float),
    Column("document", Text, nullable=False),
    Index("device_codes_expires", "expires"),
    # Of those that wait, each has its own.
    Index("device_codes_user_code", "user_code", unique=True, sqlite_where=text("decided IS NULL")),
)

browserSessions = Table(
    "browser_sessions",
    metadata,
    # SHA-256 of the cookie's secret.
    Column("digest", LargeBinary, primary_key=True),
    # What ending it names. No secret.
    Column("identifier", Text, nullable=False, unique=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("last_use", Float, nullable=False),
    Column("document", Text, nullable=False),
    Index("browser_sessions_account", "account"),
    Index("browser_sessions_expires", "expires"),
)

totpSecrets = Table(
    "totp_secrets",
    metadata,
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), primary_key=True),
    # The secret, encrypted.
    Column("sealed", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    # The time step of the code that was used last: none up to it counts again.
    Column("last_step", Integer, nullable=False),
)

passkeys = Table(
    "passkeys",
    metadata,
    # The authenticator chose it.
    Column("credential_id", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    # What its owner calls it.
    Column("name", Text, nullable=False),
    # In COSE.
    Column("public_key", LargeBinary, nullable=False),
    # 0 where the authenticator does not count.
    Column("sign_count", Integer, nullable=False),
    Column("created", Float, nullable=False),
    # 0 before the first.
    Column("last_use", Float, nullable=False),
    Index("passkeys_account", "account"),
)

recoveryCodes = Table(
    "recovery_codes",
    metadata,
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), primary_key=True),
    # SHA-256 of one that is left.
    Column("digest", LargeBinary, primary_key=True),
)

spent = Table(
    "spent",
    metadata,
    # SHA-256 of what was used, and for what.
    Column("digest", LargeBinary, primary_key=True),
    # When nobody would take it anyway.
    Column("expires", Float, nullable=False),
    Index("spent_expires", "expires"),
)
