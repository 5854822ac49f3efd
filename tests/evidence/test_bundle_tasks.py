"""Bundles that were asked for at the desk lie ready for a week."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from guardian.evidence.bundle_tasks import KEPT_FOR, BundleConsumer, ready_bundles
from tests.databases import store_in

NOW = datetime(2026, 11, 29, tzinfo=UTC)


async def _no_export(*asked: Any) -> Any:
    raise AssertionError("nothing was asked for")


def _written(path: Path, age: timedelta) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    at = (NOW - age).timestamp()
    os.utime(path, (at, at))


def test_what_lay_there_for_a_week_is_removed_with_what_a_killed_process_left(tmp_path: Path) -> None:
    old, young = KEPT_FOR + timedelta(hours=1), KEPT_FOR - timedelta(hours=1)
    _written(tmp_path / "bundles/case_a/old.zip", old)
    _written(tmp_path / "bundles/case_a/young.zip", young)
    _written(tmp_path / "bundles/case_a/.young.zip.01.part", young)
    _written(tmp_path / "bundles/case_b/.old.zip.02.part", old)
    store = store_in(tmp_path)

    BundleConsumer(store, _no_export, tmp_path, lambda: NOW).lanes()

    assert [one.name for one in ready_bundles(tmp_path, "case_a")] == ["young.zip"]
    assert sorted(path.name for path in (tmp_path / "bundles").rglob("*")) == [
        ".young.zip.01.part",
        "case_a",
        "young.zip",
    ]
    store.close()


def test_what_is_no_folder_of_a_case_stops_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles/.DS_Store").write_bytes(b"x")
    (tmp_path / "bundles/case_a/folder").mkdir(parents=True)
    store = store_in(tmp_path)

    assert BundleConsumer(store, _no_export, tmp_path, lambda: NOW + KEPT_FOR * 2).lanes() == []
    store.close()
