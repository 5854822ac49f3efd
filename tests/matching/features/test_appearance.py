"""What an appearance keeps of a picture, and what it leaves out."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.appearance import (
    APPEARANCE_BYTES,
    COLOUR_CELLS,
    SLICES,
    Appearance,
    appearance_of,
    colour_cells,
)

COLOURS = ("flat_colours", "edge_colours")
SHAPES = ("edges", "energies", "gradients", "silhouette")


def _drawing(colour: tuple[int, int, int], *, tall: bool = False, place: int = 0, side: int = 160) -> NDArray[np.uint8]:
    """A figure on white: an ellipse with a bar across, of one colour."""
    picture = np.full((side, side, 3), 255, dtype=np.uint8)
    axes = (side // 8, side // 3) if tall else (side // 3, side // 8)
    cv2.ellipse(picture, (side // 2 + place, side // 2), axes, 0, 0, 360, colour, -1)
    cv2.line(picture, (side // 3 + place, side // 2), (side * 2 // 3 + place, side // 2), (40, 40, 40), 3)
    return picture


def _apart(one: Appearance, other: Appearance, *parts: str) -> float:
    return float(sum(np.abs(one.part(part).astype(float) - other.part(part)).mean() for part in parts))


def test_the_same_pixels_give_the_same_bytes_and_come_back_from_them() -> None:
    appearance = appearance_of(_drawing((200, 30, 30)))

    assert len(appearance.to_bytes()) == APPEARANCE_BYTES <= 1500
    assert appearance_of(_drawing((200, 30, 30))).to_bytes() == appearance.to_bytes()
    assert Appearance.from_bytes(appearance.to_bytes()).to_bytes() == appearance.to_bytes()
    assert sum(len(appearance.part(name)) for name in SLICES) == APPEARANCE_BYTES
    with pytest.raises(ValueError, match="1184 bytes, not 3"):
        Appearance.from_bytes(b"abc")


def test_another_colour_changes_colours_and_leaves_shapes() -> None:
    red, green = appearance_of(_drawing((200, 30, 30))), appearance_of(_drawing((20, 120, 40)))
    tall = appearance_of(_drawing((200, 30, 30), tall=True))

    assert _apart(red, green, *COLOURS) > 4 * _apart(red, tall, *COLOURS)
    assert _apart(red, tall, *SHAPES) > 4 * _apart(red, green, *SHAPES)


def test_where_a_figure_lies_on_its_ground_and_how_large_the_file_is_does_not_matter() -> None:
    here, there = appearance_of(_drawing((200, 30, 30))), appearance_of(_drawing((200, 30, 30), place=16))
    large = appearance_of(_drawing((200, 30, 30), side=960))
    tall = appearance_of(_drawing((200, 30, 30), tall=True))

    assert _apart(here, there, *SHAPES) < 0.2 * _apart(here, tall, *SHAPES)
    assert _apart(here, large, *COLOURS, *SHAPES) < 0.2 * _apart(here, tall, *COLOURS, *SHAPES)


def test_texture_tells_stripes_from_spots_and_keeps_rotations_together() -> None:
    rng = np.random.default_rng(3)
    spots = np.where(cv2.GaussianBlur(rng.normal(size=(160, 160)), (0, 0), 3) > 0, 200, 60).astype(np.uint8)
    stripes = np.where(np.arange(160)[:, None] // 6 % 2 == np.zeros((160, 160), dtype=int), 200, 60).astype(np.uint8)
    first, turned, other = (
        appearance_of(np.repeat(grey[:, :, None], 3, axis=2)) for grey in (stripes, stripes.T, spots)
    )

    assert _apart(first, turned, "patterns") < 0.5 * _apart(first, other, "patterns")
    assert _apart(first, turned, "spectrum") > 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (2, 2), (24, 3000), (3000, 24)])
def test_pictures_of_any_size_and_blank_ones_have_an_appearance(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for picture in (np.zeros((*shape, 3)), np.full((*shape, 3), 255), rng.integers(0, 256, (*shape, 3))):
        assert len(appearance_of(picture.astype(np.uint8)).to_bytes()) == APPEARANCE_BYTES


def test_colours_share_out_among_neighbouring_cells() -> None:
    lab = np.array([[50, 0, 0], [53, 80, 67], [100, 0, 0]], dtype=np.float32)

    cells, weights = colour_cells(lab)

    assert cells.min() >= 0
    assert cells.max() < COLOUR_CELLS
    assert weights.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert set(cells[0][weights[0] > 0]) <= {0, 1, 2, 3}, "greys have no hue"
