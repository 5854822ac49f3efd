"""Keys come forward when a database is opened, and findings that come to one place become one."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from guardian.errors import StoreUnusable
from guardian.model import (
    Action,
    Asset,
    CaseState,
    Comparison,
    Decision,
    Finding,
    FindingDigest,
    LicenceStatus,
    Severity,
)
from guardian.store import Store, Transaction
from guardian.store.connecting import connect
from guardian.urls.keys import KEY_VERSION
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PAGE = "https://thief.example/p"
SPELLINGS = (
    "https://cdn.example/cat.jpg",
    "https://cdn.example/cat-300x200.jpg",
    "https://cdn.example/cat.jpg?Expires=1&Signature=a",
    "https://i0.wp.com/cdn.example/cat.jpg?w=640",
)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def sighting(
    id_: str, asset: Asset, image_url: str, minute: int, case_id: str | None = None, seen: str = "c"
) -> Finding:
    """A finding as it is seen at one moment; `seen` is a digit of the digests of its bytes."""
    return Finding(
        id=id_,
        asset_id=asset.id,
        case_id=case_id,
        source="web",
        page_url=PAGE,
        image_url=image_url,
        first_seen_at=at(minute),
        last_seen_at=at(minute),
        licence=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "copies", Severity.LOW),
        comparison=Comparison(minute / 100),
        candidate_sha256=seen * 64,
        image_sha256=seen * 64,
        page_sha256="e" * 64,
    )


def note(tx: Transaction, seen: Finding) -> None:
    """Write a sighting and the version of the bytes that was seen."""
    written, _ = tx.findings.upsert(seen)
    at_once = seen.last_seen_at
    version = FindingDigest(seen.candidate_sha256, seen.image_sha256, seen.page_sha256, at_once, at_once)
    tx.versions.note(written.id, version)


@contextmanager
def raw(store: Store) -> Iterator[Connection]:
    """The database without the store."""
    engine = connect(store.url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def record_under_earlier_rules(store: Store, *sightings: Finding) -> None:
    """Write sightings so that those of one id are one finding, wherever today's rules would put them."""
    for seen in sightings:
        apart = f"https://{seen.id}.example/"
        with store.begin() as tx:
            note(tx, replace(seen, page_url=apart, image_url=apart))
    with raw(store) as connection:
        for seen in sightings:
            connection.execute(
                text("UPDATE findings SET page_url = :page, image_url = :image WHERE id = :id"),
                {"page": seen.page_url, "image": seen.image_url, "id": seen.id},
            )
        connection.execute(text("UPDATE findings SET page_key = id, picture_key = id, key_version = 0"))


def opened_again(store: Store) -> Store:
    store.close()
    return Store(store.url)


