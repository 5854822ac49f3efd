"""INSERT ... ON CONFLICT for either database."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT for this connection's database, with on_conflict_do_nothing and on_conflict_do_update."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
