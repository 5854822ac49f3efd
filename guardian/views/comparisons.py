"""Comparisons of a picture with an asset, as JSON and in words. What was not measured is null, never 0.

The fields are those of model.Comparison, so a new measured fact appears here by itself.
"""

from dataclasses import fields
from typing import Any

from guardian.model import Comparison, Transform


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return the object inside `check --json`: all fields but the probability, which stands beside this object."""
    shown = _fields_json(comparison)
    del shown["probability"]

    # Here a matrix is two rows; in findings it is one row of six. Users know both forms, so both stay.
    if comparison.transform is not None:
        matrix = comparison.transform.matrix
        shown["transform"]["matrix"] = [list(matrix[:3]), list(matrix[3:])]

    return shown


def recorded_comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return the object inside `case show --json`: all fields, the transform's matrix as one row of six numbers."""
    return _fields_json(comparison)


def _fields_json(comparison: Comparison) -> dict[str, Any]:
    """Return all fields, in their order in the model."""
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
        "polarity": "negative" if transform.inverted else "positive",
    }


def percent_text(probability: float) -> str:
    """Return a probability (0-1) for people, never rounded to certainty: "98.8 %", ">99.9 %", "<0.1 %"."""
    if 0 < probability < 0.001:
        return "<0.1 %"
    return ">99.9 %" if probability > 0.999 else f"{probability * 100:.1f} %"


def share_text(share: float) -> str:
    """Return a share (0-1) of something measured for people, in whole percent: "64 %", "<1 %", "100 %"."""
    return "<1 %" if 0 < share < 0.005 else f"{share * 100:.0f} %"


def description_text(comparison: Comparison) -> str:
    """Return what was done to the picture, in words."""
    return comparison.description or "not described"
