"""A picture that is bent is laid flat, and what is another picture stays one."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.pyramid import Pyramid
from guardian.matching.verify.alignment import align, overlap_of
from guardian.matching.verify.bending import Bend, bend_of
from tests.matching.pictures import photograph

IDENTITY = np.array([1.0, 0, 0, 0, 1, 0])
SIZE = (400, 300)
WHOLE = (0.0, 0.0, 400.0, 300.0)


def grey(name: str) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(photograph(name, 400).mean(axis=2), SIZE), np.uint8)


def folded(picture: NDArray[np.uint8], depth: float) -> NDArray[np.uint8]:
    """Hung in folds: each row is moved by a wave of `depth` pixels."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    return np.asarray(cv2.remap(picture, x + depth * np.sin(x / 40), y + depth * np.cos(x / 50), cv2.INTER_LINEAR))


def mean(asset: NDArray[np.uint8], candidate: NDArray[np.uint8], bend: Bend | None) -> float:
    overlap = overlap_of(IDENTITY, SIZE, SIZE)
    assert overlap is not None
    cells = align(IDENTITY, overlap, Pyramid(asset, *SIZE), Pyramid(candidate, *SIZE), bend)
    assert cells is not None
    return cells.mean


def bent(asset: NDArray[np.uint8], candidate: NDArray[np.uint8]) -> Bend:
    found = bend_of(IDENTITY, WHOLE, Pyramid(asset, *SIZE), Pyramid(candidate, *SIZE))
    assert found is not None
    return found


@pytest.mark.parametrize("depth", [6.0, 12.0])
def test_a_picture_in_folds_is_laid_flat(depth: float) -> None:
    mine = grey("china")
    theirs = folded(mine, depth)
    before, after = mean(mine, theirs, None), mean(mine, theirs, bent(mine, theirs))
    assert before < 0.75
    assert after > 0.9


def test_shading_bends_nothing() -> None:
    mine = grey("china")
    shaded = np.asarray(mine * np.linspace(0.4, 1.0, SIZE[0])[None], np.uint8)
    assert np.median(np.abs(bent(mine, shaded).shift)) < 0.5


def test_another_picture_is_not_bent_into_agreement() -> None:
    mine, theirs = grey("china"), grey("coffee")
    assert mean(mine, theirs, bent(mine, theirs)) < 0.35


def test_a_strip_of_a_few_pixels_has_no_bend() -> None:
    mine = grey("china")
    assert bend_of(IDENTITY, (0.0, 0.0, 400.0, 30.0), Pyramid(mine, *SIZE), Pyramid(mine, *SIZE)) is None
