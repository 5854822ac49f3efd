"""Versions of the bytes at findings: what is listed, what is dropped first, and which evidence stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.model import (
    Action,
    Asset,
    CaseState,
    Comparison,
    Decision,
    Finding,
    FindingDigest,
    Importance,
    LicenceStatus,
)
from guardian.store import Store, Transaction
from guardian.store.versions import Rank

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def version(digit: str, minute: int, importance: Importance, page: str | None = "e") -> FindingDigest:
    at = NOON + timedelta(minutes=minute)
    return FindingDigest(digit * 64, digit * 64, page and page * 64, at, at, importance)


@pytest.fixture
def finding(protect: Callable[[str], Asset]) -> Callable[..., Finding]:
    """finding(tx, "1", state) writes finding number 1; `state` is that of its case, None for a use without one."""
    asset = protect("a")

    def make(tx: Transaction, number: str, state: CaseState | None) -> Finding:
        case_id = None
        if state is not None:
            case, _ = tx.cases.insert(asset.id, f"{number}.example", Action.ALERT, None, NOON)
            case_id = tx.cases.update(replace(case, state=state)).id
        page = f"https://{number}.example/"
        made = Finding(
            id=f"find_{number}",
            asset_id=asset.id,
            case_id=case_id,
            source="web",
            page_url=page,
            image_url=f"{page}i.jpg",
            first_seen_at=NOON,
            last_seen_at=NOON,
            licence=LicenceStatus.NONE,
            decision=Decision(Action.ALERT, "copies"),
            comparison=Comparison(0.9),
            candidate_sha256="d" * 64,
            image_sha256="d" * 64,
            page_sha256="e" * 64,
        )
        return tx.findings.upsert(made)[0]

    return make


def test_versions_tell_what_was_seen_when(store: Store, finding: Callable[..., Finding]) -> None:
    with store.begin() as tx:
        id_ = finding(tx, "1", None).id
        for minute, digest, kept in ((0, "c", None), (1, "c", "c"), (2, "d", "d"), (3, "c", None)):
            seen = replace(version(digest, minute, Importance.FIRST, None), image_sha256=kept and kept * 64)
            tx.versions.note(id_, seen)
        found = tx.versions.of(id_)
        assert tx.versions.of_all([id_, "find_2"]) == {id_: found, "find_2": []}
    assert [(one.candidate_sha256[0], one.image_sha256) for one in found] == [("c", "c" * 64), ("d", "d" * 64)]
    assert (found[0].first_seen_at, found[0].last_seen_at) == (NOON, NOON + timedelta(minutes=3))


def test_what_is_dropped_first_and_what_never(store: Store, finding: Callable[..., Finding]) -> None:
    with store.begin() as tx:
        for number, state in (("1", CaseState.OPEN), ("2", CaseState.DISMISSED), ("3", None)):
            id_ = finding(tx, number, state).id
            for minute, importance in enumerate(Importance):
                tx.versions.note(id_, version(str(minute), minute, importance))
        # What was not kept, or dropped before, cannot be dropped.
        tx.versions.note("find_1", replace(version("8", 8, Importance.LATEST, None), image_sha256=None))
        tx.versions.note("find_1", replace(version("9", 9, Importance.LATEST), dropped_at=NOON))

        ranks = {
            rank: [(one.finding_id[-1], one.version.importance.value) for one in tx.versions.droppable(rank, 100)]
            for rank in Rank
        }
        first, *rest = tx.versions.droppable(Rank.REPEATED, 100)
        assert tx.versions.droppable(Rank.REPEATED, 2, first) == rest[:2]
    assert ranks == {
        Rank.REPEATED: [(number, word) for word in ("latest", "unknown") for number in "123"],
        Rank.CHANGED_UNPURSUED: [("2", "changed"), ("3", "changed")],
        Rank.CHANGED: [("1", "changed"), ("2", "changed"), ("3", "changed")],
        Rank.FIRST_UNPURSUED: [("2", "first"), ("3", "first")],
    }


def test_a_dropped_version_stays_listed_and_its_finding_names_what_is_left(
    store: Store, finding: Callable[..., Finding]
) -> None:
    with store.begin() as tx:
        id_ = finding(tx, "1", CaseState.OPEN).id
        tx.versions.note(id_, version("c", 0, Importance.FIRST, "f"))
        tx.versions.note(id_, version("d", 5, Importance.LATEST))
        (last,) = tx.versions.droppable(Rank.REPEATED, 10)
        tx.versions.drop(last, "no room", NOON)

        left = tx.findings.get(id_)
        assert left is not None
        assert (left.image_sha256, left.page_sha256, left.evidence_note) == ("c" * 64, "f" * 64, "no room")
        assert [(one.candidate_sha256[0], one.dropped_at) for one in tx.versions.of(id_)] == [("c", None), ("d", NOON)]
        assert tx.released_evidence.list(10) == ["d" * 64, "e" * 64]
        assert tx.versions.needed(["c" * 64, "d" * 64, "e" * 64, "f" * 64]) == {"c" * 64, "f" * 64}
        assert tx.versions.counts() == {Importance.FIRST: 1}


def test_evidence_that_another_version_needs_is_needed(store: Store, finding: Callable[..., Finding]) -> None:
    with store.begin() as tx:
        for number in "12":
            tx.versions.note(finding(tx, number, None).id, version(number, 0, Importance.LATEST))
        tx.versions.supersede("find_1", tx.versions.of("find_1"), NOON)
        assert tx.versions.of("find_1") == []
        assert tx.released_evidence.list(10) == ["1" * 64], "one page capture serves both findings"
        assert tx.versions.needed(["1" * 64, "e" * 64]) == {"e" * 64}

        assert tx.released_evidence.forget_before(NOON, 10) == 0
        assert tx.released_evidence.forget_before(NOON + timedelta(seconds=1), 10) == 1


def test_what_is_kept_is_named_with_the_finding_that_first_had_it(
    store: Store, finding: Callable[..., Finding]
) -> None:
    with store.begin() as tx:
        one, other = finding(tx, "1", None).id, finding(tx, "2", None).id
        tx.versions.note(one, version("c", 0, Importance.FIRST))
        tx.versions.note(other, version("c", 1, Importance.FIRST))
        tx.versions.note(other, version("d", 2, Importance.CHANGED, None))
        tx.versions.note(other, replace(version("f", 3, Importance.CHANGED, None), image_sha256=None))
    with store.read() as tx:
        assert dict(tx.versions.kept_digests()) == {"c" * 64: one, "e" * 64: one, "d" * 64: other}
