"""What guardian answers about one image: the outcome, the judged matches, and the JSON line of both.

Shared by `check`, the scans and the API, so that they cannot say different things.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from guardian.model import Action, Asset, Comparison, Decision, MatchReport, Omission, Sighting, Standing


class Outcome(StrEnum):
    """One word for one image. `unmatchable` and `error` say that nothing was compared, never "clear"."""

    COPY = "copy"
    REVIEW = "review"
    LICENSED = "licensed"
    CLEAR = "clear"
    UNMATCHABLE = "unmatchable"
    ERROR = "error"


class Came(StrEnum):
    """How the bytes behind an answer came: from the site, known to it as unchanged (304), or without asking it.

    `fresh`: its site said it need not be asked; `again`: this scan had asked for it already, on another page.
    """

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    FRESH = "fresh"
    AGAIN = "again"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class JudgedMatch:
    """One compared asset, what was measured, what the licences say and what the rules decided."""

    asset: Asset
    comparison: Comparison
    standing: Standing
    decision: Decision

    @property
    def kept(self) -> bool:
        """Whether the rules want this match kept as a finding."""
        return self.decision.action is not Action.IGNORE or self.decision.record


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer for one image. `problem` is set exactly when nothing was compared.

    `own`: the picture lies on one of the owner's own hosts. `elapsed_ms` counts from the start of the
    fetch, waiting for a worker included. `came` is None when no bytes came.
    """

    target: str
    sighting: Sighting
    sha256: str | None
    elapsed_ms: float
    judged: tuple[JudgedMatch, ...] = ()
    report: MatchReport | None = None
    problem: Omission | None = None
    unmatchable: bool = False
    own: bool = False
    also_at: tuple[str, ...] = field(default=())
    came: Came | None = None

    @property
    def outcome(self) -> Outcome:
        """The one word, from the strongest decision down."""
        if self.problem is not None:
            return Outcome.UNMATCHABLE if self.unmatchable else Outcome.ERROR
        actions = {match.decision.action for match in self.judged}
        if Action.ALERT in actions:
            return Outcome.COPY
        if Action.REVIEW in actions:
            return Outcome.REVIEW
        kept = [match for match in self.judged if match.kept]
        if kept and all(match.standing is Standing.LICENSED for match in kept):
            return Outcome.LICENSED
        return Outcome.CLEAR


def as_json(answer: Answer, *, every_match: bool = False) -> dict[str, Any]:
    """The JSON object that `check --json` prints for one image.

    `every_match` also lists compared assets that the rules ignore.
    """
    shown = [match for match in answer.judged if every_match or match.kept]
    return {
        "target": answer.target,
        "image_url": answer.sighting.image_url,
        "page_url": answer.sighting.page_url,
        "also_at": list(answer.also_at),
        "sha256": answer.sha256,
        "outcome": answer.outcome.value,
        "own": answer.own,
        "matches": [_match_json(match) for match in sorted(shown, key=lambda m: -m.comparison.probability)],
        "assets_searched": answer.report.assets_searched if answer.report else None,
        "partial": answer.report.partial if answer.report else False,
        "error": _problem_text(answer.problem),
        "elapsed_ms": round(answer.elapsed_ms, 1),
    }


def _problem_text(problem: Omission | None) -> str | None:
    if problem is None:
        return None
    return f"{problem.reason}: {problem.detail}" if problem.detail else problem.reason


def _match_json(match: JudgedMatch) -> dict[str, Any]:
    asset, decision = match.asset, match.decision
    return {
        "asset": {"id": asset.id, "title": asset.title, "path": asset.path, "collection": asset.collection},
        "probability": match.comparison.probability,
        "licence": match.standing.value,
        "decision": {
            "action": decision.action.value,
            "rule": decision.rule,
            "severity": decision.severity.value if decision.severity else None,
        },
        "comparison": comparison_json(match.comparison),
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """What was measured, without the probability; what was not measured stays null."""
    transform = comparison.transform
    return {
        "hash_distance": comparison.hash_distance,
        "keypoint_inliers": comparison.keypoint_inliers,
        "asset_coverage": comparison.asset_coverage,
        "candidate_coverage": comparison.candidate_coverage,
        "transform": transform
        and {
            "matrix": [list(transform.matrix[:3]), list(transform.matrix[3:])],
            "mirrored": transform.mirrored,
            "angle_degrees": transform.angle_degrees,
            "scale": transform.scale,
            "asset_box": list(transform.asset_box),
            "candidate_box": list(transform.candidate_box),
        },
        "aligned_similarity": comparison.aligned_similarity,
        "embedding_similarity": comparison.embedding_similarity,
        "region_embedding_similarity": comparison.region_embedding_similarity,
        "description": comparison.description,
    }
