"""The aspects by which pictures are compared: an appearance becomes one short unit vector for each.

Each is a linear projection of parts of the appearance, fitted by fitting.py. In the look, local shapes are projected by
themselves and joined with a weight, and so are the classes that a picture is near to. Parts that an earlier version
lacks count as those of an average picture. Each number is kept as 127 times itself, rounded, in an int8.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.appearance_bytes import (
    APPEARANCE_VERSION,
    SINCE_VERSION_2,
    SINCE_VERSION_3,
    SIZES,
    SLICES,
    versions_of,
    widened,
)
from guardian.matching.features.local_shapes import local_shape_values

FITTED = Path(__file__).parent / "aspects.npz"

ASPECTS_VERSION = 5
"""Raise when the fitted file or this module changes: vectors that were kept are then made anew."""

VECTORS = f"a{APPEARANCE_VERSION}-p{ASPECTS_VERSION}"
"""Name of how vectors are made; unlike ones are never compared."""

Floats = NDArray[np.float32]

LOCAL_SHAPES_WEIGHT = 0.5
"""Of the cosine of local shapes in the look, beside 1 for all other parts together."""

CLASSES_WEIGHT = 0.2
"""Of the cosine of what is near to classes, beside 1 for everything else in the look."""

_SHARPNESS = 15.0
"""How much more the nearest classes count: they are weighed by the exponential of so many times their cosine."""

SCALE = 127.0
"""By which the numbers of unit vectors are multiplied before they are rounded."""

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


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of pictures, by which others are described (classemes: Torresani, Szummer and Fitzgibbon, 2010).

    `centres` float32 [c, d] are the mean directions of their pictures. Square roots of a picture's shares in them, less
    `mean` float32 [c], are reduced by `axes` float32 [c, e].
    """

    centres: Floats
    mean: Floats
    axes: Floats


def decoded(appearances: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the values of an aspect's parts, float32 [n, p], of appearances uint8 [n, APPEARANCE_BYTES].

    Of the layout signed roots are kept, of the other parts plain shares.
    """
    values = np.empty((len(appearances), sum(SIZES[name] for name in PARTS[aspect])), dtype=np.float32)
    start = 0
    for name in PARTS[aspect]:
        kept = appearances[:, SLICES[name]]
        part = values[:, start : start + kept.shape[1]]
        if name == "layout":
            roots = (kept - np.float32(128)) / 45
            np.multiply(np.sign(roots), roots**2, out=part)
        else:
            np.divide(kept, np.float32(255), out=part)
        start += kept.shape[1]
    return values


@lru_cache(maxsize=1)
def _of_local_shapes() -> Floats:
    """Return the fitted projection of local shapes, float32 [LOCAL_SHAPES, d]."""
    with np.load(FITTED, allow_pickle=False) as fitted:
        return np.asarray(fitted["local_shapes_matrix"], dtype=np.float32)


@lru_cache(maxsize=1)
def _classes() -> Classes:
    """Return the fitted classes that come with guardian."""
    with np.load(FITTED, allow_pickle=False) as fitted:
        centres, mean, axes = (fitted[f"classes_{name}"].astype(np.float32) for name in ("centres", "mean", "axes"))
    return Classes(unit(centres), mean, axes)


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
        some = widened(appearances[start : start + _BLOCK])
        vectors[start : start + _BLOCK] = rounded(exact_vectors_of(some, aspect))
    return vectors


def rounded(vectors: Floats) -> NDArray[np.int8]:
    """Return unit vectors, float32 [n, d], as they are kept: int8 [n, d], SCALE times each number."""
    return np.round(vectors * SCALE).astype(np.int8)


def _dimensions(aspect: Aspect) -> int:
    of_look = [_of_local_shapes(), _classes().axes] if aspect is Aspect.LOOK else []
    return sum(int(matrix.shape[1]) for matrix in (projections()[aspect].matrix, *of_look))


def exact_vectors_of(appearances: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the vectors of an aspect before they are rounded, float32 [n, d], each of length 1."""
    fitted = projections()[aspect]
    centred = decoded(appearances, aspect)
    centred -= fitted.mean
    unknown = versions_of(appearances) == 1
    if unknown.any():
        centred[np.ix_(unknown, _since_version_2(aspect))] = 0
    vectors = unit(np.asarray(centred @ fitted.matrix, dtype=np.float32))
    if aspect is not Aspect.LOOK:
        return vectors
    local_shapes = local_shape_values(appearances[:, SLICES["local_shapes"]])
    return with_classes(joined(vectors, local_shapes, _of_local_shapes()), _classes())


def joined(looks: Floats, local_shapes: Floats, matrix: Floats) -> Floats:
    """Return unit vectors, float32 [n, d + e], of those of all other parts, [n, d], and of local shapes, [n, p].

    Local shapes are projected by `matrix` float32 [p, e]. Vectors of them that are shorter than 1 count for less.
    """
    lengths = np.linalg.norm(local_shapes, axis=1, keepdims=True)
    weighed = unit(local_shapes @ matrix) * (np.minimum(lengths, 1) * np.sqrt(LOCAL_SHAPES_WEIGHT))
    return unit(np.concatenate([looks, weighed], axis=1))


def with_classes(looks: Floats, classes: Classes) -> Floats:
    """Return unit vectors, float32 [n, d + e], of looks, [n, d], and of the classes that these are near to."""
    roots = roots_of_shares(looks, classes.centres)
    roots -= classes.mean
    described = unit(roots @ classes.axes)
    return unit(np.concatenate([looks, described * np.float32(np.sqrt(CLASSES_WEIGHT))], axis=1))


def roots_of_shares(looks: Floats, centres: Floats) -> Floats:
    """Return the square roots of how much unit vectors, [n, d], belong to classes about centres, [c, d]: [n, c]."""
    strengths = looks @ centres.T
    strengths *= _SHARPNESS
    # In place: new memory for each step takes longer than the step.
    strengths -= strengths.max(axis=1, keepdims=True)
    shares = np.exp(strengths, out=strengths)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(np.sqrt(shares, out=shares), dtype=np.float32)


@cache
def _since_version_2(aspect: Aspect) -> NDArray[np.bool_]:
    """Return which of an aspect's values, bool [p], appearances of version 1 lack."""
    lacking = [np.full(SLICES[name].stop - SLICES[name].start, name in SINCE_VERSION_2) for name in PARTS[aspect]]
    return np.concatenate(lacking)


def unit(vectors: NDArray[np.floating]) -> Floats:
    """Return vectors float32 [n, d] with length 1; those of length 0 stay so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
