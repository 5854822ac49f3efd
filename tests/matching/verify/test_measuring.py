"""Stage two: of several proposals the right one wins, and what is measured under it is right."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.evaluation import attacks
from guardian.matching.candidate import Candidate
from guardian.matching.features import hashing, keypoints
from guardian.matching.features.keypoints import NO_SIDES
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.geometry import Proposal
from guardian.matching.index.reader import IndexedAsset, open_index
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.measuring import Measurement, measure
from tests.matching.pictures import Pixels, drawing, encoded, photograph

IDENTITY = np.array([1.0, 0, 0, 0, 1, 0])
ELSEWHERE = Proposal(np.array([0.3, 0.1, 20, -0.1, 0.3, 90.0]), mirrored=False)


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> IndexedAsset:
    """The astronaut, 512 x 512, as the index keeps her."""
    folder: Path = tmp_path_factory.mktemp("index")
    matcher = Matcher(MatchingSettings(), None, folder)
    made = matcher.fingerprint(encoded(photograph("astronaut"), "PNG"))
    IndexWriter(folder, matcher.recipe).publish([(1, "astronaut", made)])
    return open_index(folder, matcher.recipe).segments[0].asset(0)


def candidate(picture: Pixels) -> Candidate:
    grey = np.asarray(picture.mean(axis=2), np.uint8)
    sides = keypoints.detect_sides(grey, FULL.candidate_scales, negatives=True)
    return Candidate(sides, [], Pyramid(grey, grey.shape[1], grey.shape[0]))


def whole(asset: IndexedAsset, picture: Pixels, orientation: int = 0) -> Proposal:
    box = (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))
    matrix = hashing.orientation_transform(orientation, asset.width, asset.height, box)
    return Proposal(matrix, mirrored=orientation >= 4)


def found(asset: IndexedAsset, picture: Pixels, *proposals: Proposal) -> Measurement:
    measured = measure(asset, candidate(picture), list(proposals))
    assert measured is not None
    return measured


def test_the_picture_itself(asset: IndexedAsset) -> None:
    picture = photograph("astronaut")
    measured = found(asset, picture, Proposal(IDENTITY, mirrored=False, agreeing=40, votes=70))
    assert measured.inliers > 150
    assert len(set(measured.inlier_points.tolist())) == measured.inliers
    assert measured.close_inliers > 100
    assert measured.spread >= 14
    assert measured.visible == len(asset.points)
    assert (measured.scale, measured.stretch) == pytest.approx((1, 1), abs=0.01)
    assert measured.overlap.asset_coverage > 0.99
    assert measured.alignment.over_half > 0.95
    assert (measured.agreeing, measured.votes) == (40, 70)
    assert not measured.mirrored


def test_without_exactness_the_first_good_transform_counts_and_what_is_wrong_before_it_does_not(
    asset: IndexedAsset,
) -> None:
    picture = photograph("astronaut")
    seen = candidate(attacks.resized(picture, 256, 256))
    half = np.array([0.5, 0, 0, 0, 0.5, 0])
    first, second = (Proposal(half, mirrored=False, agreeing=agreeing) for agreeing in (3, 9))
    upside_down = Proposal(np.array([-0.5, 0, 256, 0, -0.5, 256]), mirrored=False)

    quickly = measure(asset, seen, [upside_down, first, second], exact=False)
    exactly = measure(asset, seen, [upside_down, first, second])
    assert quickly is not None
    assert exactly is not None
    assert quickly.agreeing == 3
    assert quickly.scale == pytest.approx(exactly.scale, rel=0.01)
    assert quickly.alignment.over_half > 0.95
    assert measure(asset, seen, [], exact=False) is None


def test_the_best_of_several_proposals_wins(asset: IndexedAsset) -> None:
    picture = photograph("astronaut")
    right = Proposal(IDENTITY, mirrored=False, agreeing=3, votes=5)
    for order in ([right, ELSEWHERE], [ELSEWHERE, right], [ELSEWHERE, whole(asset, picture, 5), right]):
        assert found(asset, picture, *order).agreeing == 3


@pytest.mark.parametrize("orientation", range(8))
def test_all_orientations(asset: IndexedAsset, orientation: int) -> None:
    """The hash says how the copy is turned; keypoints refine it."""
    picture = photograph("astronaut")
    copy = next(
        np.ascontiguousarray(made)
        for flip in (False, True)
        for turns in range(4)
        for made in [np.rot90(picture[:, ::-1] if flip else picture, turns)]
        if np.array_equal(np.rot90(made[:, ::-1] if orientation >= 4 else made, orientation % 4), picture)
    )
    measured = found(asset, copy, whole(asset, copy, orientation))
    assert measured.mirrored == (orientation >= 4)
    assert measured.inliers > 100
    assert measured.overlap.asset_coverage > 0.97
    assert measured.alignment.mean > 0.6


def test_a_crop_is_measured_in_shares(asset: IndexedAsset) -> None:
    picture = photograph("astronaut")
    crop = np.ascontiguousarray(picture[100:356, 200:500])
    shifted = Proposal(np.array([1.0, 0, -198, 0, 1, -103]), mirrored=False)
    measured = found(asset, crop, shifted)
    assert measured.overlap.asset_coverage == pytest.approx(256 * 300 / 512**2, rel=0.05)
    assert measured.overlap.candidate_coverage > 0.97
    assert measured.overlap.asset_box == pytest.approx((200 / 512, 100 / 512, 500 / 512, 356 / 512), abs=0.01)
    assert measured.visible < len(asset.points)


def test_a_stretched_copy(asset: IndexedAsset) -> None:
    wide = attacks.resized(photograph("astronaut"), 720, 512)
    measured = found(asset, wide, whole(asset, wide))
    assert measured.stretch == pytest.approx(720 / 512, abs=0.05)
    assert measured.scale == pytest.approx(np.sqrt(720 / 512), abs=0.03)


def test_without_keypoints_the_pixels_judge_the_proposal_as_it_came(asset: IndexedAsset) -> None:
    """A copy too blurred for corners."""
    blurred = attacks.resized(attacks.shrunk(photograph("astronaut"), 24), 480, 480)
    seen = candidate(blurred)
    without = Candidate(NO_SIDES, [], seen.pyramid)
    measured = measure(asset, without, [whole(asset, blurred)])
    assert measured is not None
    assert (measured.inliers, measured.spread, measured.mean_bits) == (0, 0, 64.0)
    assert measured.alignment.whole > 0.5
    assert measured.overlap.asset_coverage > 0.99


def test_a_proposal_that_is_some_pixels_off_is_laid_exactly(asset: IndexedAsset) -> None:
    """What a hash proposes of a cut copy. Without keypoints the pixels lay it, and then keypoints are found as well."""
    picture = photograph("astronaut")
    off = Proposal(np.array([1.03, 0, -4.0, 0, 0.97, 9.0]), mirrored=False)
    without = Candidate(NO_SIDES, [], candidate(picture).pyramid)
    laid = measure(asset, without, [off])
    assert laid is not None
    assert laid.alignment.mean > 0.95
    assert laid.matrix == pytest.approx(IDENTITY, abs=0.7)
    assert found(asset, picture, off).inliers > 150


def test_a_distractor_is_measured_as_one(asset: IndexedAsset) -> None:
    for seed in range(5):
        picture = drawing(seed)
        measured = measure(asset, candidate(picture), [whole(asset, picture), ELSEWHERE])
        if measured is not None:
            assert measured.inliers < 10
            assert measured.alignment.over_half < 0.4


def test_proposals_that_put_the_asset_elsewhere_measure_nothing(asset: IndexedAsset) -> None:
    picture = photograph("coffee")
    far = Proposal(np.array([1.0, 0, 9000, 0, 1, 9000]), mirrored=False)
    assert measure(asset, candidate(picture), [far]) is None
    assert measure(asset, candidate(picture), []) is None


def in_perspective(picture: Pixels, strength: float) -> tuple[Pixels, NDArray[np.float64]]:
    """Seen from the side, and the homography to it."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[0, 0], [-strength, strength], [-strength, -strength], [0, 0]], np.float32) * width
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, matrix, (width, height)), np.uint8), np.asarray(matrix)


