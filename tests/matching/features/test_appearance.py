"""What an appearance keeps of a picture, and what it leaves out."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES, SLICES, Appearance
from guardian.matching.features.local_shapes import local_shape_values

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

    assert len(appearance.to_bytes()) == APPEARANCE_BYTES <= 2000
    assert appearance_of(_drawing((200, 30, 30))).to_bytes() == appearance.to_bytes()
    assert Appearance.from_bytes(appearance.to_bytes()).to_bytes() == appearance.to_bytes()
    assert sum(len(appearance.part(name)) for name in SLICES) == APPEARANCE_BYTES
    with pytest.raises(ValueError, match="1920 bytes, not 3"):
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


def test_what_the_figure_is_made_of_does_not_depend_on_how_much_ground_is_around_it() -> None:
    figure = ("figure_colours", "figure_patterns", "figure_contrasts")
    close = _drawing((200, 30, 30))
    far = np.pad(close, ((120, 120), (120, 120), (0, 0)), constant_values=255)
    # Of so many pixels that neither is reduced.
    near, distant = appearance_of(close[30:130, 30:130]), appearance_of(far[130:290, 130:290])
    other = appearance_of(_drawing((20, 120, 40)))

    assert _apart(near, distant, *figure) < 0.2 * _apart(near, other, *figure)
    assert _apart(near, distant, "flat_colours", "contrasts") > 2 * _apart(near, distant, "figure_contrasts")


def test_which_colours_lie_beside_each_other_is_kept() -> None:
    outlined, bare = _drawing((200, 30, 30)), _drawing((200, 30, 30))
    cv2.ellipse(outlined, (80, 80), (53, 20), 0, 0, 360, (0, 0, 0), 5)
    one, other = appearance_of(outlined), appearance_of(bare)

    # Greys are numbered 0 to 3; white beside the light red of the figure gives way to white beside black.
    place = [(first, second) for first in range(16) for second in range(first + 1, 16)].index((0, 3))
    assert int(one.part("colour_pairs")[place]) > 100
    assert int(other.part("colour_pairs")[place]) == 0


def test_local_shapes_tell_outlines_apart_and_know_no_colour_nor_light() -> None:
    red, green = _drawing((200, 30, 30)), _drawing((20, 120, 40))
    darker = (red * 0.8).astype(np.uint8)
    tall = _drawing((200, 30, 30), tall=True)
    kept = local_shape_values(np.stack([appearance_of(one).part("local_shapes") for one in (red, green, darker, tall)]))

    assert np.linalg.norm(kept, axis=1) == pytest.approx([1, 1, 1, 1], abs=0.05)
    cosines = kept @ kept[0]
    assert min(cosines[1:3]) > 0.8
    assert cosines[3] < 0.5


def test_local_shapes_of_tiny_figures_do_not_count() -> None:
    tiny, small = (np.pad(_drawing((200, 30, 30), side=side), 40, mode="edge")[:, :, 40:43] for side in (40, 90))
    kept = local_shape_values(np.stack([appearance_of(one).part("local_shapes") for one in (tiny, small)]))

    assert not kept[0].any()
    assert 0.2 < float(np.linalg.norm(kept[1])) < 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (2, 2), (24, 3000), (3000, 24)])
def test_pictures_of_any_size_and_blank_ones_have_an_appearance(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for picture in (np.zeros((*shape, 3)), np.full((*shape, 3), 255), rng.integers(0, 256, (*shape, 3))):
        appearance = appearance_of(picture.astype(np.uint8))
        assert len(appearance.to_bytes()) == APPEARANCE_BYTES
        assert appearance.part("figure_colours").any(), "zeros would mean that they are not known"
