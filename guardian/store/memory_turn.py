"""Has transactions that change rows of remembered pictures take turns on PostgreSQL.

Scans, the writer of segments, labelling and forgetting lock the same rows, each in another order: without turns two of
them could wait for each other, and the database would end one. On SQLite a transaction that writes is alone anyway.
"""

from sqlalchemy import Connection, text

_MEMORY_LOCK = 0x6D656D6F


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction changes what is remembered; the others wait until this one ends.

    To be called before the first row is changed; again in the same transaction it changes nothing.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MEMORY_LOCK})
