"""What tells a page from a photograph: edges that run upright and level, and even ground."""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.verify.page_like import PageLike, page_like

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


def test_a_ruled_page_is_upright_and_even() -> None:
    page = page_like(a_form())
    assert page.upright > 0.95
    assert page.even > 0.7


def test_what_grows_is_neither() -> None:
    meadow = page_like(a_meadow())
    # Sixteen of ninety degrees lie within eight of upright or level.
    assert abs(meadow.upright - 16 / 45) < 0.2
    assert meadow.even < 0.1


def test_a_page_that_lies_askew_on_the_scanner_is_upright_still() -> None:
    turn = cv2.getRotationMatrix2D((150, 100), 3, 1.0)
    askew = np.asarray(cv2.warpAffine(a_form(), turn, (300, 200), borderValue=245.0), np.float32)
    assert page_like(askew).upright > 0.8


def test_a_diagonal_is_neither_upright_nor_level() -> None:
    rows, columns = np.indices((100, 100))
    assert page_like(np.where(rows > columns, 250, 5).astype(np.float32)).upright < 0.05


def test_a_plain_picture_has_no_edges_at_all() -> None:
    assert page_like(np.full((50, 50), 77, np.float32)) == PageLike(0.0, 1.0)


def test_nothing_is_said_of_two_pixels() -> None:
    assert page_like(np.zeros((2, 40), np.float32)) == PageLike(0.0, 0.0)
