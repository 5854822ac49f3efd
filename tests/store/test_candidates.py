"""What is remembered about bytes."""

from datetime import UTC, datetime, timedelta

from guardian.model import Comparison, Match, MatchReport, Remembered, Skipped, SkipReason
from guardian.store import Store
from guardian.store.candidates import OLD_RECIPES_KEPT
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

REPORT = MatchReport("r1", (Match("asset_1", Comparison(0.1 + 0.2, aligned_similarity=1 / 3)),), 7, 600, 800, 600)


def test_answers_are_kept_by_recipe_and_replaced(store: Store) -> None:
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") is None
        tx.candidates.remember("a", "r1", REPORT, NOON)
        tx.candidates.remember("a", "r2", Skipped("https://x.example/", SkipReason.TOO_PLAIN, "one\x00 colour"), NOON)
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") == REPORT
        assert tx.candidates.known("a", "r2") == Skipped("", SkipReason.TOO_PLAIN, "one colour")
        tx.candidates.remember("a", "r2", REPORT, NOON)
        assert tx.candidates.known("a", "r2") == REPORT
        tx.candidates.remember("a", "r2", Skipped("", SkipReason.CRASHED), NOON)
        assert tx.candidates.known("a", "r2") == Skipped("", SkipReason.CRASHED)


def known(store: Store) -> set[tuple[str, str]]:
    with store.read() as tx:
        return {(sha, recipe) for sha in "abc" for recipe in ("new", "old") if tx.candidates.known(sha, recipe)}


def test_old_recipes_are_forgotten_after_a_week(store: Store) -> None:
    with store.begin() as tx:
        tx.candidates.remember("a", "new", REPORT, NOON)
        tx.candidates.remember("a", "old", REPORT, NOON)
    for later, left in ((OLD_RECIPES_KEPT, {"new", "old"}), (OLD_RECIPES_KEPT + SECOND, {"new"})):
        with store.begin() as tx:
            tx.candidates.forget("new", before=NOON, now=NOON + later, limit=10)
        assert known(store) == {("a", recipe) for recipe in left}


def test_what_no_scan_meets_any_more_is_forgotten(store: Store) -> None:
    with store.begin() as tx:
        for sha in "abc":
            tx.candidates.remember(sha, "new", REPORT, NOON if sha != "c" else NOON + SECOND)
        tx.responses.remember(Remembered("https://x.example/a.jpg", '"a"', None, "a", NOON, NOON))
    with store.begin() as tx:
        assert tx.candidates.forget("new", before=NOON + SECOND, now=NOON + SECOND, limit=10) == 1
    assert known(store) == {("a", "new"), ("c", "new")}


def test_no_more_is_forgotten_at_once_than_asked_for(store: Store) -> None:
    with store.begin() as tx:
        for sha in "abc":
            tx.candidates.remember(sha, "new", REPORT, NOON)
    with store.begin() as tx:
        assert tx.candidates.forget("new", before=NOON + SECOND, now=NOON, limit=2) == 2
    assert len(known(store)) == 1


def test_a_reason_of_another_version_is_looked_into_again(store: Store) -> None:
    with store.begin() as tx:
        tx.candidates.remember("a", "r1", Skipped("", SkipReason.TOO_PLAIN), NOON)
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE candidates SET reason = 'too_round'")
    engine.dispose()
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") is None
        tx.candidates.remember("a", "r1", REPORT, NOON)
        assert tx.candidates.known("a", "r1") == REPORT
