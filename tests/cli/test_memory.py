"""What `guardian memory` asks before it forgets for ever."""

from pathlib import Path

from click.testing import CliRunner

from guardian.cli import guardian
from tests.databases import store_in
from tests.memory.made import met


def test_forgetting_is_asked_about_with_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        tx.seen.remember([met(1, "gone.example"), met(2, "www.gone.example"), met(3)], "recipe", "shard")
        tx.seen.remember([met(2, "shop.example")], "recipe", "shard")

    def run(*words: str, code: int, given: str = "") -> str:
        done = CliRunner().invoke(guardian, ["--config", str(tmp_path / "config.yaml"), *words], input=given)
        assert done.exit_code == code, done.output
        return done.output

    def remembered() -> int:
        with store.read() as tx:
            return tx.seen.count()

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
