"""Findings: one row for each address, growing a history of digests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.model import Action, Asset, Comparison, Context, Decision, Finding, LicenceStatus, Transform
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def finding(protect: Callable[[str], Asset]) -> Finding:
    asset = protect("a")
    page, image = "https://thief.example/p", "https://cdn.example/i.jpg"
    box = (0.0, 0.1, 0.2, 1 / 3)
    return Finding(
        id="find_1",
        asset_id=asset.id,
        case_id=None,
        source="web",
        page_url=page,
        image_url=image,
        first_seen_at=NOON,
        last_seen_at=NOON,
        licence=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "copies", None, ("legal",)),
        comparison=Comparison(0.9, transform=Transform((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), True, 0.5, 1.0, box, box)),
        candidate_sha256="c" * 64,
        image_sha256="1" * 64,
        page_sha256="2" * 64,
        context=Context(alt="ein Bild ✓"),
        also_at=("https://cdn.example/i.jpg?w=2",),
    )


def test_finding_comes_back_as_it_was_written(store: Store, finding: Finding) -> None:
    with store.begin() as tx:
        assert tx.findings.upsert(finding) == (finding, True)
    with store.read() as tx:
        assert tx.findings.get(finding.id) == finding
        assert tx.findings.at(finding.asset_id, "http://thief.example:80/p#x", finding.image_url) == finding
        assert tx.findings.at(finding.asset_id, "http://thief.example:81/p", finding.image_url) is None
        assert tx.findings.list(since=LATER) == []


def test_second_sighting_keeps_what_was_first(store: Store, finding: Finding) -> None:
    again = replace(
        finding,
        first_seen_at=LATER,
        last_seen_at=LATER,
        page_url="http://thief.example/p",
        comparison=Comparison(0.5),
        image_sha256=None,
        page_sha256=None,
        evidence_note="no room",
    )
    with store.begin() as tx:
        tx.findings.upsert(finding)
        written, is_new = tx.findings.upsert(again)
    assert is_new is False
    assert (written.first_seen_at, written.last_seen_at, written.page_url) == (NOON, LATER, again.page_url)
    assert (written.comparison, written.image_sha256, written.evidence_note) == (Comparison(0.5), "1" * 64, "no room")


@pytest.mark.parametrize(
    ("page", "image"),
    [
        ("https://thief.example/p?PHPSESSID=44", "https://cdn.example/i.jpg?Expires=2&Signature=b"),
        ("http://thief.example/p", "https://cdn.example/i-300x200.jpg"),
    ],
)
def test_a_finding_keeps_its_id_at_every_spelling_of_its_place(
    store: Store, finding: Finding, page: str, image: str
) -> None:
    again = replace(finding, id="find_2", page_url=page, image_url=image, last_seen_at=LATER)
    with store.begin() as tx:
        tx.findings.upsert(finding)
        assert tx.findings.upsert(again) == (replace(again, id="find_1"), False)
        assert tx.findings.upsert(replace(again, id="find_3", image_url="https://cdn.example/j.jpg"))[1] is True
        assert tx.findings.get("find_2") is None


def test_very_long_addresses_have_room(store: Store, finding: Finding) -> None:
    long = replace(finding, page_url="https://thief.example/" + "é%" * 20_000)
    with store.begin() as tx:
        assert tx.findings.upsert(long) == (long, True)
        assert tx.findings.at(long.asset_id, long.page_url, long.image_url) == long
