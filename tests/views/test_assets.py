"""What people read of one asset."""

from dataclasses import replace
from datetime import UTC, datetime

from guardian.model import Asset, Rights
from guardian.views.assets import asset_facts

DUNE = Asset(
    id="asset_1",
    number=1,
    title="Dune",
    collection="press",
    path="/pictures/dune.jpg",
    sha256="1" * 64,
    width=640,
    height=480,
    added_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    rights=Rights(creator="Anna Example"),
    work_id="work_1",
)


def test_what_is_unknown_is_left_out_and_versions_are_named() -> None:
    assert asset_facts(DUNE, ()) == {
        "asset": "asset_1",
        "title": "Dune",
        "collection": "press",
        "file": "/pictures/dune.jpg",
        "pixels": "640x480",
        "sha256": "1" * 64,
        "state": "protected",
        "added": "2026-11-24 12:00Z",
        "creator": "Anna Example",
        "work": "work_1",
    }
    told = asset_facts(replace(DUNE, tags=("dawn", "sea")), ["asset_2"])
    assert (told["tags"], told["work"]) == ("dawn, sea", "work_1, also asset_2")
