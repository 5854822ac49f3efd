"""What is laid over a copy covers outlines; another page of the design leaves bare ground where they were."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.verify.cells import compare_cells
from guardian.matching.verify.outlines import NONE_KNOWN, Outlines, outlines_of

SIZE = 240
Grey = NDArray[np.float32]


def drawing(*, with_rings: bool = True) -> Grey:
    """A frame with a grid, and eight rings that another page of the design does not have."""
    grey = np.full((SIZE, SIZE), 245, np.uint8)
    for at in range(12, SIZE, 36):
        cv2.line(grey, (at, 0), (at, SIZE), 60, 2)
        cv2.line(grey, (0, at), (SIZE, at), 60, 2)
    for place in range(8 if with_rings else 0):
        cv2.circle(grey, (30 + 72 * (place % 3), 30 + 72 * (place // 3)), 11, 20, 4)
    return grey.astype(np.float32)


def told(mine: Grey, theirs: Grey) -> Outlines:
    soft = [np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.2), np.float32) for grey in (mine, theirs)]
    there = (np.eye(3), (SIZE, SIZE))
    return outlines_of(*soft, compare_cells(*soft, *there), *there)


@pytest.mark.parametrize("change", [lambda grey: grey, lambda grey: grey * 0.3 + 150, lambda grey: grey**2 / 255])
def test_a_copy_keeps_its_outlines_whatever_its_greys(change) -> None:  # type: ignore[no-untyped-def]
    outlines = told(drawing(), change(drawing()))
    assert outlines.kept > 0.98
    assert outlines.gone < 0.01


def test_a_copy_that_lies_a_pixel_off_keeps_most_of_them() -> None:
    assert told(drawing(), np.roll(drawing(), 1, 1)).kept > 0.85


def test_stickers_and_stripes_cover_outlines_and_bare_none() -> None:
    stuck = drawing()
    cv2.circle(stuck, (80, 80), 45, 150, -1)
    cv2.rectangle(stuck, (150, 120), (235, 200), 110, -1)
    outlines = told(drawing(), stuck)
    assert outlines.kept < 0.85
    assert outlines.gone < 0.01
    assert outlines.bared < 0.1


def test_another_page_of_the_design_has_bare_ground_in_their_place() -> None:
    outlines = told(drawing(), drawing(with_rings=False))
    assert outlines.gone > 0.05
    assert outlines.bared > 0.3


def test_what_only_the_candidate_has_leaves_outlines_as_they_are() -> None:
    outlines = told(drawing(with_rings=False), drawing())
    assert outlines.kept > 0.9
    assert outlines.gone < 0.02


def test_without_agreement_or_outlines_nothing_is_known() -> None:
    noise = np.random.default_rng(1).uniform(0, 255, (SIZE, SIZE)).astype(np.float32)
    even = np.full((SIZE, SIZE), 200, np.float32)
    assert told(drawing(), noise) == NONE_KNOWN
    assert told(even, drawing()) == NONE_KNOWN


def test_what_lies_beyond_the_candidate_is_not_counted() -> None:
    """Half of the asset lies outside; that half is neither kept nor gone."""
    soft = np.asarray(cv2.GaussianBlur(drawing(), (0, 0), 1.2), np.float32)
    half = soft.copy()
    half[:, SIZE // 2 :] = 245
    there = (np.eye(3), (SIZE // 2, SIZE))
    outlines = outlines_of(soft, half, compare_cells(soft, half, *there), *there)
    assert outlines.kept > 0.98
