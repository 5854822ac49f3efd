"""What licences and rules make of a measured match."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from guardian import rules
from guardian.model import Asset, Comparison, LicenceStatus, Match, MatchReport, Sighting
from guardian.scan.judge import is_own, judge
from guardian.shipped import rules_folder
from guardian.store import Store
from tests.granting import grant_licence

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
COPY = Comparison(probability=0.999, keypoint_inliers=200, asset_coverage=0.9, candidate_coverage=0.9)


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


def versions_of(store: Store, asset: Asset) -> tuple[Asset, Asset]:
    """The asset, and a web version of it in another collection, with a tag of its own, that is one work with it."""
    with store.begin() as tx:
        web = tx.assets.reserve(
            "b" * 64, title="Dune", collection="web", path="/w.jpg", size=(80, 60), at=NOON, tags=("exclusive",)
        )
        tx.assets.protect([web.number])
        tx.works.move([web.id], asset.work_id)
        one, other = (tx.assets.get(id_) for id_ in (asset.id, web.id))
    assert one is not None
    assert other is not None
    return one, other


def rules_of(folder: Path, text: str) -> rules.Rules:
    folder.mkdir()
    (folder / "10.yaml").write_text(text)
    return rules.load(folder, [])


def test_a_work_is_answered_once_by_the_version_that_matches_best(store: Store, asset: Asset) -> None:
    original, web = versions_of(store, asset)
    better = replace(COPY, probability=0.9999)
    matches = (Match(web.id, better), Match(original.id, COPY))
    (judged,) = judge(
        store, rules.load(rules_folder(), []), (), seen_on("thief.example"), replace(report(), matches=matches)
    )
    assert (judged.asset, judged.comparison, judged.versions) == (web, better, (original,))


def test_a_licence_for_one_version_covers_a_use_that_matches_another_better(store: Store, asset: Asset) -> None:
    original, web = versions_of(store, asset)
    with store.begin() as tx:
        grant_licence(tx, "shop.example", at=NOON, asset_id=original.id)
    (judged,) = judge(store, rules.load(rules_folder(), []), (), seen_on("shop.example"), report(web.id, original.id))
    assert (judged.asset, judged.licence_status) == (web, LicenceStatus.LICENSED)


def test_what_a_rule_says_of_a_tag_or_collection_of_one_version_holds_for_the_work(
    store: Store, asset: Asset, tmp_path: Path
) -> None:
    original, _ = versions_of(store, asset)
    of_tag = rules_of(
        tmp_path / "tag",
        "rules:\n- {name: exclusive, when: {asset_tag: {any_of: [exclusive]}}, then: alert, severity: critical}\n"
        "- {name: any, when: {probability: {at_least: 0.5}}, then: review}\n",
    )
    (judged,) = judge(store, of_tag, (), seen_on("thief.example"), report(original.id))
    assert (judged.asset, judged.decision.rule) == (original, "exclusive")

    # Ignoring one collection does not hide a picture that is in another one as well: the strongest decision counts.
    ignoring = rules_of(
        tmp_path / "ignoring",
        "rules:\n- {name: stock, when: {collection: {any_of: [web]}}, then: ignore}\n"
        "- {name: any, when: {probability: {at_least: 0.5}}, then: alert}\n",
    )
    (judged,) = judge(store, ignoring, (), seen_on("thief.example"), report(original.id))
    assert judged.decision.rule == "any"


def test_the_licences_of_the_host_and_of_the_domains_above_it_count(store: Store, asset: Asset) -> None:
    with store.begin() as tx:
        grant_licence(tx, "shop.example", at=NOON, collection="press")
        grant_licence(tx, "old.example", at=NOON, asset_id=asset.id, dates=(None, date(2026, 11, 23)))
        grant_licence(tx, "other.example", at=NOON, collection="family")
    assert status_on(store, asset, "shop.example") is LicenceStatus.LICENSED
    assert status_on(store, asset, "www.SHOP.example") is LicenceStatus.LICENSED
    assert status_on(store, asset, "old.example") is LicenceStatus.LAPSED
    assert status_on(store, asset, "other.example") is LicenceStatus.OUT_OF_SCOPE
    assert status_on(store, asset, "myshop.example") is LicenceStatus.NONE


def test_a_licence_that_is_granted_during_a_scan_counts_at_once(store: Store, asset: Asset) -> None:
    assert status_on(store, asset, "shop.example") is LicenceStatus.NONE
    with store.begin() as tx:
        grant_licence(tx, "shop.example", at=NOON, collection="press")
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
