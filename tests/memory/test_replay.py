"""Other rules, and another recipe's answers, are tried on all that is remembered; nothing is changed by it."""

from pathlib import Path

import pytest

from guardian import rules
from guardian.memory.remembering import Memory
from guardian.memory.replay import JudgingSettings, compare_recipes, replay
from guardian.memory.settings import MemorySettings
from guardian.model import Asset, Comparison, Match, MatchReport
from guardian.rules import Rules
from guardian.store import Store
from guardian.views.replays import case_change_json, comparison_lines, recipe_lines, replay_lines, side_change_json
from tests.memory.made import NOW, met

OLD, NEW = "v3-none-full-m4-aaaa", "v3-none-full-m5-bbbb"
SETTINGS = JudgingSettings(own_hosts=("mine.example",))


@pytest.fixture
def asset(store: Store) -> Asset:
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="Dunes", collection="shop", path="/a.jpg", size=(8, 6), at=NOW)
        tx.assets.protect([asset.number])
    return asset


@pytest.fixture
def memory(store: Store, tmp_path: Path) -> Memory:
    return Memory(store, tmp_path / "memory", "s1-none", MemorySettings())


def rules_from(folder: Path, least: float, then: str = "alert") -> Rules:
    folder.mkdir(exist_ok=True)
    path = folder / f"{then}-{least}.yaml"
    path.write_text(
        f"rules:\n  - name: copies\n    when: {{probability: {{at_least: {least}}}, place: {{any_of: [elsewhere]}}}}\n"
        f"    then: {then}\n" + ("    severity: high\n" if then == "alert" else "")
    )
    return rules.load(path)


def seen(store: Store, memory: Memory, asset: Asset, seed: int, probability: float, host: str, **facts: float) -> None:
    one = met(seed, host, **facts)
    memory.remember(store, [one])
    matches = (Match(asset.id, Comparison(probability, description="the whole image")),)
    answer(store, one.sha256, OLD, *matches)


def answer(store: Store, sha256: str, recipe: str, *matches: Match) -> None:
    with store.begin() as tx:
        tx.candidates.remember(sha256, recipe, MatchReport(recipe, matches, 9, 1, 320, 240), NOW)


def test_laxer_rules_open_cases_for_matches_that_were_below_every_threshold(
    store: Store, memory: Memory, asset: Asset, tmp_path: Path
) -> None:
    seen(store, memory, asset, 1, 0.99, "one.example")
    seen(store, memory, asset, 2, 0.61, "two.example")
    seen(store, memory, asset, 3, 0.62, "two.example", days_ago=200)
    seen(store, memory, asset, 4, 0.99, "mine.example")
    memory.remember(store, [met(5, "three.example")])
    strict, lax = rules_from(tmp_path / "r", 0.9), rules_from(tmp_path / "r", 0.5)
    with store.read() as tx:
        found = replay(tx, strict, lax, SETTINGS, OLD)
        assert (found.pictures, found.places, found.not_compared) == (4, 4, 1)
        (opened,) = [case_change_json(change) for change in found.changes]
        assert (opened["change"], opened["operator"], opened["before"]) == ("opens", "two.example", None)
        assert opened["after"] == {"action": "alert", "severity": "high", "rule": "copies"}
        assert [use["probability"] for use in opened["uses"]] == [0.62, 0.61], "the first seen comes first"

        (vanished,) = replay(tx, lax, strict, SETTINGS, OLD).changes
        assert vanished.kind.value == "vanishes"
        (changed,) = replay(tx, strict, rules_from(tmp_path / "r", 0.9, "review"), SETTINGS, OLD).changes
        assert (changed.kind.value, changed.operator) == ("changes", "one.example")
        assert replay(tx, strict, strict, SETTINGS, OLD).changes == ()
        assert tx.cases.list() == []

        lines = " ".join(replay_lines(found))
        assert "1 case would open, 0 change, 0 vanish" in lines
        assert "1 picture could not be judged" in lines


def test_only_what_was_seen_since_then_is_judged(store: Store, memory: Memory, asset: Asset, tmp_path: Path) -> None:
    seen(store, memory, asset, 1, 0.7, "old.example", days_ago=100)
    seen(store, memory, asset, 2, 0.7, "new.example", days_ago=1)
    strict, lax = rules_from(tmp_path / "r", 0.9), rules_from(tmp_path / "r", 0.5)
    with store.read() as tx:
        found = replay(tx, strict, lax, SETTINGS, OLD, met(3, days_ago=90).seen_at)
    assert [change.operator for change in found.changes] == ["new.example"]


def test_two_recipes_differ_where_a_picture_changes_sides(
    store: Store, memory: Memory, asset: Asset, tmp_path: Path
) -> None:
    for seed, probability in ((1, 0.99), (2, 0.4), (3, 0.99)):
        seen(store, memory, asset, seed, probability, f"{seed}.example")
    # The new recipe loses the first, finds the second, and has not yet seen the third.
    answer(store, met(1).sha256, NEW)
    answer(store, met(2).sha256, NEW, Match(asset.id, Comparison(0.97)))
    with store.read() as tx:
        known = tx.candidates.recipes()
        assert known == {OLD: 3, NEW: 2}
        found = compare_recipes(tx, rules_from(tmp_path / "r", 0.9), SETTINGS, OLD, NEW)
    assert (found.pictures, found.only_before) == (2, 1)
    lost, gained = (side_change_json(change) for change in found.changes)
    assert (lost["operator"], lost["before"]["measured"]["probability"], lost["after"]) == ("1.example", 0.99, None)
    assert (gained["operator"], gained["after"]["decision"]["action"]) == ("2.example", "alert")
    assert comparison_lines(found, OLD, NEW)[0].startswith("2 uses changed sides, of 2 pictures")

    assert recipe_lines(known, NEW) == [
        f"{OLD}  3 pictures",
        f"{NEW}  2 pictures  (today's)",
        f"`guardian index compare {OLD}` compares one with today's",
    ]
    assert recipe_lines({OLD: 3}, NEW)[1] == f"{NEW}  0 pictures  (today's)"
    assert recipe_lines({NEW: 2}, NEW)[1].startswith("there is nothing to compare it with")
    assert recipe_lines({}, NEW) == ["no picture was compared so far"]
