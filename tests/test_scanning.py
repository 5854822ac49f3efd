"""The account that is kept of a scan."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardian.answers import Answer
from guardian.config import load_config
from guardian.errors import FetchFailed
from guardian.model import Omission, Sighting
from guardian.rooms import opened_rooms
from guardian.scanning import scan_source, words_for
from guardian.shipped import rules_folder

SIGHTING = Sighting("gallery", "https://a.example/1.jpg", None, datetime(2026, 11, 24, tzinfo=UTC))


def test_every_result_is_counted_under_its_words() -> None:
    problem = Omission("https://a.example/1.jpg", "timeout")
    assert words_for(Omission("https://a.example/2.svg", "vector")) == ["left out: vector"]
    assert words_for(Answer("t", SIGHTING, None, 1.0)) == ["clear"]
    assert words_for(Answer("t", SIGHTING, None, 1.0, problem=problem)) == ["error", "problem: timeout"]


def test_a_scan_leaves_its_account(tmp_path: Path, site: Any) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (site.folder / "text.jpg").write_text("no picture")
    page = site.page("page.html", "text.jpg", "missing.jpg", "drawing.svg")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: a@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\nmatching: {workers: 1}\n"
        f"sources:\n  - {{name: good, kind: page, url: '{page}'}}\n"
        f"  - {{name: gone, kind: page, url: '{site.url}/gone.html'}}\n"
    )
    config = load_config(tmp_path / "config.yaml")
    heard: list[Answer | Omission] = []

    async def go() -> None:
        async with opened_rooms(config) as rooms:
            good, gone = config.sources
            scan = await scan_source(rooms.walk, good, heard.append)
            assert (scan.outcome, scan.error) == ("completed", None)
            assert scan.counts == {
                "pages": 1,
                "fetched": 1,
                "unmatchable": 1,
                "problem: not_an_image": 1,
                "error": 1,
                "problem: status_404": 1,
                "left out: vector": 1,
            }
            with pytest.raises(FetchFailed, match="404"):
                await scan_source(rooms.walk, gone, heard.append)
            with rooms.store.read() as tx:
                last = tx.scans.last("gone")
            assert last is not None
            assert last.outcome == "failed"
            assert last.counts == {"left out: status_404": 1}, "what was not seen is counted by its reason"
            assert "404" in (last.error or "")

    asyncio.run(go())
    assert len(heard) == 3