@pytest.mark.parametrize("strength", [0.08, 0.15])
def test_a_picture_seen_from_the_side(asset: IndexedAsset, strength: float) -> None:
    """No affine lays it on; the same keypoints give a homography that does, as far as they lie."""
    seen, matrix = in_perspective(photograph("astronaut"), strength)
    start = np.array([*matrix[0], *matrix[1]]) / matrix[2, 2]
    measured = found(asset, seen, Proposal(start, mirrored=False), whole(asset, seen))
    assert abs(measured.projection[2, :2]).max() > 1e-5
    places = np.array([[100.0, 100, 1], [400, 120, 1], [380, 420, 1], [120, 400, 1]]).T
    right, ours = matrix @ places, measured.projection @ places
    assert np.abs(right[:2] / right[2] - ours[:2] / ours[2]).max() < 4
    assert measured.alignment.mean > 0.8
    assert measured.overlap.asset_coverage > 0.95


def test_keypoints_close_together_do_not_stretch_the_rest(asset: IndexedAsset) -> None:
    """Three quarters are covered: what is left of the picture lies where it was."""
    covered = photograph("astronaut").copy()
    covered[:, 190:] = drawing(3, 512 - 190, 512)
    covered[300:] = drawing(4, 512, 212)
    measured = found(asset, covered, Proposal(IDENTITY, mirrored=False))
    corner = measured.projection @ np.array([0.0, 0.0, 1.0])
    assert np.abs(corner[:2] / corner[2]).max() < 6
    left, top, right, bottom = measured.shown.asset_box
    assert (left, top) == pytest.approx((0, 0), abs=0.05)
    assert (right, bottom) == pytest.approx((190 / 512, 300 / 512), abs=0.12)


