"""Chooses the frames of an animation, or the pages of a document, that show something different."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guardian.media.colour import DARK, WHITE, is_transparent, srgb_of

SIDE = 32
"""Pixels of the side of a frame's thumbnail."""

DIFFERENT_FROM = 0.2
"""Frames are different whose thumbnails' mean difference is this share of the larger of their deviations."""

_LEAST_DEVIATION = 8.0


def thumbnail_of(frame: Image.Image) -> NDArray[np.float32]:
    """Return a frame in little: grey levels, float32 [SIDE, SIDE].

    What is transparent lies on white, or on a dark ground if that shows more.
    """
    small = frame.convert("RGBA") if frame.mode in ("P", "PA", "1") else frame
    small = small.resize((SIDE, SIDE), Image.Resampling.BOX)
    small.info = {}
    shown = [np.asarray(srgb_of(small, ground).convert("L"), dtype=np.float32) for ground in _grounds(small)]
    return max(shown, key=lambda thumbnail: float(thumbnail.std()))


def different(thumbnails: Sequence[NDArray[np.float32]], areas: Sequence[int], most: int) -> tuple[list[int], int]:
    """Return the numbers (from 0) of at most `most` frames that differ, in their order, and how many more there are.

    The first is chosen, then each time the one that is least like all that were chosen (Gonzalez, "Clustering to
    minimize the maximum intercluster distance", 1985): the pictures of a slide show come before the blends between
    them, and of a run of frames as in a video only the first counts while the scene stays. Of frames that are alike the
    one with the larger area stands for them: many a page comes with reduced versions of itself.
    """
    if not thumbnails:
        return [], 0
    stacked = np.stack(thumbnails)
    deviations = np.maximum(stacked.std(axis=(1, 2)), _LEAST_DEVIATION)

    chosen: list[int] = []
    nearest = np.full(len(stacked), np.inf)
    pick = 0
    while True:
        apart = _apart(stacked, deviations, pick)
        nearest = np.minimum(nearest, apart)
        alike = [pick, *np.flatnonzero(apart < DIFFERENT_FROM).tolist()]
        largest = max(alike, key=lambda number: areas[number])
        if largest != pick:
            nearest = np.minimum(nearest, _apart(stacked, deviations, largest))
        chosen.append(largest)

        pick = int(nearest.argmax())
        if nearest[pick] < DIFFERENT_FROM:
            return sorted(chosen), 0
        if len(chosen) == most:
            return sorted(chosen), int((nearest >= DIFFERENT_FROM).sum())


def _grounds(frame: Image.Image) -> tuple[tuple[int, int, int], ...]:
    return (WHITE, DARK) if is_transparent(frame) else (WHITE,)


def _apart(
    stacked: NDArray[np.float32], deviations: NDArray[np.float32], number: int
) -> NDArray[np.float32]:
    """Return how different each frame is from one of them: float32 [frames]."""
    difference = np.abs(stacked - stacked[number]).mean(axis=(1, 2))
    return np.asarray(difference / np.maximum(deviations, deviations[number]), dtype=np.float32)
