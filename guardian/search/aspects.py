"""The aspects by which pictures are compared: an appearance becomes one short unit vector for each.

Each is a linear projection of parts of the appearance, fitted by fitting.py on pictures that no judged set holds; in
the look, local shapes are projected by themselves, and joined with a weight. Parts that an earlier version lacks count
as those of an average picture. Vectors are kept as int8: 127 times a number between -1 and 1.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.appearance import (
    APPEARANCE_VERSION,
    SINCE_VERSION_2,
    SINCE_VERSION_3,
    SLICES,
    versions_of,
    widened,
)
from guardian.matching.features.local_shapes import local_shape_values

FITTED = Path(__file__).parent / "aspects.npz"

ASPECTS_VERSION = 4
"""Raise when the fitted file or this module changes: vectors that were kept are then made anew."""

VECTORS = f"a{APPEARANCE_VERSION}-p{ASPECTS_VERSION}"
"""Name of how vectors are made; unlike ones are never compared."""

Floats = NDArray[np.float32]

LOCAL_SHAPES_WEIGHT = 0.5
"""Of the cosine of local shapes in the look, beside 1 for all other parts together."""

_SCALE = 127.0
_BLOCK = 4096


class Aspect(StrEnum):
    """What two pictures may have in common."""

    LOOK = "look"
    COLOUR = "colour"
    SHAPE = "shape"
    TEXTURE = "texture"


PARTS: dict[Aspect, tuple[str, ...]] = {
    Aspect.LOOK: tuple(name for name in SLICES if name not in SINCE_VERSION_3),
    Aspect.COLOUR: ("flat_colours", "edge_colours", "figure_colours", "colour_pairs"),
    Aspect.SHAPE: ("edges", "energies", "gradients", "silhouette"),
    Aspect.TEXTURE: ("spectrum", "patterns", "contrasts"),
}
"""Of which parts of an appearance an aspect is made; of the look, what local shapes are joined to."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A fitted projection: `matrix` float32 [p, d] of the values of its parts, less `mean` float32 [p].

    Of random pairs of pictures, one in twenty has a cosine of `alike` or more, one in two hundred of `much_alike`.
    """

    matrix: Floats
    mean: Floats
    alike: float
    much_alike: float


def decoded(appearances: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the values of an aspect's parts, float32 [n, p], of appearances uint8 [n, APPEARANCE_BYTES]."""
    columns = [_values(name)[appearances[:, SLICES[name]]] for name in PARTS[aspect]]
    return np.concatenate(columns, axis=1)


@cache
def _values(name: str) -> Floats:
    """Return what the 256 bytes of a part stand for. The layout keeps signed roots, the other parts plain shares."""
    steps = np.arange(256, dtype=np.float32)
    if name != "layout":
        return np.asarray(steps / 255, dtype=np.float32)
    roots = (steps - 128) / 45
    return np.asarray(np.sign(roots) * roots**2, dtype=np.float32)


@lru_cache(maxsize=1)
def _of_local_shapes() -> Floats:
    """Return the fitted projection of local shapes, float32 [LOCAL_SHAPES, d]."""
    with np.load(FITTED, allow_pickle=False) as fitted:
        return np.asarray(fitted["local_shapes_matrix"], dtype=np.float32)


@lru_cache(maxsize=1)
def projections() -> dict[Aspect, Projection]:
    """Return the fitted projections that come with guardian."""
    with np.load(FITTED, allow_pickle=False) as fitted:
        found = {}
        for aspect in Aspect:
            matrix, mean = (fitted[f"{aspect.value}_{name}"].astype(np.float32) for name in ("matrix", "mean"))
            alike, much_alike = fitted[f"{aspect.value}_levels"].tolist()
            found[aspect] = Projection(matrix, mean, alike, much_alike)
        return found


def vectors_of(appearances: NDArray[np.uint8], aspect: Aspect) -> NDArray[np.int8]:
    """Return the vectors of an aspect, int8 [n, d], of appearances uint8 [n, bytes] of any version."""
    vectors = np.empty((len(appearances), _dimensions(aspect)), dtype=np.int8)
    # In blocks, since the values take four times the memory of the bytes.
    for start in range(0, len(appearances), _BLOCK):
        block = exact_vectors_of(widened(appearances[start : start + _BLOCK]), aspect)
        vectors[start : start + _BLOCK] = np.round(block * _SCALE)
    return vectors


def _dimensions(aspect: Aspect) -> int:
    matrices = [projections()[aspect].matrix, *([_of_local_shapes()] if aspect is Aspect.LOOK else [])]
    return sum(int(matrix.shape[1]) for matrix in matrices)


def exact_vectors_of(appearances: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the vectors of an aspect before they are rounded, float32 [n, d], each of length 1."""
    fitted = projections()[aspect]
    centred = decoded(appearances, aspect) - fitted.mean
    unknown = versions_of(appearances) == 1
    if unknown.any():
        centred[np.ix_(unknown, _since_version_2(aspect))] = 0
    vectors = unit(np.asarray(centred @ fitted.matrix, dtype=np.float32))
    if aspect is not Aspect.LOOK:
        return vectors
    return joined(vectors, local_shape_values(appearances[:, SLICES["local_shapes"]]), _of_local_shapes())


def joined(looks: Floats, local_shapes: Floats, matrix: Floats) -> Floats:
    """Return unit vectors, float32 [n, d + e], of those of all other parts, [n, d], and of local shapes, [n, p].

    Local shapes are projected by `matrix` float32 [p, e]. Vectors of them that are shorter than 1 count for less.
    """
    lengths = np.linalg.norm(local_shapes, axis=1, keepdims=True)
    weighed = unit(local_shapes @ matrix) * (np.minimum(lengths, 1) * np.sqrt(LOCAL_SHAPES_WEIGHT))
    return unit(np.concatenate([looks, weighed], axis=1))


@cache
def _since_version_2(aspect: Aspect) -> NDArray[np.bool_]:
    """Return which of an aspect's values, bool [p], appearances of version 1 lack."""
    lacking = [np.full(SLICES[name].stop - SLICES[name].start, name in SINCE_VERSION_2) for name in PARTS[aspect]]
    return np.concatenate(lacking)


def unit(vectors: NDArray[np.floating]) -> Floats:
    """Return vectors float32 [n, d] with length 1; those of length 0 stay so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
