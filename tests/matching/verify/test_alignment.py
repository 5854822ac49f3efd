"""Laying the asset over the candidate: exact overlaps, high correlation for copies, low for everything else."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.evaluation.attacks import recompressed, resized
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.verify.alignment import Alignment, align, overlap_of, summarised
from guardian.matching.verify.core_rectangle import core_of
from tests.matching.pictures import Pixels, clouds, drawing, noise, photograph

IDENTITY = np.array([1.0, 0, 0, 0, 1, 0])
NAMES = ("astronaut", "coffee", "chelsea", "china", "flower", "motorcycle_left", "coins")


def pyramid(picture: Pixels) -> Pyramid:
    grey = np.asarray(picture.mean(axis=2), dtype=np.uint8)
    return Pyramid(grey, grey.shape[1], grey.shape[0])


def aligned(asset: Pixels, candidate: Pixels, matrix: NDArray[np.float64]) -> Alignment:
    overlap = overlap_of(matrix, asset.shape[1::-1], candidate.shape[1::-1])
    assert overlap is not None
    found = align(matrix, overlap, pyramid(asset), pyramid(candidate))
    assert found is not None
    return summarised(found, core_of(found))


def test_whole_on_whole() -> None:
    overlap = overlap_of(IDENTITY, (300, 200), (300, 200))
    assert overlap is not None
    assert overlap.pixels == pytest.approx((0, 0, 300, 200))
    assert overlap.asset_box == overlap.candidate_box == pytest.approx((0, 0, 1, 1))
    assert (overlap.asset_coverage, overlap.candidate_coverage) == pytest.approx((1, 1))


def test_pasted_small() -> None:
    overlap = overlap_of(np.array([0.5, 0, 100, 0, 0.5, 50]), (300, 200), (600, 400))
    assert overlap is not None
    assert overlap.asset_box == pytest.approx((0, 0, 1, 1))
    assert overlap.candidate_box == pytest.approx((100 / 600, 50 / 400, 250 / 600, 150 / 400))
    assert overlap.candidate_coverage == pytest.approx(150 * 100 / (600 * 400))
    assert overlap.asset_coverage == pytest.approx(1)


def test_cropped() -> None:
    overlap = overlap_of(np.array([1.0, 0, -150, 0, 1, -20]), (300, 200), (100, 100))
    assert overlap is not None
    assert overlap.pixels == pytest.approx((150, 20, 250, 120))
    assert overlap.asset_coverage == pytest.approx(100 * 100 / (300 * 200))
    assert overlap.candidate_coverage == pytest.approx(1)


def test_mirrored_and_turned() -> None:
    mirrored = overlap_of(np.array([-1.0, 0, 300, 0, 1, 0]), (300, 200), (300, 200))
    turned = overlap_of(np.array([0.0, -1, 200, 1, 0, 0]), (300, 200), (200, 300))
    for overlap in (mirrored, turned):
        assert overlap is not None
        assert (overlap.asset_coverage, overlap.candidate_coverage) == pytest.approx((1, 1), abs=1e-5)


@pytest.mark.parametrize(
    "matrix",
    [
        [1, 0, 5000, 0, 1, 0],
        [1, 0, -299.5, 0, 1, 0],
        [0, 0, 10, 0, 0, 10],
        [1, 1, 0, 1, 1, 0],
        [1e-7, 0, 10, 0, 1e-7, 10],
        [np.nan, 0, 0, 0, 1, 0],
        [np.inf, 0, 0, 0, 1, 0],
        [1e30, 0, 0, 0, 1e30, 0],
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_hardly_on_each_other(matrix: list[float]) -> None:
    assert overlap_of(np.array(matrix, dtype=np.float64), (300, 200), (300, 200)) is None


@examples(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-1e5, 1e5), min_size=6, max_size=6) | st.lists(st.floats(-3, 3), min_size=6, max_size=6),
    st.tuples(st.integers(24, 5000), st.integers(24, 5000)),
    st.tuples(st.integers(24, 5000), st.integers(24, 5000)),
)
def test_any_matrix_has_an_overlap_within_both_or_none(
    values: list[float], asset: tuple[int, int], candidate: tuple[int, int]
) -> None:
    overlap = overlap_of(np.array(values), asset, candidate)
    if overlap is None:
        return
    left, top, right, bottom = overlap.pixels
    assert 0 <= left < right <= asset[0]
    assert 0 <= top < bottom <= asset[1]
    assert 0 < overlap.asset_coverage <= 1
    assert 0 < overlap.candidate_coverage <= 1
    assert all(-0.01 <= side <= 1.01 for side in (*overlap.asset_box, *overlap.candidate_box))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_picture(name: str) -> None:
    found = aligned(photograph(name, 448), photograph(name, 448), IDENTITY)
    assert found.rich > 20
    assert found.over_half == found.over_seven_tenths == 1
    assert min(found.median, found.mean, found.whole, found.means, found.natural_over_half) > 0.95
    assert found.hole == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_correlates_cell_by_cell(name: str) -> None:
    """Saved badly, shrunk, relit: the pixels still go up and down together."""
    asset = photograph(name, 448)
    height, width = asset.shape[:2]
    assert aligned(asset, recompressed(asset, 25), IDENTITY).mean > 0.75
    assert aligned(asset, (asset * 0.6 + 40).astype(np.uint8), IDENTITY).mean > 0.9
    small = resized(asset, width // 3, height // 3)
    scaled = np.array([small.shape[1] / width, 0, 0, 0, small.shape[0] / height, 0])
    assert aligned(asset, small, scaled).mean > 0.85
    flipped = np.ascontiguousarray(asset[:, ::-1])
    assert aligned(asset, flipped, np.array([-1.0, 0, width, 0, 1, 0])).mean > 0.88


def test_no_stranger_correlates() -> None:
    pictures = [np.ascontiguousarray(photograph(name, 448)[:280, :280]) for name in NAMES]
    pictures += [make(seed, 280, 280) for make in (clouds, drawing, noise) for seed in range(3)]
    found = [
        aligned(asset, candidate, IDENTITY) for asset in pictures for candidate in pictures if asset is not candidate
    ]
    assert max(alignment.over_half for alignment in found if alignment.rich > 10) < 0.4
    assert max(alignment.mean for alignment in found if alignment.rich > 10) < 0.4


@pytest.mark.parametrize("shift", [6, 12])
def test_a_wrong_place_does_not_correlate(shift: int) -> None:
    asset = photograph("astronaut", 448)
    right = aligned(asset, asset, IDENTITY).mean
    wrong = aligned(asset, asset, np.array([1.0, 0, shift * 3, 0, 1, shift * 2])).mean
    assert wrong < right - 0.5


def test_what_was_covered_is_a_hole() -> None:
    asset = photograph("astronaut", 448)
    covered = asset.copy()
    covered[100:300, 100:300] = drawing(1, 200, 200)
    found = aligned(asset, covered, IDENTITY)
    assert 0.08 < found.hole < 0.35
    assert 0.5 < found.over_half < 0.97


def test_a_flat_asset_has_nothing_to_measure() -> None:
    flat = np.full((200, 300, 3), 128, np.uint8)
    found = aligned(flat, photograph("coffee", 300), IDENTITY)
    assert found.rich == 0
    assert found.known > 0
    assert all(np.isnan(value) for value in (found.over_half, found.median, found.mean, found.natural_over_half))
    assert (found.hole, found.natural) == (0, 0)


def test_photographs_are_more_natural_than_lettering() -> None:
    letters, photo = photograph("page", 448), photograph("chelsea", 448)
    assert aligned(photo, photo, IDENTITY).natural > 1.3 * aligned(letters, letters, IDENTITY).natural


def test_a_thin_sliver_is_too_little() -> None:
    matrix = np.array([1.0, 0, 0, 0, 1, -194])
    overlap = overlap_of(matrix, (300, 200), (300, 200))
    assert overlap is not None
    picture = photograph("coffee", 300)
    assert align(matrix, overlap, pyramid(picture), pyramid(picture)) is None or overlap.asset_coverage < 0.05


def test_a_pyramid_samples_what_it_stands_for() -> None:
    """A preview at half size gives the grey of the whole picture's pixels."""
    grey = np.asarray(photograph("coffee", 400).mean(axis=2), np.uint8)
    height, width = grey.shape
    small = np.asarray(resized(np.repeat(grey[:, :, None], 3, axis=2), width // 2, height // 2)[:, :, 0])
    whole, preview = Pyramid(grey, width, height), Pyramid(small, width, height)
    window = np.array([[2.0, 0, 40], [0, 2.0, 20], [0, 0, 1]])
    for at, size in ((window, (100, 80)), (window @ np.diag([3.0, 3.0, 1.0]), (40, 30))):
        mine, _, _ = whole.sample(at, size)
        theirs, _, _ = preview.sample(at, size)
        assert np.abs(mine - theirs).mean() < 3


def test_a_pyramid_says_where_it_was_read() -> None:
    """At a quarter of the size, from the level of that size; half a pixel is half a pixel there too."""
    grey = np.asarray(photograph("coffee", 400).mean(axis=2), np.uint8)
    one = Pyramid(grey, grey.shape[1], grey.shape[0])
    _, to_level, size = one.sample(np.diag([4.0, 4.0, 1.0]), (100, 40))
    assert size == (100, round(grey.shape[0] / 4))
    assert np.allclose(to_level @ [10, 10, 1], [11.5, 11.5, 1], atol=1.6)


@pytest.mark.parametrize("step", [1.0, 3.0, 7.0, 15.0, 31.0])
@pytest.mark.parametrize("size", [(640, 480), (641, 483)])
def test_a_pyramid_reads_every_size_at_the_same_place(step: float, size: tuple[int, int]) -> None:
    """Halved sizes too: what is read of a mirrored picture is the mirror image of what is read of the picture."""
    width, height = size
    across, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    spot = (200 * np.exp(-(((across - 250) / 60) ** 2 + ((down - 190) / 60) ** 2))).astype(np.uint8)
    to_picture = np.diag([step, step, 1.0])
    mirrored = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]])
    read_at = (round(width / step), round(height / step))

    grey, _, _ = Pyramid(spot, width, height).sample(to_picture, read_at)
    flipped, _, _ = Pyramid(np.ascontiguousarray(spot[:, ::-1]), width, height).sample(mirrored @ to_picture, read_at)
    assert np.abs(grey - flipped).max() < 4

    x, y = np.meshgrid(np.arange(read_at[0]) + 0.5, np.arange(read_at[1]) + 0.5)
    middle = np.array([(grey * x).sum(), (grey * y).sum()]) / grey.sum() * step
    assert middle == pytest.approx((250, 190), abs=0.6)


