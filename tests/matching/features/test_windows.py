"""Parts that may be pictures of their own: found in borders, screenshots and collages; sane for anything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.evaluation import attacks
from guardian.matching.features.windows import MAX_WINDOWS, PixelBox, windows
from tests.matching.pictures import Pixels, noise, photograph

NAMES = ("astronaut", "coffee", "chelsea", "china", "rocket", "motorcycle_left")


def grey(picture: Pixels) -> NDArray[np.uint8]:
    return np.asarray(picture.mean(axis=2), dtype=np.uint8)


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Intersection over union."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return across * down / (sum(areas) - across * down)


def best(picture: Pixels, box: PixelBox) -> float:
    return max(overlap(found, box) for found in windows(grey(picture)))


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_comes_first(name: str) -> None:
    picture = photograph(name)
    found = windows(grey(picture))
    assert found[0] == (0, 0, picture.shape[1], picture.shape[0])
    assert len(found) <= MAX_WINDOWS + 1


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize("name", NAMES)
def test_borders_are_stripped(name: str, colour: int) -> None:
    picture = photograph(name, 400)
    height, width = picture.shape[:2]
    bordered = np.full((height + 130, width + 90, 3), colour, np.uint8)
    bordered[50 : 50 + height, 30 : 30 + width] = picture
    assert best(bordered, (30, 50, 30 + width, 50 + height)) > 0.85


def test_pictures_on_even_ground_are_islands() -> None:
    """As in a screenshot of a shop: each picture is a window."""
    page = np.full((900, 700, 3), 250, np.uint8)
    boxes = []
    for index, name in enumerate(NAMES[:4]):
        picture = photograph(name, 260)
        height, width = picture.shape[:2]
        left, top = 40 + (index % 2) * 330, 60 + (index // 2) * 400
        page[top : top + height, left : left + width] = picture
        boxes.append((left, top, left + width, top + height))
    found = [best(page, box) for box in boxes]
    assert min(found) > 0.6
    assert np.mean(found) > 0.8


def test_screenshots_show_a_window_of_the_picture() -> None:
    """Over many layouts; text and buttons around it."""
    hits = 0
    for seed in range(24):
        picture = photograph(NAMES[seed % len(NAMES)], 500)
        shot = attacks.in_screenshot(picture, np.random.default_rng(seed))
        ratio = picture.shape[1] / picture.shape[0]
        boxes = windows(grey(shot))[1:]
        hits += any(
            0.85 < (box[2] - box[0]) / (box[3] - box[1]) / ratio < 1.18 and box[2] - box[0] > shot.shape[1] * 0.3
            for box in boxes
        )
    assert hits >= 14


def test_collages_are_cut_along_their_straight_edges() -> None:
    tiles = [attacks.resized(photograph(name), 300, 220) for name in NAMES[:4]]
    collage = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    found = [best(collage, (x, y, x + 300.0, y + 220.0)) for x in (0.0, 300.0) for y in (0.0, 220.0)]
    assert min(found) > 0.9


def test_noise_has_no_parts() -> None:
    assert len(windows(grey(noise(1)))) == 1


def test_an_even_picture_is_only_itself() -> None:
    assert windows(np.full((300, 200), 77, np.uint8)) == [(0.0, 0.0, 200.0, 300.0)]


@examples(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_windows_lie_in_the_picture(width: int, height: int, seed: int, block: int) -> None:
    generator = np.random.default_rng(seed)
    coarse = generator.choice([0, 40, 200, 255], (height // block + 1, width // block + 1)).astype(np.uint8)
    picture = np.ascontiguousarray(coarse.repeat(block, 0).repeat(block, 1)[:height, :width])
    found = windows(picture)
    assert found[0] == (0.0, 0.0, float(width), float(height))
    areas = []
    for left, top, right, bottom in found:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert round(right) > round(left)
        assert round(bottom) > round(top)
        areas.append((right - left) * (bottom - top))
    assert areas[1:] == pytest.approx(sorted(areas[1:], reverse=True))
    assert 1 <= len(found) <= MAX_WINDOWS + 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 2048), (2048, 1), (4, 2048), (24, 24)])
def test_any_shape_has_its_whole(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    assert windows(picture)[0] == (0.0, 0.0, float(shape[1]), float(shape[0]))
