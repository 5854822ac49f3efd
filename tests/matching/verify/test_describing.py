"""What was done to the picture, in words."""

from dataclasses import replace

import numpy as np
import pytest

from guardian.matching.verify.alignment import Alignment, Overlap
from guardian.matching.verify.cells import CellMap
from guardian.matching.verify.describing import describe
from guardian.matching.verify.measuring import Measurement
from guardian.model import Transform

WHOLE = (0.0, 0.0, 1.0, 1.0)
FULL = np.ones((8, 10), np.float32)
CELLS = CellMap(FULL, FULL > 0, FULL > 0, FULL, FULL < 0, FULL, np.stack([FULL, FULL]), whole=0.97, contrast=1.0)
PIXELS = Alignment(CELLS, None, 80, 70, 1.0, 1.0, 0.98, 0.97, 0.97, 0.99, 0.8, 1.0, 0.0)
FRAME = Overlap((0, 0, 300, 200), WHOLE, WHOLE, 1.0, 1.0)
PLAIN = Measurement(
    matrix=np.array([1.0, 0, 0, 0, 1, 0]),
    mirrored=False,
    inverted=False,
    projection=np.eye(3),
    overlap=FRAME,
    shown=FRAME,
    alignment=PIXELS,
    inlier_points=np.arange(200, dtype=np.int32),
    close_inliers=150,
    mean_bits=30.0,
    spread=16,
    visible=600,
    scale=1.0,
    stretch=1.0,
    agreeing=50,
    votes=90,
    particular=120,
    detail=None,
    whole_detail=None,
)


def said(
    *,
    asset: float = 1.0,
    framed: float | None = None,
    candidate: float = 1.0,
    mirrored: bool = False,
    angle: float = 0.0,
    scale: float = 1.0,
    stretch: float = 1.0,
    hole: float = 0.0,
    tilt: float = 0.0,
) -> str:
    shown = replace(FRAME, asset_coverage=asset, candidate_coverage=candidate)
    measurement = replace(
        PLAIN,
        overlap=shown if framed is None else replace(shown, asset_coverage=framed),
        shown=shown,
        projection=np.array([[1.0, 0, 0], [0, 1, 0], [tilt, 0, 1]]),
        alignment=replace(PIXELS, hole=hole),
        stretch=stretch,
    )
    return describe(measurement, Transform((1, 0, 0, 0, 1, 0), mirrored, angle, scale, WHOLE, WHOLE))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "the whole image"),
        ({"mirrored": True}, "mirrored whole image"),
        ({"tilt": 0.001}, "the whole image, seen from the side"),
        ({"tilt": 0.0001}, "the whole image"),
        ({"asset": 0.412}, "crop of 41 % of the image"),
        ({"asset": 0.412, "mirrored": True}, "mirrored crop of 41 % of the image"),
        ({"asset": 0.66, "framed": 1.0}, "66 % of the image, the rest cut off or covered"),
        ({"asset": 0.3, "framed": 0.6, "mirrored": True}, "30 % of the mirrored image, the rest cut off or covered"),
        ({"asset": 0.58, "framed": 0.6}, "crop of 58 % of the image"),
        ({"angle": 12.3}, "the whole image, turned 12°"),
        ({"angle": -12.3}, "the whole image, turned 12° clockwise"),
        ({"angle": 180.0}, "the whole image, turned 180°"),
        ({"angle": 1.5}, "the whole image"),
        ({"scale": 0.25}, "the whole image, reduced to 25 %"),
        ({"scale": 0.031}, "the whole image, reduced to 3.1 %"),
        ({"scale": 3.0}, "the whole image, enlarged to 300 %"),
        ({"scale": 0.8}, "the whole image"),
        ({"stretch": 1.6}, "the whole image, stretched 1.6 to 1"),
        ({"candidate": 0.09}, "the whole image, filling 9.0 % of the picture found"),
        ({"hole": 0.2}, "the whole image, partly covered or changed"),
        (
            {"asset": 0.41, "mirrored": True, "angle": 12, "candidate": 0.5, "scale": 0.4, "hole": 0.1},
            "mirrored crop of 41 % of the image, turned 12°, reduced to 40 %, filling 50 % of the picture found, "
            "partly covered or changed",
        ),
    ],
)
def test_what_was_done_is_said_in_words(changes: dict[str, float], words: str) -> None:
    assert said(**changes) == words  # type: ignore[arg-type]
