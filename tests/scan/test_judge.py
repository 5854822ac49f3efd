"""What licences and rules make of a measured match."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from guardian import rules
from guardian.model import Asset, Comparison, LicenceStatus, Match, MatchReport, Sighting
from guardian.scan.judge import is_own, judge
from guardian.shipped import rules_folder
from guardian.store import Store, StoreSettings, open_store

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
COPY = Comparison(probability=0.999, keypoint_inliers=200, asset_coverage=0.9, candidate_coverage=0.9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def asset(store: Store) -> Asset:
    with store.begin() as tx:
        made = tx.assets.reserve("a" * 64, title="Dune", collection="press", path="/a.jpg", size=(800, 600), at=NOON)
        tx.assets.protect([made.number])
        (protected,) = tx.assets.list()
    return protected


def seen_on(host: str) -> Sighting:
    return Sighting("gallery", "https://cdn.example/1.jpg", f"https://{host}/page", NOON)


def report(*asset_ids: str) -> MatchReport:
    matches = tuple(Match(asset_id, COPY) for asset_id in asset_ids)
    return MatchReport("recipe", matches, up_to_number=1, assets_searched=1, width=10, height=10)


def status_on(store: Store, asset: Asset, host: str) -> LicenceStatus:
    (judged,) = judge(store, rules.load(rules_folder(), []), (), seen_on(host), report(asset.id))
    return judged.licence_status


def test_the_licences_of_the_host_and_of_the_domains_above_it_count(store: Store, asset: Asset) -> None:
    with store.begin() as tx:
        tx.licences.add("shop.example", at=NOON, collection="press")
        tx.licences.add("old.example", at=NOON, asset_id=asset.id, dates=(None, date(2026, 11, 23)))
        tx.licences.add("other.example", at=NOON, collection="family")
    assert status_on(store, asset, "shop.example") is LicenceStatus.LICENSED
    assert status_on(store, asset, "www.SHOP.example") is LicenceStatus.LICENSED
    assert status_on(store, asset, "old.example") is LicenceStatus.LAPSED
    assert status_on(store, asset, "other.example") is LicenceStatus.OUT_OF_SCOPE
    assert status_on(store, asset, "myshop.example") is LicenceStatus.NONE


def test_a_licence_that_is_granted_during_a_scan_counts_at_once(store: Store, asset: Asset) -> None:
    assert status_on(store, asset, "shop.example") is LicenceStatus.NONE
    with store.begin() as tx:
        tx.licences.add("shop.example", at=NOON, collection="press")
    assert status_on(store, asset, "shop.example") is LicenceStatus.LICENSED


def test_an_asset_that_was_taken_out_since_is_left_out(store: Store, asset: Asset) -> None:
    shipped = rules.load(rules_folder(), [])
    (judged,) = judge(store, shipped, (), seen_on("shop.example"), report(asset.id, "asset_gone"))
    assert (judged.asset.id, judged.kept) == (asset.id, True)
    with store.begin() as tx:
        tx.assets.withdraw(asset.id, NOON)
    assert judge(store, shipped, (), seen_on("shop.example"), report(asset.id)) == ()


def test_where_nothing_matched_the_database_is_not_asked(store: Store) -> None:
    store.close()
    assert judge(store, rules.load(rules_folder(), []), (), seen_on("shop.example"), report()) == ()


def test_what_lies_on_an_own_host_is_own(store: Store, asset: Asset) -> None:
    assert is_own(seen_on("shop.example"), ["shop.example"])
    assert not is_own(seen_on("thief.example"), ["shop.example"])
