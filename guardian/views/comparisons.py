"""What was measured between a picture and an asset. What was not measured is null, never 0.

All of them follow model.Comparison and its table of measured facts, so a new fact appears without a line here.
"""

from dataclasses import fields
from typing import Any

from guardian.model import Comparison, Transform


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return everything but the probability, which stands beside it in an answer: `check --json`."""
    shown = _fields_json(comparison)
    del shown["probability"]
    if comparison.transform is not None:
        matrix = comparison.transform.matrix
        shown["transform"]["matrix"] = [list(matrix[:3]), list(matrix[3:])]
    return shown


def recorded_comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return everything, the transform's matrix as one row of six numbers: findings of `case show --json`."""
    return _fields_json(comparison)


def _fields_json(comparison: Comparison) -> dict[str, Any]:
    """Return the fields in their order in the model."""
    shown: dict[str, Any] = {}
    for field in fields(comparison):
        value = getattr(comparison, field.name)
        shown[field.name] = _transform_json(value) if isinstance(value, Transform) else value
    return shown


def _transform_json(transform: Transform) -> dict[str, Any]:
    return {
        "matrix": list(transform.matrix),
        "mirrored": transform.mirrored,
        "angle_degrees": transform.angle_degrees,
        "scale": transform.scale,
        "asset_box": list(transform.asset_box),
        "candidate_box": list(transform.candidate_box),
    }


def percent_text(probability: float) -> str:
    """Return a probability (0-1) for people, never rounded to certainty: "98.8 %", ">99.9 %", "<0.1 %"."""
    if 0 < probability < 0.001:
        return "<0.1 %"
    return ">99.9 %" if probability > 0.999 else f"{probability * 100:.1f} %"


def description_text(comparison: Comparison) -> str:
    """Return what was done to the picture, in words."""
    return comparison.description or "not described"