def test_what_lies_outside_the_candidate_is_not_known() -> None:
    picture = photograph("coffee", 400)
    height, width = picture.shape[:2]
    overlap = overlap_of(IDENTITY, (width, height), (width, height))
    assert overlap is not None
    shifted = align(np.array([1.0, 0, -width / 2, 0, 1, 0]), overlap, pyramid(picture), pyramid(picture))
    assert shifted is not None
    columns = shifted.known.shape[1]
    assert not shifted.known[:, : columns // 2 - 1].any()
    assert shifted.known[:, columns // 2 + 1 :].all()


def test_a_homography_lays_on_what_is_seen_from_the_side() -> None:
    asset = photograph("astronaut", 448)
    height, width = asset.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = np.array([[0, 0], [width * 0.8, height * 0.15], [width * 0.9, height * 0.8], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    seen = np.asarray(cv2.warpPerspective(asset, matrix, (width, height)), np.uint8)
    found = aligned(asset, seen, np.asarray(matrix).ravel())
    assert found.mean > 0.85
    overlap = overlap_of(np.asarray(matrix).ravel(), (width, height), (width, height))
    assert overlap is not None
    assert overlap.asset_coverage > 0.99
    assert overlap.candidate_box == pytest.approx((0, 0, 0.9, 1), abs=0.01)


def test_a_part_of_the_asset_has_its_own_boxes_and_the_coverage_of_the_whole() -> None:
    overlap = overlap_of(np.array([0.5, 0, 100, 0, 0.5, 50]), (300, 200), (600, 400), (0, 0, 150, 100))
    assert overlap is not None
    assert overlap.asset_box == pytest.approx((0, 0, 0.5, 0.5))
    assert overlap.asset_coverage == pytest.approx(0.25)
    assert overlap.candidate_box == pytest.approx((100 / 600, 50 / 400, 175 / 600, 100 / 400))


def test_beyond_the_horizon_is_no_overlap() -> None:
    assert overlap_of(np.array([1.0, 0, 0, 0, 1, 0, -0.005, 0, 1]), (300, 200), (300, 200)) is None
