"""The subject of a picture is found and put on another ground."""

import numpy as np

from guardian.evaluation import subject_edits
from tests.matching.pictures import photograph


def test_the_subject_is_what_differs_from_the_border() -> None:
    picture = np.full((300, 400, 3), (250, 250, 245), np.uint8)
    picture[80:220, 120:300] = photograph("coffee", 400)[:140, :180]
    mask = subject_edits.subject_mask(picture, np.random.default_rng(1)) > 0.5
    inside = np.zeros_like(mask)
    inside[80:220, 120:300] = True
    assert (mask & inside).sum() / (mask | inside).sum() > 0.9
    dark = subject_edits.on_dark(picture, np.random.default_rng(1))
    assert dark[10, 10].max() < 80


def test_line_art_on_white_becomes_light_on_dark() -> None:
    picture = np.full((300, 300, 3), 255, np.uint8)
    for at in range(60, 240, 12):
        picture[60:240, at : at + 3] = picture[at : at + 3, 60:240] = 0
    made = subject_edits.on_dark(picture, np.random.default_rng(2))
    assert made[150, 61].min() > 150 > 90 > made[5, 5].max()
