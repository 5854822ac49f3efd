"""The results of an evaluation as JSON, for scripts and for comparing two evaluations."""

from collections.abc import Sequence
from typing import Any

from guardian.evaluation.comparison import Comparison
from guardian.evaluation.results import ConfusablePair, EditResult, LoudStranger, Results, ThresholdCost, WeakWork


def results_json(results: Results, comparisons: Sequence[Comparison] = ()) -> dict[str, Any]:
    """Return all numbers of the page. Shares are 0 to 1; null is what was not measured."""
    has_strangers = bool(results.strangers)
    return {
        "works": results.works,
        "works_of_catalogue": results.works_of_catalogue,
        "copies": results.copies,
        "found": _share(results.found, results.copies),
        "alerted": _share(results.alerted, results.copies),
        "mistaken": results.mistaken,
        "strangers": results.strangers,
        "strangers_alerted": results.accused if has_strangers else None,
        "loudest_stranger": results.loudest,
        "edits": [_edit(one) for one in results.edits],
        "weak_works": [_weak_work(one) for one in results.weak],
        "confusable": [_pair(one) for one in results.pairs],
        "thresholds": [_threshold(one, has_strangers=has_strangers) for one in results.thresholds],
        "loud_strangers": [_stranger(one) for one in results.loud],
        "left_out": dict(results.left_out),
        "comparisons": [_comparison(one) for one in comparisons],
    }


def _edit(edit: EditResult) -> dict[str, Any]:
    return {
        "family": edit.family,
        "edit": edit.edit,
        "asked": edit.asked,
        "found": edit.found_share,
        "alerted": edit.alerted_share,
        "review": edit.reviewed / edit.asked,
    }


def _weak_work(work: WeakWork) -> dict[str, Any]:
    return {
        "asset": work.asset.id,
        "title": work.asset.title,
        "asked": work.asked,
        "found": work.found / work.asked,
        "alerted": work.alerted / work.asked,
        "reasons": list(work.reasons),
    }


def _pair(pair: ConfusablePair) -> dict[str, Any]:
    return {
        "shown": pair.shown.id,
        "taken_for": pair.taken_for.id,
        "edit": pair.question.edit,
        "probability": pair.probability,
        "action": pair.action,
        "times": pair.times,
    }


def _threshold(cost: ThresholdCost, *, has_strangers: bool) -> dict[str, Any]:
    return {
        "probability": cost.threshold,
        "missed": cost.missed,
        "false_alarms": cost.false_alarms if has_strangers else None,
        "mistaken": cost.mistaken,
    }


def _stranger(stranger: LoudStranger) -> dict[str, Any]:
    return {
        "file": stranger.question.path,
        "edit": stranger.question.edit,
        "asset": stranger.asset.id,
        "probability": stranger.probability,
        "action": stranger.action,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "title": comparison.title,
        "columns": [comparison.now_name, comparison.other_name],
        "lines": [{"what": line.what, "values": [line.now, line.other]} for line in comparison.lines],
    }


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
