"""
How a database comes to have the tables of L{mailauth.stores.schema}. Owns the order of the
migrations, one module each in C{migrations/versions}; Alembic runs them, by C{env.py}.

Adding one: write C{migrations/versions/NNNN_what.py}, change the schema and its C{REVISION}. A test
holds the two against each other.
"""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from .records import CannotOpen
from .schema import REVISION


def migrate(database: Engine) -> None:
    """
    Bring a database up to this code, in one transaction: whoever is killed half-way leaves it as
    it was.

    @raise CannotOpen: it was made by a later mailauth.
    """
    with database.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if version == REVISION:
                return
    # Loaded only where there is something to do: it takes longer than all the rest of opening.
    from alembic.command import upgrade
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "mailauth.stores:migrations")
    try:
        with database.begin() as connection:
            config.attributes["connection"] = connection
            upgrade(config, "head")
    except CommandError as error:
        raise CannotOpen(
            f"the database is of another mailauth ({error}): update mailauth, or restore the "
            "backup made before the update"
        ) from None
