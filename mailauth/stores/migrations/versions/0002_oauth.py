"""
The tables of the authorization server. What was a private key in clear is sealed by the server
when it starts, in the same column.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """
    Make the tables.
    """
    op.execute("ALTER TABLE signing_keys RENAME COLUMN private_pem TO sealed")
    _makeGrants()
    _makeDeviceCodes()
    _makeSignIn()


def _account(primary: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(
        "account",
        sa.Text,
        sa.ForeignKey("accounts.name", ondelete="CASCADE"),
        primary_key=primary,
        nullable=null,
    )


def _makeGrants() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("secret_digest", sa.LargeBinary),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "authorization_codes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        _account(),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("used", sa.Float),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("authorization_codes_expires", "authorization_codes", ["expires"])
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text, primary_key=True),
        _account(),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("refresh_digest", sa.LargeBinary),
        sa.Column("previous_digest", sa.LargeBinary),
        sa.Column("rotated", sa.Float, nullable=False),
        sa.Column("refresh_expires", sa.Float),
        sa.Column("last_use", sa.Float, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("document", sa.Text, nullable=False),
    )
    for name in ("account", "client_id", "expires", "refresh_expires"):
        op.create_index(f"grants_{name}", "grants", [name])
    op.create_table(
        "opaque_tokens",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("grant_id", sa.Text, sa.ForeignKey("grants.grant_id", ondelete="CASCADE")),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    for name in ("grant_id", "expires"):
        op.create_index(f"opaque_tokens_{name}", "opaque_tokens", [name])


def _makeDeviceCodes() -> None:
    op.create_table(
        "device_codes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("user_code", sa.Text, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("poll_interval", sa.Float, nullable=False),
        sa.Column("polled", sa.Float, nullable=False),
        sa.Column("decided", sa.Float),
        sa.Column("granted", sa.Text),
        _account(null=True),
        sa.Column("used", sa.Float),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("device_codes_expires", "device_codes", ["expires"])
    op.create_index(
        "device_codes_user_code",
        "device_codes",
        ["user_code"],
        unique=True,
        sqlite_where=sa.text("decided IS NULL"),
    )


def _makeSignIn() -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("identifier", sa.Text, nullable=False, unique=True),
        _account(),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("last_use", sa.Float, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    for name in ("account", "expires"):
        op.create_index(f"browser_sessions_{name}", "browser_sessions", [name])
    op.create_table(
        "totp_secrets",
        _account(primary=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("last_step", sa.Integer, nullable=False),
    )
    op.create_table(
        "passkeys",
        sa.Column("credential_id", sa.LargeBinary, primary_key=True),
        _account(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("last_use", sa.Float, nullable=False),
    )
    op.create_index("passkeys_account", "passkeys", ["account"])
    op.create_table(
        "recovery_codes",
        _account(primary=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
    )
    op.create_table(
        "spent",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_index("spent_expires", "spent", ["expires"])
