"""ORB keypoints: where they lie, that they spread, and that the mirror image's come out right without a detection."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.evaluation.attacks import resized
from guardian.matching.features import keypoints
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.profiles import FAST, FULL, Scale
from tests.matching.pictures import photograph

NAMES = ("astronaut", "coffee", "chelsea", "china", "motorcycle_left")


def grey(name: str, longer_side: int = 640) -> NDArray[np.uint8]:
    return np.asarray(photograph(name, longer_side).mean(axis=2), dtype=np.uint8)


def close(one: Keypoints, other: Keypoints, bits: int = 48) -> NDArray[np.bool_]:
    """Which keypoints of `one` have one of `other` within two pixels, alike in descriptor, angle and size."""
    near = np.hypot(one.x[:, None] - other.x, one.y[:, None] - other.y) < 2
    alike = np.bitwise_count(one.words[:, None] ^ other.words[None]).sum(axis=2) <= bits
    turned = np.abs((one.angle[:, None] - other.angle + 180) % 360 - 180) < 15
    sized = np.abs(np.log(one.size[:, None] / other.size)) < 0.1
    return np.asarray((near & alike & turned & sized).any(axis=1))


def sampled(points: Keypoints) -> Keypoints:
    """Every eighth: enough for a rate."""
    return keypoints.taken(points, np.arange(0, len(points), 8, dtype=np.int32))


@pytest.mark.parametrize("scales", [FULL.asset_scales, FULL.candidate_scales, FAST.asset_scales, FAST.candidate_scales])
@pytest.mark.parametrize("name", NAMES)
def test_keypoints_lie_in_the_picture(name: str, scales: tuple[Scale, ...]) -> None:
    picture = grey(name)
    found = keypoints.detect(picture, scales)
    assert 150 < len(found) <= sum(scale.keypoints for scale in scales)
    assert found.descriptors.shape == (len(found), 32)
    assert found.words.shape == (len(found), 4)
    assert {array.dtype for array in (found.x, found.y, found.size, found.angle)} == {np.dtype(np.float32)}
    height, width = picture.shape
    assert ((found.x >= 0) & (found.x < width) & (found.y >= 0) & (found.y < height)).all()
    assert ((found.angle >= 0) & (found.angle <= 360) & (found.size > 0)).all()


def test_detection_is_repeatable() -> None:
    one, again = (keypoints.detect(grey("coffee"), FULL.asset_scales) for _ in range(2))
    assert np.array_equal(one.descriptors, again.descriptors)
    assert np.array_equal(one.x, again.x)


@pytest.mark.parametrize("name", NAMES)
def test_mirrored_keypoints_are_those_of_the_mirror_image(name: str) -> None:
    picture = grey(name)
    upright, mirrored, _, _ = keypoints.detect_sides(picture, FULL.candidate_scales, negatives=False)
    alone = keypoints.detect(picture, FULL.candidate_scales)
    assert np.array_equal(upright.descriptors, alone.descriptors)
    detected = keypoints.detect(np.ascontiguousarray(picture[:, ::-1]), FULL.candidate_scales)
    assert len(mirrored) >= 0.95 * len(upright)
    assert close(sampled(detected), mirrored).mean() > 0.6


@pytest.mark.parametrize("factor", [0.5, 1.7])
@pytest.mark.parametrize("name", NAMES)
def test_keypoints_of_a_resized_picture_are_in_its_pixels(name: str, factor: float) -> None:
    """What the index keeps of a picture is found again in one of another size, in its pixels."""
    picture = photograph(name, 512)
    other = resized(picture, picture.shape[1] * factor, picture.shape[0] * factor)
    mine = keypoints.detect(np.asarray(picture.mean(axis=2), np.uint8), FULL.asset_scales)
    theirs = keypoints.detect(np.asarray(other.mean(axis=2), np.uint8), FULL.candidate_scales)
    back = keypoints.zoomed(theirs, 1 / factor, 1 / factor)
    assert close(sampled(mine), back).mean() > 0.3


@pytest.mark.parametrize("name", ["rocket", "astronaut", "moon", "motorcycle_left", "coffee"])
def test_keypoints_spread_over_the_picture(name: str) -> None:
    """More of its parts hold some than when the strongest were taken wherever they are."""
    picture = grey(name)
    orb = cv2.ORB.create(nfeatures=300, scaleFactor=1.2, nlevels=8, edgeThreshold=16, fastThreshold=8)
    strongest = np.array([point.pt for point in orb.detect(picture, None)])
    found = keypoints.detect(picture, (Scale(max(picture.shape), 300),))

    def occupied(x: NDArray[np.floating], y: NDArray[np.floating]) -> int:
        return len(set(zip((x // 40).tolist(), (y // 40).tolist(), strict=True)))

    assert len(found) <= 300
    assert occupied(found.x, found.y) >= occupied(strongest[:, 0], strongest[:, 1]) * 1.1


def test_the_plain_half_of_a_picture_has_keypoints_beside_a_half_of_lettering() -> None:
    """Lettering has the strongest corners; a photograph beside it must still be found when it is shown alone."""
    photograph_half = grey("coffee", 400)
    page = np.full((photograph_half.shape[0], 2 * photograph_half.shape[1]), 255, np.uint8)
    page[:, : photograph_half.shape[1]] = photograph_half
    for line in range(20, page.shape[0], 18):
        cv2.putText(page, "The quick brown fox jumps", (photograph_half.shape[1] + 8, line), 0, 0.6, 0, 2)

    found = keypoints.detect(page, FULL.asset_scales)
    in_photograph = (found.x < photograph_half.shape[1]).mean()
    assert 0.25 < in_photograph < 0.75


def test_an_even_picture_has_none() -> None:
    for side in keypoints.detect_sides(np.full((300, 400), 90, np.uint8), FULL.candidate_scales, negatives=True):
        assert len(side) == 0
        assert side.descriptors.shape == (0, 32)
        assert side.words.shape == (0, 4)


@pytest.mark.parametrize("shape", [(24, 24), (4, 2048), (2048, 4), (1, 1), (30, 700)])
def test_any_shape_is_looked_at(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    for side in keypoints.detect_sides(picture, FULL.candidate_scales, negatives=True):
        assert ((side.x > -1) & (side.x < shape[1] + 1) & (side.y > -1) & (side.y < shape[0] + 1)).all()


def test_small_pictures_are_enlarged_to_find_something() -> None:
    assert len(keypoints.detect(grey("astronaut", 128), FULL.candidate_scales)) > 150


def test_zooming_moves_centres_of_pixels() -> None:
    one = np.array([0.0, 9.5], np.float32)
    points = Keypoints(one, one, one + 4, one, np.zeros((2, 32), np.uint8))
    doubled = keypoints.zoomed(points, 2.0, 2.0)
    assert doubled.x.tolist() == [0.5, 19.5]
    assert doubled.size.tolist() == [8.0, 27.0]
    assert doubled.angle.tolist() == points.angle.tolist()
    assert doubled.x.dtype == np.float32
    assert keypoints.zoomed(points, 1.0, 1.0) is points


def test_taking_keeps_the_order_asked_for() -> None:
    points = keypoints.detect(grey("coffee"), FULL.asset_scales)
    chosen = np.array([5, 2, 9], np.int32)
    some = keypoints.taken(points, chosen)
    assert np.array_equal(some.x, points.x[chosen])
    assert np.array_equal(some.descriptors, points.descriptors[chosen])
    assert len(keypoints.taken(points, np.zeros(0, np.int32))) == 0


@pytest.mark.parametrize("name", NAMES)
def test_keypoints_of_the_negative_are_those_of_the_picture(name: str) -> None:
    """Looked for in a negative, a picture's own keypoints are found again, with their angles."""
    scales = FULL.candidate_scales[:1]
    asset = keypoints.detect(grey(name), scales)
    upright, _, negative, _ = keypoints.detect_sides(255 - grey(name), scales, negatives=True)
    assert close(sampled(asset), negative).mean() > 0.7
    assert close(sampled(asset), upright).mean() < 0.1


