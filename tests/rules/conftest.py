"""A use to be judged, and rule files in a folder of their own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardian import rules
from guardian.model import Asset, Comparison, LicenceStatus
from guardian.rules import Rules, Use

ASSET = Asset(
    id="asset_1",
    number=1,
    title="Dune",
    collection="press",
    path="/dune.jpg",
    sha256="a" * 64,
    width=800,
    height=600,
    added_at=datetime(2026, 1, 1, tzinfo=UTC),
    work_id="work_dune",
    tags=("cover", "unreleased"),
)


@pytest.fixture
def use() -> Callable[..., Use]:
    """A stranger's unlicensed use of a press picture; changes go to the comparison, then to the use."""

    def make(licence_status: LicenceStatus = LicenceStatus.NONE, place: Any = "elsewhere", **measured: Any) -> Use:
        host, source = measured.pop("host", "www.thief.example"), measured.pop("source", "web")
        asset = replace(ASSET, **measured.pop("asset", {}))
        return Use(Comparison(**{"probability": 0.99} | measured), asset, licence_status, place, host, source)

    return make


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Rules]:
    """Rules of files with these contents, in this order; `destinations` as in `load`."""

    def load(*contents: str, destinations: Any = None) -> Rules:
        for number, content in enumerate(contents):
            (tmp_path / f"{number}0-rules.yaml").write_text(content, encoding="utf-8")
        return rules.load(tmp_path, destinations)

    return load
