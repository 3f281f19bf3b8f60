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
)

REVISION = "0001"
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

signingKeys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    # The one algorithm it is for, such as "ES256".
    Column("algorithm", Text, nullable=False),
    # PKCS #8, in clear: the file is for its owner alone.
    Column("private_pem", LargeBinary, nullable=False),
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