def test_long_pictures_have_keypoints_in_proportion() -> None:
    """A tenth of a strip of ten has about as many as the picture that it shows."""
    strip = np.concatenate([grey("coffee", 400)] * 10, axis=1)
    found = keypoints.detect(strip, FULL.asset_scales)
    alone = keypoints.detect(grey("coffee", 400), FULL.asset_scales)
    in_one = [((found.x >= 400 * n) & (found.x < 400 * (n + 1))).sum() for n in range(10)]
    assert min(in_one) > 0.4 * len(alone)


@pytest.mark.parametrize("name", ["coffee", "motorcycle_left"])
def test_corners_and_descriptors_are_those_of_opencv(name: str) -> None:
    picture = grey(name, 512)
    reference = cv2.ORB.create(nfeatures=50_000, scaleFactor=1.2, nlevels=4, edgeThreshold=16, fastThreshold=8)
    # OpenCV returns all corners that there are; guardian chooses among them.
    found = keypoints.detect(picture, (Scale(512, 360, levels=4),))
    corners, _ = reference.detectAndCompute(picture, None)
    assert {(round(k.pt[0]), round(k.pt[1])) for k in corners} >= set(
        zip(found.x.round(), found.y.round(), strict=True)
    )

    asked = [cv2.KeyPoint(*found_at, 0, octave) for *found_at, octave in _as_opencv_has_them(found)]
    described = reference.compute(picture, asked)[1]
    assert np.array_equal(described, found.descriptors)


def _as_opencv_has_them(found: Keypoints) -> list[tuple[float, float, float, float, int]]:
    """x, y, diameter, angle and pyramid level of each; by level, as OpenCV returns them."""
    levels = np.round(np.log(found.size / 31) / np.log(1.2)).astype(int)
    return [
        (float(found.x[i]), float(found.y[i]), float(found.size[i]), float(found.angle[i]), int(levels[i]))
        for i in np.argsort(levels, kind="stable")
    ]
