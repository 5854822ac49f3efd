"""Judges everything that was ever compared by other rules, or by the answers of another recipe. Touches nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from guardian.cases.judging import Judge, JudgedPlace
from guardian.cases.operators import operator
from guardian.model import (
    Action,
    CaseChange,
    ChangeKind,
    Decision,
    Match,
    RecipeComparison,
    Replay,
    ReplayedUse,
    SeenAddress,
    SeenPicture,
    SideChange,
)
from guardian.rules import Rules, strength
from guardian.store import Transaction
from guardian.urls.accounts import Platform


@dataclass(frozen=True, slots=True)
class JudgingSettings:
    """What uses are judged by beside the rules: the owner's own hosts, and platforms whose accounts are operators."""

    own_hosts: Sequence[str]
    platforms: Sequence[Platform] = ()


def replay(
    tx: Transaction, before: Rules, after: Rules, settings: JudgingSettings, recipe: str, since: datetime | None = None
) -> Replay:
    """Judge all remembered comparisons by two sets of rules; return the cases in which they differ.

    Matches that are below every threshold count too: what was measured is kept, not what was made of it. `recipe` is
    the one whose answers are kept; `since`: only uses that were last seen then or later.
    """
    answers = {sha256: report.matches for sha256, report in tx.candidates.matched(recipe)}
    matched = list(tx.seen.uses_of(answers, since))
    pictures, places, not_compared = tx.seen_counts.compared(recipe, since)
    judged_before = _judged(tx, before, settings, matched, answers)
    judged_after = _judged(tx, after, settings, matched, answers)
    return Replay(
        pictures=pictures,
        places=places,
        not_compared=not_compared,
        changes=tuple(_case_changes(tx, judged_before, judged_after)),
    )


def compare_recipes(
    tx: Transaction, rules: Rules, settings: JudgingSettings, before: str, after: str
) -> RecipeComparison:
    """Judge the answers of two recipes by the same rules; return what changed sides: at which place, about which work.

    Compared are pictures that both recipes have answered, with assets that both have searched.
    """
    newest_before, newest_after = tx.candidates.compared_up_to(before), tx.candidates.compared_up_to(after)
    newest_in_both = {
        sha256: min(newest_before[sha256], newest_after[sha256])
        for sha256 in newest_before.keys() & newest_after.keys()
    }
    answers_before = _answers_up_to(tx, before, newest_in_both)
    answers_after = _answers_up_to(tx, after, newest_in_both)

    uses = list(tx.seen.uses_of(answers_before.keys() | answers_after.keys()))
    judged_before = {use.key: use for use in _judged(tx, rules, settings, uses, answers_before)}
    judged_after = {use.key: use for use in _judged(tx, rules, settings, uses, answers_after)}
    changes = []
    for key in dict.fromkeys([*judged_before, *judged_after]):
        change = SideChange(judged_before.get(key), judged_after.get(key))
        if _side(change.before) != _side(change.after):
            changes.append(change)
    only_before = newest_before.keys() - newest_after.keys()
    return RecipeComparison(len(newest_in_both), len(only_before), tuple(changes))


def _answers_up_to(tx: Transaction, recipe: str, newest: Mapping[str, int]) -> dict[str, tuple[Match, ...]]:
    """Return the matches of some pictures by a recipe, each with assets up to the number in `newest` only."""
    numbers = {asset.id: asset.number for asset in tx.assets.list()}
    return {
        sha256: tuple(one for one in report.matches if numbers.get(one.asset_id, 0) <= newest[sha256])
        for sha256, report in tx.candidates.matched(recipe)
        if sha256 in newest
    }


def judged_uses(
    tx: Transaction, rules: Rules, settings: JudgingSettings, recipe: str, asset_ids: Collection[str]
) -> list[ReplayedUse]:
    """Return the remembered uses of some assets that the rules keep, by the comparisons of a recipe."""
    answers = {}
    for sha256, report in tx.candidates.matched(recipe):
        matches = tuple(match for match in report.matches if match.asset_id in asset_ids)
        if matches:
            answers[sha256] = matches
    return [use for use in _judged(tx, rules, settings, tx.seen.uses_of(answers), answers) if use.match.kept]


def _side(use: ReplayedUse | None) -> tuple[int, bool, int] | None:
    """Return on which side of the rules a use is: None for one that they ignore, or that nothing matches."""
    return None if use is None or not use.match.kept else strength(use.match.decision)


def _judged(
    tx: Transaction,
    rules: Rules,
    settings: JudgingSettings,
    uses: Iterable[tuple[SeenPicture, SeenAddress]],
    answers: Mapping[str, Sequence[Match]],
) -> list[ReplayedUse]:
    """Return every use of a work that the matches of a picture make at a place, decided by some rules."""
    work_of = lru_cache(maxsize=None)(tx.works.of_asset)
    granted = lru_cache(maxsize=None)(tx.licences.for_host)
    found = []
    for picture, seen in uses:
        matches = answers.get(picture.sha256, ())
        if not matches:
            continue
        place = JudgedPlace(seen.page_url, seen.image_url, seen.source, seen.last_seen_at.date())
        judge = Judge(rules, settings.own_hosts, granted(place.host), work_of)
        of_operator = operator(seen.page_url, seen.image_url, seen.source, settings.platforms)
        found += [ReplayedUse(picture, seen, of_operator, match) for match in judge.judged(place, matches)]
    return found


def _case_changes(tx: Transaction, before: Sequence[ReplayedUse], after: Sequence[ReplayedUse]) -> Iterable[CaseChange]:
    """Yield the cases in which two ways of judging differ, those that open first."""
    old, new = _by_case(before), _by_case(after)
    changes = []
    for key in dict.fromkeys([*old, *new]):
        one, other = _strongest(old.get(key, ())), _strongest(new.get(key, ()))
        if (one and strength(one)) == (other and strength(other)):
            continue
        kind = ChangeKind.OPENS if one is None else ChangeKind.VANISHES if other is None else ChangeKind.CHANGES
        uses = tuple(sorted(new.get(key) or old[key], key=lambda use: use.place.first_seen_at))
        asset = max(uses, key=lambda use: use.match.comparison.probability).match.asset
        known = tx.cases.find(asset.id, key[1])
        changes.append(CaseChange(kind, asset, key[1], known.id if known else None, one, other, uses))
    order = list(ChangeKind)
    return sorted(changes, key=lambda change: (order.index(change.kind), change.operator, change.asset.id))


def _by_case(uses: Sequence[ReplayedUse]) -> dict[tuple[str, str], list[ReplayedUse]]:
    """Return uses that make a case, by work and operator: what the rules only record makes none."""
    cases: dict[tuple[str, str], list[ReplayedUse]] = {}
    for use in uses:
        if use.match.decision.action is not Action.IGNORE:
            cases.setdefault((use.match.asset.work_id, use.operator), []).append(use)
    return cases


def _strongest(uses: Sequence[ReplayedUse]) -> Decision | None:
    decisions = [use.match.decision for use in uses]
    return max(decisions, key=strength) if decisions else None
