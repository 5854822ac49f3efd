"""Loads the compiled kernels, or compiles them where this machine never has: many seconds that belong to no image."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from guardian.matching import consensus, geometry
from guardian.matching.features import hashing, keypoints, resizing
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.guided_matching import CandidateGrid
from guardian.matching.index import layout, votes
from guardian.matching.profiles import Scale
from guardian.matching.verify.alignment import align, overlap_of
from guardian.matching.verify.cells import compare_cells
from guardian.matching.verify.confidence import leaves_of
from guardian.matching.verify.core_rectangle import core_of
from guardian.matching.verify.detail import particular
from guardian.matching.verify.outlines import outlines_of
from guardian.matching.verify.upright import upright_share

_SIDE = 64
T = TypeVar("T", bound=np.generic)


@lru_cache(maxsize=1)
def load() -> None:
    """Call every kernel once, with arrays of the kinds that matching has: an index is mapped read-only."""
    with _without_blas():
        _call_all()


@contextmanager
def _without_blas() -> Iterator[None]:
    """Hide SciPy's linear algebra while numba starts; whoever wants it later has it.

    Numba looks for a BLAS there: a third of what loading costs, and no kernel multiplies matrices.
    """
    if "scipy.linalg" in sys.modules:
        yield
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["scipy.linalg"]


def _call_all() -> None:
    random = np.random.default_rng(0)
    points = Keypoints(
        x=random.uniform(4, 60, 12).astype(np.float32),
        y=random.uniform(4, 60, 12).astype(np.float32),
        size=np.full(12, 31, dtype=np.float32),
        angle=np.zeros(12, dtype=np.float32),
        descriptors=random.integers(0, 256, (12, 32), dtype=np.uint8),
    )

    votes.build_tables(points.descriptors)
    tables = votes.build_tables(_mapped(points.descriptors))
    mapped = [votes.VoteTable(_mapped(table.offsets), _mapped(table.rows), _mapped(table.tags)) for table in tables]
    words = _mapped(points.words)
    votes.collect(points.descriptors, mapped, words, _mapped(np.array([0, 12], dtype=np.uint32)))
    votes.match(points.words, points.words)
    votes.match(words, points.words)

    sizes, packed = np.array([_SIDE, _SIDE], np.int32), np.zeros((2, 3), np.uint16)
    layout.unpacked(packed, sizes)
    layout.unpacked(_mapped(packed), sizes)

    hashing.nearest_orientation(points.descriptors[:8], points.descriptors)
    hashing.nearest_view(points.descriptors[:8], _mapped(points.descriptors))
    for hashes in (points.descriptors, _mapped(points.descriptors)):
        hashing.within(points.descriptors[0], hashes, 8)

    agreeing = consensus.count_agreeing(points, points)
    consensus.weigh_agreeing(points, points, np.array([0, 12]), agreeing, np.ones(12, np.float32))
    same = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    grid = CandidateGrid(points, _SIDE, _SIDE)
    grid.refine(same, points, words)
    grid.quick_look(same, points, words)
    geometry.similarity_of(np.stack([points.x, points.y], axis=1), np.stack([points.y, points.x], axis=1))

    particular(points, np.arange(12, dtype=np.int32))

    grey = random.integers(0, 256, (_SIDE, _SIDE), dtype=np.uint8)
    keypoints.detect(grey, (Scale(_SIDE, 12, levels=1),))
    resizing.interpolated(grey, (_SIDE - 1, _SIDE - 1))
    # Decoded pixels are not to be written to.
    for pixels in (grey, _mapped(grey)):
        resizing.averaged(pixels, (_SIDE - 1, _SIDE - 1))

    appearance_of(np.stack([grey, grey, grey], axis=2))

    picture = Pyramid(grey, _SIDE, _SIDE)
    overlap = overlap_of(same, (_SIDE, _SIDE), (_SIDE, _SIDE))
    laid = align(same, overlap, picture, picture) if overlap is not None else None
    if laid is not None:
        core_of(laid)
    finer = grey.astype(np.float32)
    outlines_of(finer, finer, compare_cells(finer, finer, np.eye(3), (_SIDE, _SIDE)), np.eye(3), (_SIDE, _SIDE))
    upright_share(finer)

    root = np.zeros((1, 1), np.uint16)
    leaves_of(np.zeros(1), root, root.astype(np.float64), root, root, root.astype(np.float64))


def _mapped(array: NDArray[T]) -> NDArray[T]:
    """Return the array as one mapped from a file: not to be written to."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy
