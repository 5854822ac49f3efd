"""The results of an evaluation as JSON, for scripts and for comparing two evaluations."""

from collections.abc import Sequence
from typing import Any

from guardian.evaluation.comparison import Comparison
from guardian.evaluation.results import Results


def results_json(results: Results, comparisons: Sequence[Comparison] = ()) -> dict[str, Any]:
    """Return all numbers of the page. Shares are 0 to 1; null is what was not measured."""
    return {
        "works": results.works,
        "works_of_catalogue": results.works_of_catalogue,
        "copies": results.copies,
        "found": _share(results.found, results.copies),
        "alerted": _share(results.alerted, results.copies),
        "mistaken": results.mistaken,
        "strangers": results.strangers,
        "strangers_alerted": results.accused if results.strangers else None,
        "loudest_stranger": results.loudest,
        "edits": [
            {
                "family": one.family,
                "edit": one.edit,
                "asked": one.asked,
                "found": one.found_share,
                "alerted": one.alerted_share,
                "review": one.reviewed / one.asked,
            }
            for one in results.edits
        ],
        "weak_works": [
            {
                "asset": one.asset.id,
                "title": one.asset.title,
                "asked": one.asked,
                "found": one.found / one.asked,
                "alerted": one.alerted / one.asked,
                "reasons": list(one.reasons),
            }
            for one in results.weak
        ],
        "confusable": [
            {
                "shown": pair.shown.id,
                "taken_for": pair.taken_for.id,
                "edit": pair.question.edit,
                "probability": pair.probability,
                "action": pair.action,
                "times": pair.times,
            }
            for pair in results.pairs
        ],
        "thresholds": [
            {
                "probability": cost.threshold,
                "missed": cost.missed,
                "false_alarms": cost.false_alarms if results.strangers else None,
                "mistaken": cost.mistaken,
            }
            for cost in results.thresholds
        ],
        "loud_strangers": [
            {
                "file": one.question.path,
                "edit": one.question.edit,
                "asset": one.asset.id,
                "probability": one.probability,
                "action": one.action,
            }
            for one in results.loud
        ],
        "left_out": dict(results.left_out),
        "comparisons": [
            {
                "title": one.title,
                "columns": [one.now_name, one.other_name],
                "lines": [{"what": line.what, "values": [line.now, line.other]} for line in one.lines],
            }
            for one in comparisons
        ],
    }


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
