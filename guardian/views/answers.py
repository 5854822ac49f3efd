"""The JSON object of one answer. Shared by `check`, the scans and the API, so that they cannot say different things."""

from typing import Any

from guardian.model import Answer, Comparison, JudgedMatch, Skipped


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
