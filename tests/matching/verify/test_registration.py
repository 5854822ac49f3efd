"""Two pictures laid on each other by their pixels, from a transform that is some pixels off."""

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.evaluation.attacks import recompressed
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import Matrix, square
from guardian.matching.verify.alignment import overlap_of
from guardian.matching.verify.registration import registered
from tests.matching.pictures import Pixels, photograph

SIZE = (512, 512)
TRUE = np.array([0.8, 0.1, 12.0, -0.1, 0.8, 70.0])
OFF = np.array([0.815, 0.1, 10.0, -0.085, 0.79, 72.0])


def pyramid(picture: Pixels) -> Pyramid:
    return Pyramid(np.asarray(picture.mean(axis=2), np.uint8), picture.shape[1], picture.shape[0])


def laid(picture: Pixels, matrix: Matrix) -> Pixels:
    """Lay a picture on a grey ground by a transform."""
    inverse = np.linalg.inv(square(matrix))
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    x, y, _ = np.tensordot(inverse, np.stack([columns + 0.5, rows + 0.5, np.ones_like(rows)]), axes=1)
    inside = (x >= 0) & (y >= 0) & (x < picture.shape[1]) & (y < picture.shape[0])
    out = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    out[inside] = picture[y[inside].astype(int), x[inside].astype(int)]
    return recompressed(out, 80)


def error(matrix: Matrix) -> float:
    """By how many pixels of the candidate the worst corner of the asset is off."""
    corners = np.array([[0, 0, 1], [512, 0, 1], [0, 512, 1], [512, 512, 1]], dtype=np.float64).T
    there, truly = square(matrix) @ corners, square(TRUE) @ corners
    return float(np.abs(there / there[2] - truly / truly[2]).max())


def from_off(start: NDArray[np.float64], candidate: Pixels) -> Matrix | None:
    overlap = overlap_of(start, SIZE, SIZE)
    assert overlap is not None
    return registered(start, overlap, pyramid(photograph("astronaut")), pyramid(candidate))


@pytest.mark.parametrize("homography", [False, True])
def test_some_pixels_off_becomes_less_than_one(homography: bool) -> None:
    start = square(OFF).ravel() if homography else OFF
    found = from_off(start, laid(photograph("astronaut"), TRUE))
    assert found is not None
    assert len(found) == len(start)
    assert error(start) > 5
    assert error(found) < 0.7


def test_pictures_that_share_nothing_are_laid_nowhere() -> None:
    assert from_off(TRUE, np.full((512, 512, 3), 128, np.uint8)) is None