def test_a_finding_alone_gets_its_keys_and_stays_as_it_was(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    finding = sighting("find_1", asset, SPELLINGS[1], 1)
    record_under_earlier_rules(store, finding)
    again = opened_again(store)
    with again.read() as tx:
        assert tx.findings.list() == [finding]
        assert tx.findings.at(asset.id, PAGE, SPELLINGS[0]) == finding
    with raw(again) as connection:
        assert connection.execute(text("SELECT key_version FROM findings")).scalars().all() == [KEY_VERSION]
    again.close()


def test_two_of_one_place_are_one_under_the_older_id_and_the_other_id_leads_there(
    store: Store, protect: Callable[[str], Asset]
) -> None:
    asset, other_asset = protect("a"), protect("b")
    older, younger = sighting("find_2", asset, SPELLINGS[0], 1), sighting("find_1", asset, SPELLINGS[1], 5, seen="d")
    apart = [
        sighting("find_3", other_asset, SPELLINGS[0], 2),
        sighting("find_4", asset, "https://cdn.example/dog.jpg", 3),
        replace(sighting("find_5", asset, SPELLINGS[0], 4), page_url="https://thief.example/other"),
    ]
    record_under_earlier_rules(store, older, younger, *apart)
    again = opened_again(store)
    with again.read() as tx:
        merged = replace(younger, id="find_2", first_seen_at=at(1))
        assert {finding.id: finding for finding in tx.findings.list()} == {
            finding.id: finding for finding in (merged, *apart)
        }
        assert tx.findings.get("find_1") == tx.findings.get("find_2") == merged
        assert tx.findings.starting_with("find_1") == [merged]
        assert [digest.candidate_sha256[0] for digest in tx.versions.of("find_2")] == ["c", "d"]
        assert tx.tasks.list() == [], "nobody is told"
    again.close()


def test_ids_lead_on_when_what_they_led_to_is_merged_too(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    record_under_earlier_rules(store, *(sighting(f"find_{n}", asset, SPELLINGS[0], 5 - n) for n in (1, 2)))
    once = opened_again(store)
    record_under_earlier_rules(once, sighting("find_3", asset, SPELLINGS[2], 1))
    twice = opened_again(once)
    with twice.read() as tx:
        (left,) = tx.findings.list()
        assert left.id == "find_3"
        assert [tx.findings.get(f"find_{n}") for n in (1, 2, 3)] == [left] * 3
    twice.close()


@pytest.mark.parametrize(
    ("first_in", "second_in", "then_in"),
    [
        ("older", "younger", "older"),
        ("younger", "older", "older"),
        ("older", "older", "older"),
        (None, "younger", "younger"),
        ("older", None, "older"),
        (None, None, None),
    ],
)
def test_the_older_case_wins_and_no_case_is_lost(
    store: Store,
    protect: Callable[[str], Asset],
    first_in: str | None,
    second_in: str | None,
    then_in: str | None,
) -> None:
    asset = protect("a")
    with store.begin() as tx:
        younger, _ = tx.cases.insert(asset.id, "mirror.example", Action.ALERT, Severity.HIGH, at(9))
        older, _ = tx.cases.insert(asset.id, "thief.example", Action.REVIEW, None, at(1))
        tx.cases.update(replace(younger, state=CaseState.DISMISSED))
        tx.cases.update(replace(older, state=CaseState.RESOLVED))
    ids = {"older": older.id, "younger": younger.id, None: None}
    record_under_earlier_rules(
        store,
        sighting("find_1", asset, SPELLINGS[0], 2, ids[first_in]),
        sighting("find_2", asset, SPELLINGS[1], 3, ids[second_in]),
    )
    again = opened_again(store)
    with again.read() as tx:
        (left,) = tx.findings.list()
        cases = {name: tx.cases.get(id_) for name, id_ in ids.items() if id_ is not None}
        history = tx.case_history.of(younger.id)
        assert tx.case_history.of(older.id) == []
        assert (tx.tasks.list(), left.case_id) == ([], ids[then_in])
    again.close()
    assert (cases["older"].state, cases["younger"].state) == (CaseState.RESOLVED, CaseState.DISMISSED)
    assert cases["older"].updated_at == at(1)
    if {first_in, second_in} == {"older", "younger"}:
        # As strong as both, so that nothing known is told as an escalation.
        assert (cases["older"].action, cases["older"].severity) == (Action.ALERT, Severity.HIGH)
        (moved,) = history
        lost = "find_1" if first_in == "younger" else "find_2"
        assert (moved.kind, moved.note) == ("moved", f"finding {lost} is in {older.id} now, as find_1")
        assert moved.at > NOON - timedelta(days=3650)
    else:
        assert history == []
        assert cases["older"].severity is None


@given(
    st.lists(
        st.tuples(st.integers(0, len(SPELLINGS) - 1), st.sampled_from("cde"), st.integers(1, 9)), min_size=1, max_size=8
    )
)
@settings(max_examples=20, deadline=None)
def test_merging_gives_what_todays_rules_would_have_recorded(seen: list[tuple[int, str, int]]) -> None:
    with TemporaryDirectory() as folder:
        then, now = (store_in(Path(folder) / name) for name in ("then", "now"))
        minute, sightings = 0, []
        for store in (then, now):
            with store.begin() as tx:
                asset = tx.assets.reserve("a" * 64, title="t", collection="c", path="/a", size=(8, 6), at=NOON)
        for spelling, digest, pause in seen:
            minute += pause
            sightings.append(sighting(f"find_{spelling}", asset, SPELLINGS[spelling], minute, seen=digest))
        record_under_earlier_rules(then, *sightings)
        with now.begin() as tx:
            for one in sightings:
                note(tx, one)
        then = opened_again(then)
        with then.read() as merged, now.read() as recorded:
            (left,), (wanted,) = merged.findings.list(), recorded.findings.list()
            assert replace(left, id=wanted.id) == wanted
            assert merged.versions.of(left.id) == recorded.versions.of(wanted.id)
            assert {merged.findings.get(one.id) for one in sightings} == {left}
        then.close()
        now.close()


def test_several_processes_that_open_it_at_once_merge_once(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    record_under_earlier_rules(
        store, *(sighting(f"find_{n}", asset, SPELLINGS[n % len(SPELLINGS)], n) for n in range(40))
    )
    start = threading.Barrier(4)

    def open_it() -> list[str]:
        start.wait()
        opened = Store(store.url)
        with opened.read() as tx:
            found = [finding.id for finding in tx.findings.list()]
        opened.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert [found.result() for found in [pool.submit(open_it) for _ in range(4)]] == [["find_0"]] * 4


def test_keys_of_a_newer_guardian_are_refused_and_untouched(store: Store, protect: Callable[[str], Asset]) -> None:
    record_under_earlier_rules(store, sighting("find_1", protect("a"), SPELLINGS[0], 1))
    with raw(store) as connection:
        connection.execute(text("UPDATE findings SET key_version = 99"))
    with pytest.raises(StoreUnusable, match=r"version 99.*newer guardian"):
        Store(store.url)
    with raw(store) as connection:
        assert connection.execute(text("SELECT key_version FROM findings")).scalar() == 99
