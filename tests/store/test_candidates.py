"""What is remembered about bytes."""

from guardian.model import Comparison, Match, MatchReport, Skipped
from guardian.store import Store

REPORT = MatchReport("r1", (Match("asset_1", Comparison(0.1 + 0.2, aligned_similarity=1 / 3)),), 7, 600, 800, 600)


def test_answers_are_kept_by_recipe_and_replaced(store: Store) -> None:
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") is None
        tx.candidates.remember("a", "r1", REPORT)
        tx.candidates.remember("a", "r2", Skipped("https://x.example/", "too_plain", "one\x00 colour"))
    with store.begin() as tx:
        assert tx.candidates.known("a", "r1") == REPORT
        assert tx.candidates.known("a", "r2") == Skipped("", "too_plain", "one colour")
        tx.candidates.remember("a", "r2", REPORT)
        assert tx.candidates.known("a", "r2") == REPORT
        tx.candidates.remember("a", "r2", Skipped("", "crashed"))
        assert tx.candidates.known("a", "r2") == Skipped("", "crashed")


def test_other_recipes_can_be_forgotten(store: Store) -> None:
    with store.begin() as tx:
        for recipe in ("r1", "r2", "r3"):
            tx.candidates.remember("a", recipe, REPORT)
        assert tx.candidates.forget_other_recipes("r2") == 2
        assert tx.candidates.known("a", "r2") == REPORT
        assert tx.candidates.known("a", "r1") is None
