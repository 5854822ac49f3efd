"""Colours of a picture in soft bins of CIE Lab: which cells a colour is nearest to, and which share each cell has."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

Floats = NDArray[np.float32]

_HUES, _CHROMAS, _LIGHTNESSES = 12, 4, 4
COLOUR_CELLS = _LIGHTNESSES + (_CHROMAS - 1) * _LIGHTNESSES * _HUES
"""Greys by lightness first, then colours by chroma, lightness and hue."""

_RGB_LEVELS = 32
"""Levels of red, green and blue that are told apart: the cells of all their colours are looked up."""


def colour_cells(lab: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the eight nearest colour cells of each colour in CIE Lab, int64 [n, 8], with weights that add up to 1."""
    light, a, b = lab.T
    hue = (np.arctan2(b, a) / (2 * np.pi)) % 1 * _HUES
    chroma = np.interp(np.hypot(a, b), [4, 20, 45, 75], [0, 1, 2, 3])
    lightness = np.clip(light / 100 * _LIGHTNESSES - 0.5, 0, _LIGHTNESSES - 1)

    cells, weights = [], []
    for next_chroma in (0, 1):
        for next_lightness in (0, 1):
            for next_hue in (0, 1):
                c = np.minimum(np.floor(chroma) + next_chroma, _CHROMAS - 1).astype(np.int64)
                y = np.minimum(np.floor(lightness) + next_lightness, _LIGHTNESSES - 1).astype(np.int64)
                h = (np.floor(hue).astype(np.int64) + next_hue) % _HUES
                # Greys have no hue.
                cells.append(np.where(c == 0, y, _LIGHTNESSES + ((c - 1) * _LIGHTNESSES + y) * _HUES + h))
                weights.append(_share(chroma, next_chroma) * _share(lightness, next_lightness) * _share(hue, next_hue))
    return np.stack(cells, axis=1), np.stack(weights, axis=1).astype(np.float32)


def _share(value: NDArray[np.floating], is_next: int) -> NDArray[np.floating]:
    """Return how much of a value belongs to the bin below it, or to the next one."""
    above = value - np.floor(value)
    return np.asarray(above if is_next else 1 - above)


def colour_shares(
    rgb: NDArray[np.uint8], on_edge: NDArray[np.bool_], figure: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return which share of the picture has which colour, on even surfaces and along edges, and which of the figure.

    All are float32 [COLOUR_CELLS]; the first two together add up to 1, and so does the third.
    """
    # A new array, since kernels are compiled for each layout, and for pixels that may not be written to.
    counts = _count_colours(np.right_shift(rgb, 3, order="C"), on_edge, figure)
    flat, edge = _binned(counts[0], on_edge.size), _binned(counts[1], on_edge.size)
    return flat, edge, _binned(counts[2], int(counts[2].sum()))


@kernel
def _count_colours(levels, on_edge, figure):  # type: ignore[no-untyped-def]
    """Return how many pixels of each of 32^3 colours lie off edges, on them, and in the figure: int64 [3, n].

    `levels` of red, green and blue are uint8 [h, w, 3], 0-31.
    """
    counts = np.zeros((3, _RGB_LEVELS**3), np.int64)
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            colour = (levels[y, x, 0] * _RGB_LEVELS + levels[y, x, 1]) * _RGB_LEVELS + levels[y, x, 2]
            counts[int(on_edge[y, x]), colour] += 1
            counts[2, colour] += figure[y, x]
    return counts


def _binned(counts: NDArray[np.int64], pixels: int) -> Floats:
    return np.asarray(_add_up_cells(counts, pixels, *_cells_of_rgb()), dtype=np.float32)


@kernel
def _add_up_cells(counts, pixels, cells, weights):  # type: ignore[no-untyped-def]
    """Return which share of so many pixels each cell has, float64 [COLOUR_CELLS], of how many have each colour."""
    shares = np.zeros(COLOUR_CELLS)
    for colour in range(counts.shape[0]):
        if counts[colour]:
            share = counts[colour] / pixels
            for near in range(cells.shape[1]):
                shares[cells[colour, near]] += weights[colour, near] * share
    return shares


@lru_cache(maxsize=1)
def _cells_of_rgb() -> tuple[NDArray[np.uint8], Floats]:
    """Return for each of 32^3 colours the eight nearest cells, uint8 [n, 8], and their weights, float32 [n, 8]."""
    levels = ((np.arange(_RGB_LEVELS) + 0.5) / _RGB_LEVELS).astype(np.float32)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    cells, weights = colour_cells(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), dtype=np.float32).reshape(-1, 3))
    return cells.astype(np.uint8), weights
