"""What `guardian memory` asks before it forgets for ever, and what it makes anew, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from guardian.cli import guardian
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.store import Store
from tests.memory.made import met

Run = Callable[..., str]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs a command on the database, with a data folder."""
    url = f"store: {{url: '{database}'}}\n" if database.startswith("postgresql") else ""
    (tmp_path / "config.yaml").write_text(f"data_dir: .\nmatching: {{workers: 1, timeout: 1m}}\n{url}")

    def run_words(*words: str, code: int, given: str = "") -> str:
        done = CliRunner().invoke(guardian, ["--config", str(tmp_path / "config.yaml"), *words], input=given)
        assert done.exit_code == code, done.output
        return done.output

    return run_words


def test_forgetting_is_asked_about_with_what_it_takes(run: Run, database: str) -> None:
    store = Store(database)
    with store.begin() as tx:
        tx.newly_seen.remember([met(1, "gone.example"), met(2, "www.gone.example"), met(3)], "recipe", "shard")
        tx.newly_seen.remember([met(2, "shop.example")], "recipe", "shard")

    def remembered() -> int:
        with store.read() as tx:
            return tx.seen_counts.pictures()

    forget = ("memory", "forget", "--host", "gone.example")
    question = "Forget 2 places on gone.example, and 1 picture seen nowhere else, for ever?"
    assert question in run(*forget, code=1), "a script that says nothing does not forget"
    assert question in run(*forget, code=1, given="n\n")
    assert "Forget all that is remembered, 3 pictures, for ever?" in run("memory", "off", "--forget", code=1)
    assert remembered() == 3
    assert "forgot 2 places" in run(*forget, code=0, given="y\n")
    assert "Forget" not in run(*forget, code=0), "nothing is left to ask about"
    assert remembered() == 2
    assert "forgot 2 pictures" in run("memory", "off", "--forget", "--yes", code=0)
    store.close()


def test_after_an_upgrade_all_is_made_anew_but_for_what_was_forgotten(run: Run, database: str, tmp_path: Path) -> None:
    store = Store(database)
    earlier = Memory(store, tmp_path / "memory", "s0-none", MemorySettings())
    earlier.remember(store, [met(1), met(2), met(3, "gone.example")])
    earlier.write_waiting()

    assert "forgot 1 place on gone.example" in run("memory", "forget", "--host", "gone.example", "--yes", code=0)
    assert "made anew: 0 of their bytes, 2 of their preview" in run("memory", "rebuild", code=0)
    assert not (tmp_path / "memory" / "s0-none").exists()
    assert "there is nothing to make anew" in run("memory", "rebuild", code=0)
    assert "the memory is sound" in run("memory", "verify", code=0)
    store.close()
