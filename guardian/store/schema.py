"""Migrates a database to the schema and the keys of this version: only forward, under a lock, in one transaction."""

from sqlalchemy import Connection, Engine, inspect, text

from guardian.errors import StoreUnusable
from guardian.store.connecting import READ_ONLY
from guardian.store.rekeying import are_keys_current, renew_keys
from guardian.store.renewed_words import are_words_current, renew_words

REVISIONS = tuple(f"{number:04d}" for number in range(1, 36))
"""All schema revisions, oldest first (a test compares them with the migration files)."""

_MIGRATION_LOCK = 0x67756172


def bring_forward(engine: Engine) -> None:
    """Run the migrations that are missing, then recompute keys and words of earlier versions.

    Raises StoreUnusable when a newer guardian wrote the database.
    """
    if is_brought_forward(engine):
        return

    # Another process may have migrated meanwhile, so everything is looked at again under the lock.
    with engine.begin() as connection:
        # On SQLite the transaction is itself the lock (BEGIN IMMEDIATE).
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        if not is_current(connection):
            _migrate(connection)
        if not are_keys_current(connection):
            renew_keys(connection)
        if not are_words_current(connection):
            renew_words(connection)


def is_brought_forward(engine: Engine) -> bool:
    """Return whether a database has the schema and the keys of this version. Raises as `bring_forward`."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return is_current(connection) and are_keys_current(connection) and are_words_current(connection)


def is_current(connection: Connection) -> bool:
    """Return whether a database has the newest schema. Raises StoreUnusable when a newer guardian wrote it."""
    if not inspect(connection).has_table("alembic_version"):
        return False

    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise StoreUnusable(
            f"the database has schema {found}, which this guardian does not know (it knows up to {REVISIONS[-1]}): "
            "a newer guardian has written it. Install that version again, or restore the backup from before."
        )

    return found == REVISIONS[-1]


def _migrate(connection: Connection) -> None:
    # Most starts find a current database, and should not wait for Alembic to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "guardian.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
