"""Messages about sources in trouble, through the real queue."""

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from guardian.coverage.alerts import tell_of_trouble
from guardian.coverage.coverage import coverages
from guardian.coverage.settings import CoverageSettings
from guardian.daemon import run_once
from guardian.model import ScanCounts, ScanOutcome
from guardian.shipped import rules_folder
from guardian.sources.settings import PageSettings
from tests.databases import store_in

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOURCE = PageSettings(name="gallery", kind="page", url="https://a.example/", every=timedelta(hours=1))
SETTINGS = CoverageSettings(deliver_to=("legal", "ops"))


def test_trouble_is_told_once_an_episode_to_each_destination(tmp_path: Path) -> None:
    store = store_in(tmp_path)

    def tell(*words: str) -> int:
        with store.begin() as tx:
            for outcome in map(ScanOutcome, words):
                scan = tx.scans.start("gallery", NOW)
                error = "it answered 403" if outcome is ScanOutcome.FAILED else None
                tx.scans.end(scan.id, NOW, outcome, ScanCounts.from_words({"clear": 10}), error)
            found = coverages(tx, [SOURCE], NOW, SETTINGS)
            return tell_of_trouble(tx, found, SETTINGS.deliver_to, NOW)

    assert tell("completed", "failed", "failed") == 0
    assert tell("failed") == 2
    assert tell("failed", "failed") == 0, "the same episode"
    assert tell("completed") == 0
    assert tell("failed", "failed", "failed") == 2, "a new episode"
    with store.read() as tx:
        tasks = tx.tasks.list()
        told = tx.messages.get(tasks[0].message_id or "")
    assert {task.destination for task in tasks} == {"legal", "ops"}
    assert len({task.message_id for task in tasks}) == 2, "one message an episode"
    assert told is not None
    message = json.loads(told.body)
    assert message["type"] == "source.failing"
    assert message["data"]["source"] == "gallery"
    assert "403" in message["data"]["detail"]
    assert message["data"]["last_complete_scan"]["outcome"] == "completed"
    assert len(told.body) < 20_000


def test_each_kind_of_trouble_is_told_in_the_published_form(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    schema = json.loads(files("guardian.cases").joinpath("event.schema.json").read_text(encoding="utf-8"))

    def told(*scans: tuple[str, int], after: timedelta = timedelta()) -> tuple[str, str]:
        """Type and detail of the message after scans that ended so and saw so many images."""
        with store.begin() as tx:
            for word, images in scans:
                outcome = ScanOutcome(word)
                scan = tx.scans.start("gallery", NOW)
                error = "it answered 403" if outcome is ScanOutcome.FAILED else None
                tx.scans.end(scan.id, NOW, outcome, ScanCounts.from_words({"clear": images}), error)
            found = coverages(tx, [SOURCE], NOW + after, SETTINGS)
            assert tell_of_trouble(tx, found, ["ops"], NOW + after) == 1
            message = tx.messages.get(tx.tasks.list(limit=1)[0].message_id or "")
        assert message is not None
        body = json.loads(message.body)
        Draft202012Validator(schema).validate(body)
        return body["type"], body["data"]["detail"]

    assert told(*[("failed", 0)] * 3)[0] == "source.failing"
    assert told(("completed", 10), after=timedelta(hours=5)) == ("source.silent", "no complete scan for 5.0 hours")
    assert told(*[("completed", 10)] * 6, ("completed", 1))[0] == "source.shrinking"


def test_a_receiver_hears_of_a_failing_source_once_and_it_is_signed(
    tmp_path: Path, site: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    monkeypatch.setenv("LEGAL_SECRET", receiver.secrets[0])
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: a@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\nmatching: {workers: 1}\n"
        "coverage: {deliver_to: [legal], failing_after: 2}\n"
        f"sources:\n  - {{name: gone, kind: page, url: '{site.url}/gone.html'}}\n"
        f"destinations:\n  - {{name: legal, kind: webhook, url: '{receiver.url}', secret_env: LEGAL_SECRET}}\n"
    )
    for _ in range(3):
        asyncio.run(run_once(tmp_path / "config.yaml", lambda _: None))
    (post,) = receiver.posts
    assert post.signed_by == (0,)
    message = json.loads(post.body)
    assert (message["type"], message["data"]["source"]) == ("source.failing", "gone")
    assert "404" in message["data"]["detail"]
