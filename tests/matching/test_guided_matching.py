"""From a rough transform to what most keypoints agree with: exact on made-up points, robust against wrong ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from guardian.matching.features.keypoints import Keypoints, taken
from guardian.matching.geometry import Matrix
from guardian.matching.guided_matching import CandidateGrid
from tests.matching.scattered import HEIGHT, WIDTH, apart, corners, joined, moved, scattered, similarities, similarity


@examples(max_examples=40, deadline=None, derandomize=True)
@given(similarities, st.integers(0, 2**32 - 1))
def test_a_rough_start_is_refined(matrix: Matrix, seed: int) -> None:
    """Among as many distractors as friends, from a start that one keypoint proposed."""
    asset = scattered(300, seed)
    candidate = joined(moved(asset, matrix, jitter=0.3, seed=seed), distractors(300, matrix, seed))
    box = corners(matrix)
    low, extent = box.min(axis=0), np.ptp(box, axis=0)
    shifted = Keypoints(
        candidate.x - np.float32(low[0]),
        candidate.y - np.float32(low[1]),
        candidate.size,
        candidate.angle,
        candidate.descriptors,
    )
    wanted = matrix - np.array([0, 0, low[0], 0, 0, low[1]])
    grid = CandidateGrid(shifted, max(1, int(extent[0])), max(1, int(extent[1])))
    scale = float(np.sqrt(wanted[0] * wanted[4] - wanted[1] * wanted[3]))
    start = wanted + np.array([0.01, -0.01, 4, 0.01, 0.01, -4]) * scale
    agreement = grid.refine(start, asset, asset.words)
    assert agreement is not None
    assert apart(agreement.matrix, wanted) < 2.5 * max(1.0, scale)
    right = agreement.asset == agreement.candidate
    assert right.sum() > 200
    assert right.mean() > 0.97
    assert (agreement.bits[right] == 0).all()


def distractors(count: int, matrix: Matrix, seed: int) -> Keypoints:
    return moved(scattered(count, seed + 1), matrix)


def test_a_stretched_copy_is_followed_as_an_affine_transform() -> None:
    asset = scattered(400, 5)
    matrix = np.array([1.3, 0.05, 10.0, -0.04, 0.85, 20.0])
    grid = CandidateGrid(moved(asset, matrix), 900, 450)
    start = similarity(np.sqrt(1.3 * 0.85), -2, 10, 20)
    agreement = grid.refine(start, asset, asset.words)
    assert agreement is not None
    assert apart(agreement.matrix, matrix) < 3
    assert len(agreement.asset) > 300


def test_correspondences_are_one_to_one() -> None:
    asset = joined(scattered(100, 6), scattered(100, 6))
    agreement = CandidateGrid(scattered(100, 6), WIDTH, HEIGHT).refine(similarity(1, 0, 0, 0), asset, asset.words)
    assert agreement is not None
    assert len(set(agreement.asset.tolist())) == len(agreement.asset)
    assert len(set(agreement.candidate.tolist())) == len(agreement.candidate) <= 100


def test_strangers_have_no_transform() -> None:
    """Random descriptors at random places: hardly anything agrees, whatever is proposed."""
    asset, candidate = scattered(800, 7), scattered(3000, 8)
    grid = CandidateGrid(candidate, WIDTH, HEIGHT)
    inliers = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        start = similarity(generator.uniform(0.3, 2), generator.uniform(-180, 180), *generator.uniform(-200, 400, 2))
        agreement = grid.refine(start, asset, asset.words)
        inliers.append(0 if agreement is None else len(agreement.asset))
    assert max(inliers) < 6


def test_points_on_a_line_do_not_collapse_the_transform() -> None:
    line = np.linspace(10, 600, 50, dtype=np.float32)
    points = Keypoints(line, line * 0 + 100, line * 0 + 31, line * 0, scattered(50, 9).descriptors)
    agreement = CandidateGrid(points, WIDTH, HEIGHT).refine(similarity(1, 0, 2, 2), points, points.words)
    assert agreement is not None
    assert np.isfinite(agreement.matrix).all()
    assert agreement.matrix[0] * agreement.matrix[4] - agreement.matrix[1] * agreement.matrix[3] > 0.3


def test_few_points_are_not_enough() -> None:
    points = scattered(2, 10)
    assert CandidateGrid(points, WIDTH, HEIGHT).refine(similarity(1, 0, 0, 0), points, points.words) is None


@examples(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=6))
def test_any_proposal_is_survived(values: list[float]) -> None:
    """Mirroring, collapsed, enormous: an answer or none, and what is answered is finite."""
    asset = scattered(50, 11)
    agreement = CandidateGrid(asset, WIDTH, HEIGHT).refine(np.array(values), asset, asset.words)
    if agreement is not None:
        assert np.isfinite(agreement.matrix).all()
        assert len(agreement.asset) == len(agreement.candidate) == len(agreement.bits) >= 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_proposal_that_is_no_number_leads_nowhere(value: float) -> None:
    asset = scattered(50, 12)
    assert CandidateGrid(asset, WIDTH, HEIGHT).refine(np.full(6, value), asset, asset.words) is None


def test_points_outside_the_frame_are_kept_in_the_outer_cells() -> None:
    """Rounding may put a keypoint just outside."""
    points = moved(scattered(100, 13), similarity(1, 0, -3, -3))
    agreement = CandidateGrid(points, WIDTH - 6, HEIGHT - 6).refine(
        similarity(1, 0, -3, -3), scattered(100, 13), points.words
    )
    assert agreement is not None
    assert len(agreement.asset) > 80


def test_an_empty_side_has_a_grid() -> None:
    empty = scattered(0, 14)
    asset = scattered(20, 15)
    assert CandidateGrid(empty, 100, 100).refine(similarity(1, 0, 0, 0), asset, asset.words) is None


def paired_by_looking_at_all(matrix: Matrix, asset: Keypoints, candidate: Keypoints) -> set[tuple[int, int]]:
    """The first round of guided matching, done slowly: of those that fit, the closest in bits, one to one."""
    a, b, c, d, e, f = matrix
    scale, turn = np.sqrt(a * e - b * d), np.degrees(np.arctan2(d - b, a + e))
    pairs: dict[int, tuple[int, int]] = {}
    for i in range(len(asset)):
        x, y = a * asset.x[i] + b * asset.y[i] + c, d * asset.x[i] + e * asset.y[i] + f
        size = asset.size[i] * scale
        apart = np.abs(candidate.angle - (asset.angle[i] + turn))
        fits = (np.abs(candidate.x - x) <= 0.6 * size) & (np.abs(candidate.y - y) <= 0.6 * size)
        fits &= (candidate.size >= 0.6 * size) & (candidate.size <= 1.7 * size)
        fits &= (apart <= 25) | (np.abs(apart - 360) <= 25)
        bits = np.bitwise_count(candidate.words ^ asset.words[i]).sum(axis=1).astype(int)
        bits[~fits] = 257
        nearest = int(bits.argmin())
        if bits[nearest] <= 48 and (nearest not in pairs or bits[nearest] < pairs[nearest][0]):
            pairs[nearest] = (int(bits[nearest]), i)
    return {(i, nearest) for nearest, (_, i) in pairs.items()}


@pytest.mark.parametrize("degrees", [0.0, 97.0, -178.0])
def test_the_grid_finds_what_looking_at_all_finds(degrees: float) -> None:
    asset, matrix = scattered(300, 21), similarity(0.5, degrees, 0, 0)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    matrix[[2, 5]] = middle - matrix.reshape(2, 3)[:, :2] @ middle
    candidate = joined(moved(asset, matrix, jitter=6, seed=5), scattered(400, 22))
    candidate = Keypoints(
        *(getattr(candidate, name) for name in ("x", "y", "size")),
        angle=(candidate.angle + np.random.default_rng(6).normal(0, 15, len(candidate)).astype(np.float32)) % 360,
        descriptors=candidate.descriptors,
    )
    pairs = paired_by_looking_at_all(matrix, asset, candidate)
    look = CandidateGrid(candidate, WIDTH, HEIGHT).quick_look(matrix, asset, asset.words)
    assert 100 < look.inliers == len(pairs) <= look.visible


@pytest.mark.parametrize("matrix", [similarity(1.0, 0, 0, 0), similarity(0.3, 40, 300, 100)])
def test_a_quick_look_counts_what_agrees_and_the_pairs_that_could_agree_by_chance(matrix: Matrix) -> None:
    asset = scattered(300, 1)
    strangers = scattered(900, 2)
    candidate = joined(moved(taken(asset, np.arange(60, dtype=np.int32)), matrix), strangers)
    look = CandidateGrid(candidate, WIDTH, HEIGHT).quick_look(matrix, asset, asset.words)

    seen = moved(asset, matrix)
    reach = 0.6 * seen.size[:, None]
    apart_x, apart_y = np.abs(seen.x[:, None] - candidate.x), np.abs(seen.y[:, None] - candidate.y)
    size, turn = candidate.size / seen.size[:, None], np.abs((candidate.angle - seen.angle[:, None] + 540) % 360 - 180)
    pairs = (apart_x <= reach) & (apart_y <= reach) & (size >= 0.6) & (size <= 1.7) & (turn <= 25)
    assert (look.inliers, look.visible) == (60, 300)
    assert look.compared == pytest.approx(int(pairs.sum()), abs=3)
