"""Migrations give exactly the tables the code speaks, only ever forward."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import guardian
from guardian.errors import StoreUnusable
from guardian.store import Store
from guardian.store.connecting import connect
from guardian.store.schema import REVISIONS
from guardian.store.tables import metadata

REPOSITORY = Path(guardian.__file__).parents[1]


def test_migrations_lead_to_the_tables_of_the_code(store: Store) -> None:
    engine = connect(store.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_same_everywhere})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def _is_same_everywhere(name: str | None, kind: str, parents: object) -> bool:
    """Return False for what each database has in its own way to search words: see m0021 and m0027."""
    own = ("picture_words_fts", "picture_words_vector", "case_words_fts", "case_words_vector")
    return name != "vector" and not (name or "").startswith(own)


def test_list_of_revisions_is_what_the_files_say() -> None:
    config = Config()
    config.set_main_option("script_location", "guardian.store:migrations")
    files = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(files)) == REVISIONS


def test_opening_twice_at_once_migrates_once(empty_database: str) -> None:
    def open_it() -> None:
        start.wait()
        Store(empty_database).close()

    start = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        for opened in [pool.submit(open_it) for _ in range(4)]:
            opened.result()
    store = Store(empty_database)
    with store.read() as tx:
        assert tx.assets.count() == 0
    store.close()


def test_database_of_a_newer_guardian_is_refused_and_untouched(store: Store, database: str) -> None:
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnusable, match=r"9999.*newer guardian"):
        Store(database)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'guardian.db'}"
    engine = connect(url)
    with engine.begin() as connection:
        # In the way of the first migration, which must then undo everything it did before.
        connection.execute(text("CREATE TABLE responses (x INTEGER)"))
    with pytest.raises(Exception, match="responses already exists"):
        Store(url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert tables == ["responses"]
    engine.dispose()


def test_an_up_to_date_database_opens_without_alembic(store: Store, database: str) -> None:
    program = "import sys; from guardian.store import Store; Store(sys.argv[1]); print('alembic' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program, database], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert said.stdout == "False\n"
