"""What is recognisable is a copy, and what is not is none; sizes come out as asked for."""

import numpy as np
import pytest

from guardian.errors import NotRecognisable
from guardian.evaluation.pictures import blended, covering, cropped, is_recognisable, recognisable_part, shrunk
from tests.matching.pictures import photograph


def test_a_piece_of_sky_is_no_picture() -> None:
    generator = np.random.default_rng(1)
    sky = np.linspace((120, 160, 230), (150, 190, 250), 300)[:, None].repeat(400, axis=1)
    assert not is_recognisable((sky + generator.normal(0, 2, sky.shape)).astype(np.uint8))
    assert is_recognisable(photograph("coffee"))
    assert not is_recognisable(photograph("coffee")[:30, :30])


def test_what_is_covered_does_not_count() -> None:
    picture = photograph("coffee")
    nothing = np.zeros(picture.shape[:2], np.uint8)
    assert is_recognisable(picture, nothing + 255)
    assert not is_recognisable(picture, nothing)


def test_the_part_that_shows_something_is_chosen() -> None:
    picture = np.full((300, 300, 3), 200, np.uint8)
    picture[:100, :100] = shrunk(photograph("coffee"), 150)[:100, :100]
    boxes = [(column, row, column + 100, row + 100) for row in (0, 100, 200) for column in (0, 100, 200)]
    for seed in range(5):
        assert np.array_equal(recognisable_part(picture, np.random.default_rng(seed), boxes), picture[:100, :100])
    with pytest.raises(NotRecognisable):
        recognisable_part(picture, np.random.default_rng(1), boxes[1:])


def test_a_covering_picture_has_the_size_asked_for() -> None:
    for size in ((50, 200), (200, 50), (640, 480), (33, 33)):
        assert covering(photograph("coffee"), *size).shape == (size[1], size[0], 3)


def test_a_crop_holds_its_share_of_the_area() -> None:
    picture = photograph("coffee")
    for seed in range(10):
        part = cropped(picture, np.random.default_rng(seed), 0.25)
        assert part.shape[0] * part.shape[1] == pytest.approx(0.25 * picture.shape[0] * picture.shape[1], rel=0.05)


def test_layers_are_mixed_by_their_weight() -> None:
    black, half = np.zeros((2, 2, 3), np.uint8), np.array([[0, 1], [0.5, 0]])
    assert blended(black, (200, 100, 0), half)[..., 0].tolist() == [[0, 200], [100, 0]]
    assert blended(black, (200, 100, 0), 0.5)[0, 0].tolist() == [100, 50, 0]
