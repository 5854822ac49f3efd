"""Faded and darkened pictures are told from others, and their keypoints are found again."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from guardian.evaluation.attacks import recompressed
from guardian.matching.candidate import candidate_of
from guardian.matching.features.contrast import stretched
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import detect
from guardian.matching.index import votes
from guardian.matching.profiles import FULL, Profile
from tests.matching.pictures import Pixels, drawing, photograph


def veiled(picture: Pixels, paper: int, share: float) -> Pixels:
    """So much of the picture is paper, and three rows of large words in the opposite colour lie over it."""
    faded = np.asarray(picture * (1 - share) + paper * share, np.uint8)
    image = Image.fromarray(faded)
    ink = 255 - paper
    for row in range(3):
        words = "MANY LARGE WORDS"
        ImageDraw.Draw(image).text((20, 40 + row * 90), words, fill=(ink, ink, ink), font_size=40)
    return np.asarray(image)


def grey_of(picture: Pixels) -> NDArray[np.uint8]:
    return np.asarray(picture.mean(axis=2), np.uint8)


@pytest.mark.parametrize("name", ["coffee", "astronaut", "rocket", "china"])
@pytest.mark.parametrize("paper", [0, 255])
def test_the_greys_of_a_veiled_picture_are_stretched_to_all(name: str, paper: int) -> None:
    found = stretched(grey_of(veiled(photograph(name), paper, 0.75)))
    assert found is not None
    assert float(np.corrcoef(found.ravel(), grey_of(photograph(name)).ravel())[0, 1]) > 0.5
    assert np.ptp(np.percentile(found, (5, 95))) > 150


@pytest.mark.parametrize(
    "picture",
    [photograph("coffee"), photograph("page"), drawing(1), np.full((300, 400, 3), 200, np.uint8)],
    ids=["photograph", "page", "drawing", "flat"],
)
def test_other_pictures_are_left_as_they_are(picture: Pixels) -> None:
    assert stretched(grey_of(picture)) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (2, 3)])
def test_tiny_pictures_are_no_special_case(size: tuple[int, int]) -> None:
    assert stretched(np.full(size, 7, np.uint8)) is None


def test_more_keypoints_of_a_veiled_picture_are_found_again() -> None:
    whole = photograph("coffee")
    asset = detect(grey_of(whole), FULL.asset_scales)
    seen = recompressed(veiled(whole, 255, 0.93), 80)
    picture = Picture(np.ascontiguousarray(seen), seen.shape[1], seen.shape[0], "png")

    def found_with(profile: Profile) -> int:
        side = candidate_of(picture, profile).sides[0]
        mine, theirs = votes.match(asset.words, side.words)
        apart = np.hypot(asset.x[mine] - side.x[theirs], asset.y[mine] - side.y[theirs])
        return int((apart < 3).sum())

    assert found_with(FULL) > 1.5 * found_with(dataclasses.replace(FULL, stretched_scale=None))