def test_what_is_shown_ends_where_the_tile_of_a_collage_ends(asset: IndexedAsset) -> None:
    picture = photograph("astronaut")
    collage = np.concatenate([picture[100:400, 100:400], drawing(5, 300, 300)], axis=1)
    shifted = Proposal(np.array([1.0, 0, -100, 0, 1, -100]), mirrored=False)
    measured = found(asset, np.ascontiguousarray(collage), shifted)
    assert measured.overlap.asset_box[2] > 0.95
    assert measured.shown.asset_box == pytest.approx((100 / 512, 100 / 512, 400 / 512, 400 / 512), abs=0.08)
    assert measured.shown.candidate_box == pytest.approx((0, 0, 0.5, 1), abs=0.12)


def test_a_negative_is_measured_as_one(asset: IndexedAsset) -> None:
    negative = 255 - photograph("astronaut")
    measured = found(asset, negative, Proposal(IDENTITY, mirrored=False, inverted=True))
    assert measured.inverted
    assert measured.inliers > 80
    assert measured.aligned_similarity > 0.9
    as_it_is = found(asset, negative, Proposal(IDENTITY, mirrored=False))
    assert not as_it_is.inverted
    assert as_it_is.aligned_similarity < 0


def sprites(seed: int) -> Pixels:
    """Eight sprites of 8 x 8 in two rows, each its own mirror image; each dot is 16 pixels wide."""
    generator = np.random.default_rng(seed)
    greys = np.array([20, 90, 160, 230], np.uint8)[:, None].repeat(3, axis=1)
    halves = generator.integers(0, 4, (2, 4, 8, 4))
    whole_ones = np.concatenate([halves, halves[..., ::-1]], axis=3)
    sheet = whole_ones.transpose(0, 2, 1, 3).reshape(16, 32)
    return np.kron(greys[sheet], np.ones((16, 16, 1), np.uint8))


def test_of_what_repeats_the_place_wins_that_most_keypoints_agree_with(tmp_path: Path) -> None:
    """A sheet of symmetric sprites, mirrored: its first column lies on the last one as exactly as all on all."""
    sheet = sprites(3)
    sheet[:, 384:] = sheet[:, :128]
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    IndexWriter(tmp_path, matcher.recipe).publish([(1, "sheet", matcher.fingerprint(encoded(sheet, "PNG")))])
    kept = open_index(tmp_path, matcher.recipe).segments[0].asset(0)

    first_on_last = Proposal(np.array([1.0, 0, 384, 0, 1, 0]), mirrored=False)
    mirrored = Proposal(np.array([-1.0, 0, 509.0, 0, 1, 1.5]), mirrored=True)
    measured = found(kept, np.ascontiguousarray(sheet[:, ::-1]), first_on_last, mirrored)
    assert measured.mirrored
    assert measured.overlap.asset_coverage > 0.98
    assert measured.alignment.mean > 0.95
