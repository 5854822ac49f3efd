"""A closer look: filled-in forms differ, copies do not, and what repeats within a picture is told apart."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from guardian.evaluation.attacks import recompressed, resized
from guardian.matching.features import keypoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.profiles import FULL
from guardian.matching.verify.alignment import Overlap, overlap_of
from guardian.matching.verify.detail import Detail, detail_of, particular
from tests.matching.pictures import Pixels, photograph

IDENTITY = np.array([1.0, 0, 0, 0, 1, 0])


def form(entries: str) -> Pixels:
    """Twelve ruled lines, each with the same label and one of the entries."""
    image = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(34)
    for row, entry in enumerate(entries.split()):
        draw.text((20, 15 + 60 * row), "Name of it:", font=font, fill="black")
        draw.text((260, 15 + 60 * row), entry.upper(), font=font, fill="black")
        draw.line((20, 60 + 60 * row, 580, 60 + 60 * row), fill="black", width=2)
    return np.asarray(image)


ONE = form("marble lantern orchard velvet harbour thistle copper meadow falcon ginger quartz willow")
OTHER = form("bridge saffron pebble cobalt juniper raven cinder maple indigo walnut heron zephyr")


def grey(picture: Pixels) -> NDArray[np.uint8]:
    return np.asarray(picture.mean(axis=2), np.uint8)


def looked(asset: Pixels, candidate: Pixels) -> Detail:
    """Laid on each other frame on frame."""
    scale = candidate.shape[1] / asset.shape[1]
    matrix = IDENTITY * scale
    sizes = [(picture.shape[1], picture.shape[0]) for picture in (asset, candidate)]
    overlap = overlap_of(matrix, *sizes)
    assert isinstance(overlap, Overlap)
    pyramids = [Pyramid(grey(picture), *size) for picture, size in zip((asset, candidate), sizes, strict=True)]
    detail = detail_of(overlap, np.diag([scale, scale, 1.0]), *pyramids, scale)
    assert detail is not None
    return detail


@pytest.mark.parametrize("factor", [1.0, 0.7, 1.6])
def test_copies_of_a_form_differ_nowhere(factor: float) -> None:
    copy = recompressed(resized(ONE, 600 * factor, 800 * factor), 60)
    detail = looked(ONE, copy)
    assert detail.side == pytest.approx(384)
    assert detail.agreeing > 100
    assert detail.differing == detail.patch == detail.drawn_unlike == 0
    assert detail.drawn > 0.6


def test_a_blurred_or_faded_copy_of_a_form_differs_hardly_anywhere() -> None:
    blurred = np.asarray(Image.fromarray(ONE).filter(ImageFilter.GaussianBlur(4)))
    assert looked(ONE, blurred).differing < 0.1
    faded = np.asarray(np.round(ONE * 0.2 + 200), np.uint8)
    assert looked(ONE, faded).differing < 0.02


def test_blur_and_fading_do_not_hide_that_a_form_is_filled_in_otherwise() -> None:
    blurred = np.asarray(Image.fromarray(OTHER).filter(ImageFilter.GaussianBlur(2)))
    assert looked(ONE, blurred).differing > 0.06
    faded = np.asarray(np.round(OTHER * 0.2 + 200), np.uint8)
    assert looked(ONE, faded).differing > 0.08


def test_the_same_form_filled_in_otherwise_differs_in_every_entry() -> None:
    detail = looked(ONE, OTHER)
    assert detail.agreeing > 50
    assert detail.differing == pytest.approx(detail.replaced + detail.lost + detail.added)
    assert detail.differing > 0.08
    assert detail.drawn_unlike > 0.03
    assert detail.patch >= 3


def test_small_candidates_are_looked_at_no_closer_than_they_are() -> None:
    assert looked(ONE, resized(ONE, 150, 200)).side == pytest.approx(200)
    assert looked(ONE, resized(ONE, 60, 80)).side == pytest.approx(128)


def test_nothing_is_said_of_even_pictures() -> None:
    plain = Pyramid(np.full((400, 400), 90, np.uint8), 400, 400)
    overlap = overlap_of(IDENTITY, (400, 400), (400, 400))
    assert overlap is not None
    assert detail_of(overlap, np.eye(3), plain, plain, 1.0) is None


def test_photographs_are_natural_and_forms_are_not() -> None:
    picture, form_itself = looked(photograph("astronaut"), photograph("astronaut")), looked(ONE, ONE)
    assert picture.natural_mean > 0.6
    assert picture.natural > 2 * form_itself.natural
    assert picture.natural_held == pytest.approx(1.0)
    assert form_itself.natural_mean < 0.3


def test_one_other_entry_is_seen() -> None:
    """The name on a certificate is all that differs from the next one."""
    words = "marble lantern orchard velvet harbour thistle copper meadow falcon ginger quartz"
    detail = looked(ONE, recompressed(form(words + " zephyr"), 60))
    assert 0.003 < detail.differing < 0.03
    assert detail.patch >= 2


def test_what_repeats_is_not_particular() -> None:
    """The corners of a board are alike; those of a photograph are not."""
    board = np.kron((np.indices((8, 8)).sum(axis=0) % 2) * 200 + 20, np.ones((60, 60))).astype(np.uint8)
    shares = []
    for picture in (board, grey(photograph("astronaut"))):
        points = keypoints.detect(picture, FULL.asset_scales)
        everything = np.arange(len(points), dtype=np.int32)
        shares.append(particular(points, everything) / len(points))
    assert shares[0] < 0.1
    assert shares[1] > 0.6
