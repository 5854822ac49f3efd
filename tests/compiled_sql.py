"""Keeps the SQL that SQLAlchemy made of a statement for all databases of this process.

An engine keeps what it made, but each test has a database of its own, thus an engine, which would make the SQL of each
statement anew: a third of the CPU time of tests that use a database. A daemon does so once.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_compiled: dict[Any, Any] = {}


class _AllAlike:
    """What SQLAlchemy keeps belongs to a dialect, of which each engine has one: all of a class are equal here."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class SQLite(_AllAlike, SQLiteDialect_pysqlite):
    """SQLAlchemy's own."""

    supports_statement_cache = True


class PostgreSQL(_AllAlike, PGDialect_psycopg):
    """SQLAlchemy's own."""

    supports_statement_cache = True


def keep_compiled_sql() -> None:
    """Have the engines that are made from now on share what they compile."""
    for name, dialect in (("sqlite", SQLite), ("postgresql.psycopg", PostgreSQL)):
        registry.register(name, __name__, dialect.__name__)
    event.listen(Engine, "engine_connect", _use_kept)


def _use_kept(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
