"""Messages about sources in trouble, through the real queue."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardian.coverage import coverages, tell_of_trouble
from guardian.coverage.settings import CoverageSettings
from guardian.sources.settings import PageSettings
from guardian.store import StoreSettings, open_store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOURCE = PageSettings(name="gallery", kind="page", url="https://a.example/", every=timedelta(hours=1))
SETTINGS = CoverageSettings(deliver_to=("legal", "ops"))


def test_trouble_is_told_once_an_episode_to_each_destination(tmp_path: Path) -> None:
    store = open_store(StoreSettings(), tmp_path)

    def tell(*outcomes: str) -> int:
        with store.begin() as tx:
            for outcome in outcomes:
                scan = tx.scans.start("gallery", NOW)
                tx.scans.end(scan.id, NOW, outcome, {"clear": 10}, "it answered 403" if outcome == "failed" else None)
            found = coverages(tx, [SOURCE], NOW, SETTINGS)
            return tell_of_trouble(tx, found, SETTINGS.deliver_to, NOW)

    assert tell("completed", "failed", "failed") == 0
    assert tell("failed") == 2
    assert tell("failed", "failed") == 0, "the same episode"
    assert tell("completed") == 0
    assert tell("failed", "failed", "failed") == 2, "a new episode"
    with store.read() as tx:
        tasks = tx.tasks.list()
    assert {task.destination for task in tasks} == {"legal", "ops"}
    message = json.loads(tasks[0].body)
    assert message["type"] == "source.failing"
    assert message["data"]["source"] == "gallery"
    assert "403" in message["data"]["detail"]
    assert message["data"]["last_complete_scan"]["outcome"] == "completed"
    assert len(tasks[0].body) < 20_000
