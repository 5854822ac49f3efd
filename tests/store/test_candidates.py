"""What is remembered about bytes."""

from guardian.model import Comparison, Match, MatchReport, Skipped, SkipReason
from guardian.store import Store
from guardian.store.connecting import connect

REPORT = MatchReport("r1", (Match("asset_1", Comparison(0.1 + 0.2, aligned_similarity=1 / 3)),), 7, 600, 800, 600)


def test_answers_are_kept_by_recipe_and_replaced(store: Store) -> None:
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") is None
        tx.candidates.remember("a", "r1", REPORT)
        tx.candidates.remember("a", "r2", Skipped("https://x.example/", SkipReason.TOO_PLAIN, "one\x00 colour"))
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") == REPORT
        assert tx.candidates.known("a", "r2") == Skipped("", SkipReason.TOO_PLAIN, "one colour")
        tx.candidates.remember("a", "r2", REPORT)
        assert tx.candidates.known("a", "r2") == REPORT
        tx.candidates.remember("a", "r2", Skipped("", SkipReason.CRASHED))
        assert tx.candidates.known("a", "r2") == Skipped("", SkipReason.CRASHED)


def test_other_recipes_can_be_forgotten(store: Store) -> None:
    with store.begin() as tx:
        for recipe in ("r1", "r2", "r3"):
            tx.candidates.remember("a", recipe, REPORT)
        assert tx.candidates.forget_other_recipes("r2") == 2
        assert tx.candidates.known("a", "r2") == REPORT
        assert tx.candidates.known("a", "r1") is None


def test_a_reason_of_another_version_is_looked_into_again(store: Store) -> None:
    with store.begin() as tx:
        tx.candidates.remember("a", "r1", Skipped("", SkipReason.TOO_PLAIN))
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE candidates SET reason = 'too_round'")
    engine.dispose()
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") is None
        tx.candidates.remember("a", "r1", REPORT)
        assert tx.candidates.known("a", "r1") == REPORT
