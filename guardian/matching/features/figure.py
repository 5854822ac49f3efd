"""What the figure of a picture is made of, without the ground it stands on: patterns, contrasts, colour beside colour.

Clip art, icons and pictures of products stand on plain ground, which is most of their area and says nothing of them.
Where the ground is not plain, the figure is the whole picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.patterns import PATTERNS, pattern_shares

Floats = NDArray[np.float32]

FIGURE_PATTERNS, COLOUR_PATTERNS, COLOUR_PAIRS, FIGURE_CONTRASTS = 3 * PATTERNS, 4 * PATTERNS, 120, 24

_LIGHTER, _MORE_COLOURED = 2.0, 1.5
"""By how much a neighbour differs clearly: grey levels; units of a and b in CIE Lab."""

_GREY_BELOW = 12.0
"""Chroma below which a colour is a grey."""

_PAIRS_SIDE, _PAIR_DISTANCES = 64, (1, 3)

_UNLIKE = np.triu_indices(16, 1)
"""Which two of 16 colours each pair is."""


def figure_patterns(lab: Floats, figure: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return how often patterns occur on the figure (bool [h, w]) of a picture in CIE Lab, float32 [h, w, 3].

    Those of lightness at three scales, float32 [FIGURE_PATTERNS]; those of a and of b at two, [COLOUR_PATTERNS].
    """
    grey, red, yellow = lab[:, :, 0] * 2.55, lab[:, :, 1].copy(), lab[:, :, 2].copy()
    # Its outline is part of the figure.
    where = cv2.dilate(figure.astype(np.uint8), np.ones((3, 3), np.uint8))

    of_lightness, of_colour = [], []
    for scale in range(3):
        if scale:
            grey, red, yellow = (np.asarray(cv2.pyrDown(one), dtype=np.float32) for one in (grey, red, yellow))
            where = cv2.resize(where, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_NEAREST)
        counted = where > 0
        of_lightness.append(pattern_shares(grey, _LIGHTER, counted))
        if scale < 2:
            of_colour += [pattern_shares(one, _MORE_COLOURED, counted) for one in (red, yellow)]
    return np.concatenate(of_lightness), np.concatenate(of_colour)


def figure_contrasts(contrast: Floats, figure: NDArray[np.bool_]) -> Floats:
    """Return the shares of the figure's pixels by their contrast, in thirds of octaves: float32 [FIGURE_CONTRASTS]."""
    places = np.minimum(np.log2(contrast[figure] + 1) * 3, FIGURE_CONTRASTS - 1).astype(np.int64)
    counts = np.bincount(places, minlength=FIGURE_CONTRASTS)
    return np.asarray(counts / max(1, places.size), dtype=np.float32)


def colour_pairs(square: Floats) -> Floats:
    """Return which two of 16 coarse colours lie beside each other, as shares of all that differ: float32 [120].

    `square` is float32 [s, s, 3] in CIE Lab. After the correlogram of Huang and others (1997), whose diagonal, the
    colours beside their own kind, the histograms of colour hold already.
    """
    small = cv2.resize(square, (_PAIRS_SIDE, _PAIRS_SIDE), interpolation=cv2.INTER_AREA)
    colours = _coarse_colours(np.asarray(small, dtype=np.float32))

    counts = np.zeros(256, dtype=np.int64)
    for distance in _PAIR_DISTANCES:
        counts += np.bincount((colours[:, :-distance] * 16 + colours[:, distance:]).ravel(), minlength=256)
        counts += np.bincount((colours[:-distance] * 16 + colours[distance:]).ravel(), minlength=256)
    table = counts.reshape(16, 16)
    pairs = (table + table.T)[_UNLIKE]
    return np.asarray(pairs / max(1, pairs.sum()), dtype=np.float32)


def _coarse_colours(lab: Floats) -> NDArray[np.int32]:
    """Return the coarse colour of each pixel, 0-15: four greys, then six hues, each dark and light."""
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    turn = np.arctan2(b, a) / (2 * np.pi)
    turn += turn < 0
    hue = (turn * 6).astype(np.int32) % 6
    grey = np.clip((light / 25).astype(np.int32), 0, 3)
    return np.where(np.hypot(a, b) < _GREY_BELOW, grey, 4 + hue * 2 + (light > 55)).astype(np.int32)
