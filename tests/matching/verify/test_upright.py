"""What tells a page from a photograph: edges that run upright and level."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.verify.upright import upright_share

Grey = NDArray[np.float32]


def a_form() -> Grey:
    page = np.full((200, 300), 245, np.float32)
    for y in range(20, 200, 30):
        page[y : y + 2, 20:280] = 20
    page[20:172, 150:152] = 20
    return page


def a_meadow() -> Grey:
    """Blurred noise has edges of all directions, as leaves, fur and clouds have."""
    noise = np.random.default_rng(1).normal(128, 90, (200, 300)).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0), np.float32)
    return np.clip((blurred - 128) * 6 + 128, 0, 255)


def test_of_a_ruled_page_nearly_all_edges_run_upright_or_level() -> None:
    assert upright_share(a_form()) > 0.95


def test_of_what_grows_as_many_run_each_way() -> None:
    # Thirty-two of a hundred and eighty degrees lie within eight of upright or level.
    assert upright_share(a_meadow()) == pytest.approx(32 / 180, abs=0.05)


def test_a_page_may_lie_askew_on_the_scanner() -> None:
    turn = cv2.getRotationMatrix2D((150, 100), 3, 1.0)
    askew = np.asarray(cv2.warpAffine(a_form(), turn, (300, 200), borderValue=245.0), np.float32)
    assert upright_share(askew) > 0.8


def test_a_diagonal_is_neither() -> None:
    rows, columns = np.indices((100, 100))
    assert upright_share(np.where(rows > columns, 250, 5).astype(np.float32)) < 0.05


@pytest.mark.parametrize("size", [(50, 50), (2, 40), (1, 1)])
def test_without_an_edge_nothing_is_upright(size: tuple[int, int]) -> None:
    assert upright_share(np.full(size, 77, np.float32)) == 0.0
