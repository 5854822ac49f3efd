"""`guardian delivery held`, `release` and `drop`, in this process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from guardian.cases import record
from guardian.cli import guardian
from guardian.errors import UsageError
from guardian.model import Audience, Routing, Sighting
from tests.cli.test_public_json import NOON, filled, use_of
from tests.databases import store_in


def test_a_flood_is_listed_released_and_dropped(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
    filled(store)
    with store.begin() as tx:
        (asset,) = tx.assets.list()
        for number in range(3):
            sighting = Sighting("rival", "https://cdn.example/i.jpg", f"https://flood{number}.example/", NOON)
            record(tx, replace(use_of(asset), sighting=sighting), Audience(("legal",), Routing(flood_limit=1)))
    store.close()

    def run(*words: str) -> str:
        done = CliRunner().invoke(guardian, ["--config", str(config), "delivery", *words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    (flood,) = map(json.loads, run("held", "--json").splitlines())
    assert flood == {"about": asset.work_id, "held": 2}
    assert run("held") == f"{asset.work_id}  2 messages held\n"
    assert run("release", asset.work_id) == "2 messages released\n"
    assert run("held") == "no messages are held\n"
    for gone in ("release", "drop"):
        with pytest.raises(UsageError, match=r"delivery held"):
            run(gone, "rule:copies")
