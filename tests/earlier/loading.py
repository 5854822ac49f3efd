"""Puts the data of an earlier version back: its database and the folder around it."""

import gzip
import itertools
import json
import os
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from guardian.store import Store

HERE = Path(__file__).resolve().parent
FIXTURES = ("sqlite_0001", "sqlite_0002", "postgresql_0001", "postgresql_0002")
"""Each by its kind of database and the schema that it was left with."""

MADE_AT = "/tmp/guardian-earlier"
"""Where the data was made: the same at every making, since it stands in file: addresses."""

SITE_PORT = 59_999
"""Where the sites were, on every host."""

SECRET = "whsec_Z3VhcmRpYW4gdGVzdHM6IGEgc2VjcmV0IG9mIDMyIEIu"
"""What the config.yaml of the data expects in GUARDIAN_SECRET."""

_schemas = itertools.count()


@dataclass(frozen=True)
class Restored:
    """The data of one earlier version. `expected`: what was true of it; README.md says what each part means."""

    folder: Path
    database_url: str
    expected: dict[str, Any]

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, asked past guardian."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.data_dir / "guardian.db")) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(self.database_url) as postgresql:
            return postgresql.execute(query).fetchall()  # type: ignore[arg-type]


@dataclass(frozen=True)
class TakenOver:
    """Data of an earlier version and today's store over it, which has migrated it."""

    data: Restored
    store: Store


def restored(fixture: str, folder: Path, server: str | None = None, site_port: int = SITE_PORT) -> Restored:
    """Put one of FIXTURES into an empty folder and return it.

    `server`: the address of a PostgreSQL server, needed for the postgresql ones; each restoring takes a schema of its
    own. `site_port`: where the sites are now, for tests that scan them again. Addresses and paths in the data follow
    the folder and the port, but digests of addresses (in ids and keys) and the bodies of messages stay as they were.
    """

    def moved(text: str) -> str:
        return text.replace(MADE_AT, str(folder)).replace(f":{SITE_PORT}", f":{site_port}")

    database, _, version = fixture.partition("_")
    expected = json.loads(moved((HERE / "expected.json").read_text()))[fixture]
    with tarfile.open(HERE / f"home_{version}.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    for file in (folder / "config.yaml", folder / "reported.txt"):
        file.write_text(moved(file.read_text()))
    sql = moved(gzip.decompress((HERE / f"{fixture}.sql.gz").read_bytes()).decode())

    if database == "sqlite":
        file = folder / "data" / "guardian.db"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(sql)
        return Restored(folder, f"sqlite:///{file}", expected)

    if server is None:
        raise ValueError(f"{fixture} needs a PostgreSQL server")
    schema = f"earlier_{os.getpid()}_{next(_schemas)}"
    url = f"{server}&options=-csearch_path%3D{schema}"
    with psycopg.connect(url) as postgresql:
        postgresql.execute(f"CREATE SCHEMA {schema}")  # type: ignore[arg-type]
        postgresql.execute(sql)  # type: ignore[arg-type]
    with (folder / "config.yaml").open("a") as config:
        config.write(f"store: {{url: '{url}'}}\n")
    return Restored(folder, url, expected)
