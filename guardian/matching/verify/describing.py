"""What was done to the picture, in words that a lawyer can put in a letter."""

import numpy as np

from guardian.matching.verify.measuring import Measurement
from guardian.model import Transform

# A few percent at the rim are lost by rounding and by guided matching; nobody would call that a crop.
_WHOLE = 0.93
_NEARLY = 0.85
_TURN_DEGREES = 2.0
_STRETCH = 1.15
_PERSPECTIVE = 1.08
_HOLE = 0.04


def transform_of(measurement: Measurement) -> Transform:
    """Return how the asset lies in the candidate, as reports say it."""
    a, b, _, c, d, _ = (float(value) for value in measurement.matrix)
    if measurement.mirrored:
        a, b = -a, -b
    # Image rows grow downwards, so a positive turn in pixel coordinates is clockwise as seen.
    angle = -float(np.degrees(np.arctan2(c - b, a + d)))

    return Transform(
        matrix=tuple(float(value) for value in measurement.matrix),  # type: ignore[arg-type]
        mirrored=measurement.mirrored,
        angle_degrees=angle,
        scale=measurement.scale,
        asset_box=measurement.shown.asset_box,
        candidate_box=measurement.shown.candidate_box,
        inverted=measurement.inverted,
    )


def describe(measurement: Measurement, transform: Transform) -> str:
    """Return for example "mirrored crop of 41 % of the image, turned 12°, on 9 % of the picture found"."""
    overlap = measurement.shown
    parts = [_extent(measurement, transform.mirrored)]

    if measurement.inverted:
        parts.append("light and dark inverted")
    if measurement.stretch > _STRETCH:
        parts.append(f"stretched {measurement.stretch:.1f} to 1")
    if abs(transform.angle_degrees) >= _TURN_DEGREES:
        parts.append(f"turned {abs(transform.angle_degrees):.0f}°{'' if transform.angle_degrees > 0 else ' clockwise'}")
    if _depth_ratio(measurement) > _PERSPECTIVE:
        parts.append("seen from the side")

    # A size that hardly differs is what saving for the web does to nearly every picture.
    if not 0.67 < transform.scale < 1.5:
        parts.append(f"{'enlarged' if transform.scale > 1 else 'reduced'} to {_percent(transform.scale)}")
    if overlap.candidate_coverage < _WHOLE:
        parts.append(f"filling {_percent(overlap.candidate_coverage)} of the picture found")
    if measurement.hole > _HOLE:
        parts.append("partly covered or changed")
    return ", ".join(parts)


def _extent(measurement: Measurement, mirrored: bool) -> str:
    """Return how much of the image is there, and whether it was cut by the frame of the picture found.

    What lies within the frame and does not agree may be covered, by a caption say, or be another picture's: a crop
    in a collage. Nobody could tell the two apart, so neither is claimed.
    """
    shown, within_frame = measurement.shown.asset_coverage, measurement.overlap.asset_coverage
    if shown >= _WHOLE:
        return "mirrored whole image" if mirrored else "the whole image"

    share = _percent(shown)
    if within_frame < _WHOLE and shown >= _NEARLY * within_frame:
        return f"mirrored crop of {share} of the image" if mirrored else f"crop of {share} of the image"
    return f"{share} of the {'mirrored ' if mirrored else ''}image, the rest cut off or covered"


def _depth_ratio(measurement: Measurement) -> float:
    """Return how much farther one corner of what is shown lies than another; 1 for a picture seen from the front."""
    left, top, right, bottom = measurement.shown.pixels
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]])
    depths = corners @ measurement.projection[2]
    return float(depths.max() / depths.min())


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.095 else f"{share * 100:.1f} %"
