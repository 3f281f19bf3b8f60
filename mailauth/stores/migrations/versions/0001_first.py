"""
The first tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """
    Make the tables.
    """
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("password_rule", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "app_passwords",
        sa.Column("identifier", sa.Text, primary_key=True),
        sa.Column(
            "account", sa.Text, sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("imported", sa.Text),
        sa.Column("services", sa.Text, nullable=False),
        sa.Column("read_only", sa.Boolean, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("networks", sa.Text, nullable=False),
        sa.Column("last_used", sa.Float),
        sa.Column("last_service", sa.Text),
        sa.Column("last_address", sa.Text),
        sa.Column("last_mail_client", sa.Text),
    )
    op.create_index("app_passwords_account", "app_passwords", ["account"])
    op.create_index("app_passwords_digest", "app_passwords", ["digest"], unique=True)
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("private_pem", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("retired", sa.Float),
    )
    op.create_table(
        "revocations",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("revocations_at", "revocations", ["at"])
