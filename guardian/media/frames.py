"""Chooses the frames of an animation, or the pages of a document, that show something different."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guardian.media.colour import DARK, WHITE, is_transparent, srgb_of

SIDE = 32
"""Pixels of the side of a frame's thumbnail."""

DIFFERENT_FRAMES, DIFFERENT_PAGES = 0.15, 0.03
"""How unlike each other (1 minus the correlation of their thumbnails) frames of an animation are that show different
things, and pages of a document: text looks much the same on each, and a page comes again only in other sizes."""

_LEAST_DEVIATION = 8.0
_MORE_CONTRAST = 1.1


def thumbnail_of(frame: Image.Image) -> NDArray[np.float32]:
    """Return a frame in little: grey levels, float32 [SIDE, SIDE].

    What is transparent lies on white, or on a dark ground if that shows more.
    """
    small = frame.convert("RGBA") if frame.mode in ("P", "PA", "1") else frame
    small = small.resize((SIDE, SIDE), Image.Resampling.BOX)
    small.info = {}
    shown = [np.asarray(srgb_of(small, ground).convert("L"), dtype=np.float32) for ground in _grounds(small)]
    return max(shown, key=lambda thumbnail: float(thumbnail.std()))


def different(
    thumbnails: Sequence[NDArray[np.float32]], areas: Sequence[int], most: int, unlike: float = DIFFERENT_FRAMES
) -> tuple[list[int], int]:
    """Return the numbers (from 0) of at most `most` frames that differ, in their order, and how many more there are.

    Frames differ that are `unlike` each other from this on. The first is chosen, then each time the one that is least
    like all that were chosen (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985): the pictures
    of a slide show come before the blends between them, and of a scene that hardly moves only the first frame counts.

    Of frames that are alike the one with the largest area stands for them, since many a page comes with reduced
    versions of itself; then one with clearly more contrast, since blends have less than the pictures that they are of.
    """
    if not thumbnails:
        return [], 0
    flat = np.stack(thumbnails).reshape(len(thumbnails), -1)
    deviations = flat.std(axis=1)
    # Where nearly nothing shows, noise must not count as a difference.
    scaled = (flat - flat.mean(axis=1, keepdims=True)) / np.maximum(deviations, _LEAST_DEVIATION)[:, None]

    chosen: list[int] = []
    nearest = np.full(len(flat), np.inf, np.float32)
    pick = 0
    while True:
        apart = _apart(scaled, pick)
        nearest = np.minimum(nearest, apart)
        alike = [pick, *np.flatnonzero(apart < unlike).tolist()]
        best = max(alike, key=lambda number: (areas[number], deviations[number]))
        if areas[best] > areas[pick] or deviations[best] > deviations[pick] * _MORE_CONTRAST:
            nearest = np.minimum(nearest, _apart(scaled, best))
            pick = best
        chosen.append(pick)

        pick = int(nearest.argmax())
        if nearest[pick] < unlike:
            return sorted(chosen), 0
        if len(chosen) == most:
            return sorted(chosen), int((nearest >= unlike).sum())


def _grounds(frame: Image.Image) -> tuple[tuple[int, int, int], ...]:
    return (WHITE, DARK) if is_transparent(frame) else (WHITE,)


def _apart(scaled: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """Return how unlike one of them each frame is: float32 [frames]. 0: the same; 1: uncorrelated; 2: inverted."""
    return np.asarray(((scaled - scaled[number]) ** 2).mean(axis=1) / 2, dtype=np.float32)
