"""The edits that people make do what their names say, and never show less than one could recognise."""

import numpy as np
import pytest

from guardian.errors import NotRecognisable
from guardian.evaluation import wild_edits
from guardian.evaluation.attacks import WILD
from guardian.evaluation.pictures import Picture
from tests.matching.pictures import photograph

PICTURE = photograph("astronaut", 480)
OTHERS = [photograph(name, 400) for name in ("coffee", "rocket", "china", "coins", "brick")] * 2


def edited(name: str, picture: Picture = PICTURE, seed: int = 1) -> Picture:
    return WILD[name](picture, np.random.default_rng(seed), OTHERS)


def test_a_half_is_mirrored() -> None:
    made = wild_edits.half_mirrored(PICTURE, np.random.default_rng(3))
    assert np.array_equal(made, made[:, ::-1]) or np.array_equal(made, made[::-1])


def test_a_strip_has_the_full_width() -> None:
    strip = edited("full_width_strip")
    assert strip.shape[1] == PICTURE.shape[1]
    assert 0.18 < strip.shape[0] / PICTURE.shape[0] < 0.31


def test_long_pictures_are_cut_into_many_slides_and_others_into_two() -> None:
    shares = []
    for seed, (rows, columns) in enumerate([(1, 1), (6, 1), (1, 6)]):
        whole = np.tile(photograph("coffee", 300), (rows, columns, 1))
        shown = wild_edits.slide(whole, np.random.default_rng(seed))
        shares.append(max(shown.shape[:2]) / min(shown.shape[:2]))
    assert max(shares) < 3.5


def test_the_mug_shows_the_middle_of_the_print() -> None:
    red = np.full((200, 300, 3), (230, 10, 10), np.uint8)
    for seed in range(4):
        made = wild_edits.on_mug(red, OTHERS[0], np.random.default_rng(seed))
        assert ((made[..., 0] > 90) & (made[..., 1] < 40)).mean() > 0.1


def test_a_strip_of_panels_holds_each_of_them() -> None:
    panels = [np.full((100, 150, 3), level, np.uint8) for level in (40, 120, 200)]
    made = wild_edits.strip_of_panels(panels, np.random.default_rng(1))
    assert {40, 120, 200} <= set(np.unique(made))
    wide = wild_edits.panorama(panels * 2, np.random.default_rng(1))
    assert wide.shape[1] > 4 * wide.shape[0]


@pytest.mark.parametrize(
    "name", ["in_letters", "ninth", "full_width_strip", "hero_strip", "cut_out", "in_circle", "slide"]
)
def test_nothing_is_made_of_a_picture_without_anything_to_recognise(name: str) -> None:
    with pytest.raises(NotRecognisable):
        edited(name, np.full((300, 400, 3), 180, np.uint8))
