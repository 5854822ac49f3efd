"""The bytes of an asset's own file match it for certain and as a whole, whatever the matcher can see in them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guardian.app import App
from guardian.catalog.wanted import Wanted
from guardian.config import Config, load_config
from guardian.model import Answer, Asset, Comparison, Match, MatchReport, Skipped, SkipReason
from guardian.scan.identical import with_identical
from guardian.scan.pipeline import check
from guardian.shipped import rules_folder
from guardian.store import Store
from tests.kept_workers import run_in_app

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SHA256 = "ab" * 32
OTHER = Match("asset_other", Comparison(0.999, 20, 300, 0.97, 0.98, aligned_similarity=0.9, description="another"))


@pytest.fixture
def asset(store: Store) -> Asset:
    """A protected asset with the digest SHA256."""
    with store.begin() as tx:
        reserved = tx.assets.reserve(SHA256, title="Leaf", collection="press", path="/leaf", size=(40, 30), at=NOW)
        tx.assets.protect([reserved.number])
        found = tx.assets.get(reserved.id)
    assert found is not None
    return found


def report(*matches: Match) -> MatchReport:
    return MatchReport("r", matches, up_to_number=7, assets_searched=7, width=40, height=30)


def test_it_comes_first_whole_and_certain_with_what_else_was_measured(store: Store, asset: Asset) -> None:
    turned = Comparison(0.4, 30, 12, 0.5, 0.5, description="mirrored crop of 50 % of the image, turned 180°")
    found = with_identical(store, "r", SHA256, report(OTHER, Match(asset.id, turned)))
    assert isinstance(found, MatchReport)
    assert [match.asset_id for match in found.matches] == [asset.id, "asset_other"]

    certain = found.matches[0].comparison
    assert (certain.probability, certain.hash_distance, certain.description) == (1.0, 0, "the whole image")
    assert (certain.asset_coverage, certain.candidate_coverage, certain.aligned_similarity) == (1.0, 1.0, 1.0)
    assert certain.keypoint_inliers == 12, "what was measured stays"
    assert certain.transform is not None
    assert (certain.transform.mirrored, certain.transform.angle_degrees, certain.transform.scale) == (False, 0.0, 1.0)
    assert found.matches[1] == OTHER
    assert (found.up_to_number, found.assets_searched, found.partial) == (7, 7, False)


def test_what_the_matcher_did_not_find_was_not_measured(store: Store, asset: Asset) -> None:
    found = with_identical(store, "r", SHA256, report())
    assert isinstance(found, MatchReport)
    assert found.matches[0].comparison.keypoint_inliers is None
    assert found.matches[0].comparison.probability == 1.0


@pytest.mark.parametrize(
    ("reason", "partial"),
    [(SkipReason.TOO_PLAIN, False), (SkipReason.TOO_SMALL, False), (SkipReason.OVER_LIMIT, True)],
)
def test_bytes_that_cannot_be_compared_are_found_all_the_same(
    store: Store, asset: Asset, reason: SkipReason, partial: bool
) -> None:
    found = with_identical(store, "r", SHA256, Skipped("", reason, "why"))
    assert isinstance(found, MatchReport)
    assert [match.asset_id for match in found.matches] == [asset.id]
    assert (found.width, found.height, found.partial) == (40, 30, partial)


def test_other_bytes_and_withdrawn_assets_change_nothing(store: Store, asset: Asset) -> None:
    skipped = Skipped("", SkipReason.TOO_PLAIN, "why")
    assert with_identical(store, "r", "cd" * 32, report(OTHER)) == report(OTHER)
    with store.begin() as tx:
        tx.assets.withdraw(asset.id, NOW)
    assert with_identical(store, "r", SHA256, skipped) == skipped
    assert with_identical(store, "r", SHA256, report(OTHER)) == report(OTHER)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(f"rules_dir: {rules_folder()}\nmatching: {{workers: 1}}\n")
    return load_config(path)


def test_a_picture_that_looks_the_same_upside_down_is_told_as_it_is(config: Config, tmp_path: Path) -> None:
    """A point-symmetric pattern: every turn by 180° shows the same."""
    half = np.random.default_rng(5).integers(0, 255, (6, 16), dtype=np.uint8)
    tiles = np.vstack([half, half[::-1, ::-1]])
    path = tmp_path / "pattern.png"
    Image.fromarray(tiles).resize((480, 360), Image.Resampling.NEAREST).convert("RGB").save(path)

    async def job(app: App) -> Answer | Skipped:
        _ = [result async for result in app.catalog.add([Wanted(path, "press")])]
        (answer,) = [answer async for answer in check(app.services, [str(path)])]
        return answer

    answer = run_in_app(config, job)
    assert isinstance(answer, Answer)
    assert answer.outcome == "copy"
    assert [match.comparison.description for match in answer.judged] == ["the whole image"]
    assert answer.judged[0].comparison.probability == 1.0
