"""Edits of tones turn round what their names say."""

from collections.abc import Callable

import numpy as np
import pytest

from guardian.evaluation.pictures import Picture
from guardian.evaluation.tone_edits import film_negative, half_inverted, luminance_inverted
from tests.matching.pictures import photograph

PICTURE = photograph("astronaut", 480)


@pytest.mark.parametrize("edit", [film_negative, luminance_inverted])
def test_tones_are_turned_round(edit: Callable[[Picture, np.random.Generator], Picture]) -> None:
    for seed in range(4):
        made = edit(PICTURE, np.random.default_rng(seed))
        likeness = np.corrcoef(made.mean(axis=2).ravel(), PICTURE.mean(axis=2).ravel())[0, 1]
        assert likeness < -0.8


def test_half_of_the_tones_are_turned_round() -> None:
    for seed in range(6):
        turned = (half_inverted(PICTURE, np.random.default_rng(seed)) != PICTURE).any(axis=2).mean()
        assert 0.3 < turned < 0.7


def test_lightness_is_inverted_and_hue_kept() -> None:
    red = np.full((60, 60, 3), (200, 20, 20), np.uint8)
    for seed in range(6):
        made = luminance_inverted(red, np.random.default_rng(seed))[0, 0].astype(int)
        assert made[0] > made[1] + 20
