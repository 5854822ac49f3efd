"""What guardian says of images: of one as JSON, of many as a sum in words."""

from collections.abc import Mapping
from typing import Any

from guardian.model import Answer, JudgedMatch, MatchReport, NotSeen, Outcome, Skipped
from guardian.views.comparisons import comparison_json
from guardian.views.counting import counted

_PLURALS = {Outcome.COPY: "copies", Outcome.ERROR: "errors"}


def outcomes_text(outcomes: Mapping[Outcome, int]) -> str:
    """Return how many images had each outcome: "2 copies, 1 to review, 3 clear"; empty when there were none."""
    parts = []
    for outcome in Outcome:
        number = outcomes.get(outcome, 0)
        word = "to review" if outcome is Outcome.REVIEW else outcome.value
        if number:
            parts.append(counted(number, word, _PLURALS.get(outcome, word)))
    return ", ".join(parts)


def answer_json(answer: Answer, *, every_match: bool = False) -> dict[str, Any]:
    """Return the object that `check --json` prints for one image, its matches from the most probable down.

    `every_match` also lists compared assets that the rules ignore.
    """
    # Compared assets that the rules ignore are of interest only to somebody who is tuning rules.
    shown = [match for match in answer.judged if every_match or match.kept]
    return {
        "target": answer.target,
        "image_url": answer.sighting.image_url,
        "page_url": answer.sighting.page_url,
        "also_at": list(answer.also_at),
        "sha256": answer.sha256,
        "perceptual_hash": answer.report.perceptual_hash if answer.report else None,
        "outcome": answer.outcome.value,
        "own": answer.own,
        "matches": [_match_json(match) for match in sorted(shown, key=lambda m: -m.comparison.probability)],
        "assets_searched": answer.report.assets_searched if answer.report else None,
        "partial": answer.is_partial,
        "status": answer.status,
        "incomplete": answer.incomplete,
        "not_compared": _not_compared_json(answer.report),
        "error": _problem_text(answer.problem),
        "elapsed_ms": round(answer.elapsed_ms, 1),
    }


def not_seen_json(not_seen: NotSeen) -> dict[str, Any]:
    """Return the object that `check --json` prints for what it left out: all fields of an answer, and three more."""
    skipped = not_seen.skipped
    return {
        "target": not_seen.target,
        "image_url": None,
        "page_url": None,
        "also_at": [],
        "sha256": None,
        "perceptual_hash": None,
        "outcome": "not_seen",
        "own": False,
        "matches": [],
        "assets_searched": None,
        "partial": skipped.reason.may_hide_a_copy,
        "status": skipped.status,
        "incomplete": None,
        "not_compared": [],
        "error": _problem_text(skipped),
        "elapsed_ms": 0.0,
        "url": skipped.url,
        "reason": skipped.word,
        "detail": skipped.detail,
    }


def _not_compared_json(report: MatchReport | None) -> list[dict[str, str]]:
    """Return the parts of an image that were not compared: frames over a bound, what is missing of a file."""
    return [{"reason": part.reason.value, "detail": part.detail} for part in report.not_compared] if report else []


def _problem_text(problem: Skipped | None) -> str | None:
    if problem is None:
        return None
    return f"{problem.word}: {problem.detail}" if problem.detail else problem.word


def _match_json(match: JudgedMatch) -> dict[str, Any]:
    asset, decision = match.asset, match.decision
    return {
        "asset": {"id": asset.id, "title": asset.title, "path": asset.path, "collection": asset.collection},
        "probability": match.comparison.probability,
        "licence": match.licence_status.value,
        "licence_id": match.licence_id,
        "decision": {
            "action": decision.action.value,
            "rule": decision.rule,
            "severity": decision.severity.value if decision.severity else None,
        },
        "comparison": comparison_json(match.comparison),
        "work": asset.work_id,
        "versions": [version.id for version in match.versions],
    }
