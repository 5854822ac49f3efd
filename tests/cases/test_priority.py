"""The order of the queue, and the reasons for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.cases import RecordedUse, join_works, record, split_work
from guardian.cases.priority import commercial_signs, points_of_rank, priority_of, rank_of
from guardian.model import (
    Asset,
    Audience,
    Case,
    CaseFilter,
    CaseState,
    CommercialSign,
    Comparison,
    Context,
    Severity,
    Sighting,
)
from guardian.store import Store

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CASE = Case(
    "case_1", "asset_1", "work_1", "thief.example", CaseState.OPEN, Severity.HIGH, NOON, NOON, 3, share_used=0.5
)


def test_every_part_says_what_it_stands_for() -> None:
    case = replace(CASE, commercial=(CommercialSign.SHOP, CommercialSign.PRICE))
    parts = priority_of(case, 4, NOON + timedelta(days=14)).parts
    assert [(part.name, part.points, part.words) for part in parts] == [
        ("severity", 30, "severity high"),
        ("share", 10.0, "50 % of the picture used"),
        ("pages", 3, "3 places"),
        ("works", 6, "4 works of yours used by thief.example"),
        ("commercial", 12, "signs of trade on the page: shop, price"),
        ("age", 2.0, "opened 14 days ago"),
    ]


def test_more_of_anything_is_never_less_urgent() -> None:
    steps = [
        replace(CASE, severity=None),
        replace(CASE, severity=Severity.LOW),
        CASE,
        replace(CASE, share_used=0.9),
        replace(CASE, share_used=0.9, finding_count=20),
        replace(CASE, share_used=0.9, finding_count=20, commercial=(CommercialSign.ADVERTISING,)),
    ]
    ranks = [rank_of(case, 1) for case in steps]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert rank_of(CASE, 1_000_000) == rank_of(CASE, 16), "numbers do not drown all else"


def test_a_share_that_was_not_measured_is_not_none_of_it() -> None:
    assert (
        rank_of(replace(CASE, share_used=0.0), 1)
        < rank_of(replace(CASE, share_used=None), 1)
        < rank_of(replace(CASE, share_used=1.0), 1)
    )


def test_ranks_keep_their_order_while_time_passes_and_give_the_points() -> None:
    old = replace(CASE, opened_at=NOON - timedelta(weeks=30), severity=None)
    for now in (NOON, NOON + timedelta(days=400)):
        assert points_of_rank(rank_of(CASE, 2), now) == pytest.approx(priority_of(CASE, 2, now).points, abs=0.11)
        assert points_of_rank(rank_of(old, 2), now) == pytest.approx(priority_of(old, 2, now).points, abs=0.11)


@pytest.mark.parametrize(
    ("words", "signs"),
    [
        ("Add to cart", (CommercialSign.SHOP,)),
        ("nur € 12,90 im Warenkorb", (CommercialSign.SHOP, CommercialSign.PRICE)),
        ("12.50 EUR", (CommercialSign.PRICE,)),
        ("$5", (CommercialSign.PRICE,)),
        ("Anzeige", (CommercialSign.ADVERTISING,)),
        ("he anzeigen wants, 5 krona, eurovision 2024", ()),
        ("a dune at noon", ()),
        (None, ()),
    ],
)
def test_signs_of_trade(words: str | None, signs: tuple[CommercialSign, ...]) -> None:
    assert commercial_signs(Context(nearby_text=words)) == signs


def test_cases_are_ranked_as_they_are_seen(store: Store, use: Use, assets: list[Asset]) -> None:
    shop = Sighting(
        "web", "https://x.example/i.jpg", "https://shop.example/p", NOON, Context(nearby_text="Buy now, $5")
    )
    with store.begin() as tx:
        record(tx, use("https://quiet.example/", comparison=Comparison(0.9, asset_coverage=0.2)), Audience())
        record(
            tx, use("https://shop.example/p", sighting=shop, comparison=Comparison(0.9, asset_coverage=0.4)), Audience()
        )
        record(tx, use("https://shop.example/q", comparison=Comparison(0.9, asset_coverage=0.3)), Audience())
        before, quiet = tx.cases.matching(CaseFilter(by_priority=True))
        assert (before.operator, before.share_used, before.commercial) == (
            "shop.example",
            0.4,
            (CommercialSign.SHOP, CommercialSign.PRICE),
        )
        assert before.rank == pytest.approx(rank_of(before, 1))

        record(
            tx,
            use("https://shop.example/r", asset=assets[1], comparison=Comparison(0.9, asset_coverage=0.1)),
            Audience(),
        )
        first, second, last = tx.cases.matching(CaseFilter(by_priority=True))
        assert (first.id, second.operator, last) == (before.id, "shop.example", quiet)
        assert first.rank == pytest.approx(before.rank + 3), "its operator uses another work"


def test_joining_and_splitting_rank_anew(store: Store, use: Use, assets: list[Asset]) -> None:
    with store.begin() as tx:
        for asset, share in zip(assets, (0.2, 0.8), strict=True):
            record(
                tx,
                use(f"https://a.example/{share}", asset=asset, comparison=Comparison(share, asset_coverage=share)),
                Audience(),
            )
        works = [tx.works.of_asset(asset.id) for asset in assets]
        assert works[0] is not None
        assert works[1] is not None
        work = join_works(tx, works[0], works[1], by="ada", at=NOON)
        (joined,) = tx.cases.list()
        assert (joined.share_used, joined.rank) == (0.8, pytest.approx(rank_of(joined, 1)))
        split_work(tx, work, [assets[1].id], by="ada", note=None, at=NOON)
        for case in tx.cases.list():
            assert case.rank == pytest.approx(rank_of(case, 2))
