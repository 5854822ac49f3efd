"""What the index keeps of an asset."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.matching.features import hashing
from guardian.matching.features.fingerprint import fingerprint
from guardian.matching.features.image import decode
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FAST, FULL
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import Pixels, encoded, photograph


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    return Matcher(MatchingSettings(), None, tmp_path_factory.mktemp("index"))


def test_it_pickles_as_it_is(matcher: Matcher) -> None:
    made = matcher.fingerprint(encoded(photograph("coffee")))
    again = pickle.loads(pickle.dumps(made))
    assert (again.recipe, again.width, again.height, again.preview) == (made.recipe, 600, 400, made.preview)
    assert np.array_equal(again.hash, made.hash)
    assert np.array_equal(again.points.descriptors, made.points.descriptors)
    assert np.array_equal(again.points.x, made.points.x)
    assert again.embedding is None


def test_the_same_bytes_give_the_same(matcher: Matcher) -> None:
    content = encoded(photograph("rocket"))
    assert pickle.dumps(matcher.fingerprint(content)) == pickle.dumps(matcher.fingerprint(content))


@pytest.mark.parametrize("name", ["coffee", "retina", "rocket", "page"])
def test_the_preview_is_the_picture_in_small_and_grey(name: str, matcher: Matcher) -> None:
    picture = photograph(name, 1200)
    made = matcher.fingerprint(encoded(picture, "PNG"))
    preview = cv2.imdecode(np.frombuffer(made.preview, np.uint8), cv2.IMREAD_UNCHANGED)
    assert preview is not None
    assert preview.ndim == 2
    assert max(preview.shape) == min(FULL.preview_side, max(picture.shape))
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    expected = cv2.resize(grey, preview.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(preview.astype(int) - expected).mean() < 5
    assert len(made.preview) < 60_000


def test_a_small_picture_is_not_enlarged(matcher: Matcher) -> None:
    made = matcher.fingerprint(encoded(photograph("astronaut", 100)))
    preview = cv2.imdecode(np.frombuffer(made.preview, np.uint8), cv2.IMREAD_UNCHANGED)
    assert preview is not None
    assert preview.shape == (100, 100)


def test_points_are_in_pixels_of_the_full_picture(matcher: Matcher) -> None:
    """Also where decoding reduced it: the same scene four times as large has its points four times as far."""
    small: Pixels = photograph("motorcycle_left", 640)
    height, width = small.shape[:2]
    large = cv2.resize(small, (width * 4, height * 4), interpolation=cv2.INTER_CUBIC)
    one, other = (matcher.fingerprint(encoded(np.asarray(each), "PNG", compress_level=1)) for each in (small, large))
    assert (other.width, other.height) == (width * 4, height * 4)
    assert other.points.x.max() > width * 3
    assert abs(np.median(other.points.x) / np.median(one.points.x) - 4) < 0.4
    assert abs(np.median(other.points.size) / np.median(one.points.size) - 4) < 0.4
    assert np.bitwise_count(one.hash ^ other.hash).sum() < 12


def test_hash_and_number_of_points(matcher: Matcher) -> None:
    content = encoded(photograph("chelsea"))
    made = matcher.fingerprint(content)
    picture = decode(content, MatchingSettings())
    assert np.array_equal(made.hash, hashing.hash_upright(picture.grey))
    assert 100 < len(made.points) <= sum(scale.keypoints for scale in FULL.asset_scales)


def test_the_fast_profile_keeps_less(matcher: Matcher, tmp_path: Path) -> None:
    content = encoded(photograph("coffee"))
    made, less = (
        matcher.fingerprint(content),
        Matcher(MatchingSettings(profile="fast"), None, tmp_path).fingerprint(content),
    )
    assert len(less.points) <= sum(scale.keypoints for scale in FAST.asset_scales) < len(made.points)
    assert len(less.preview) < len(made.preview)
    assert less.recipe != made.recipe


def test_an_embedding_is_kept_as_given() -> None:
    vector = np.array([0.6, 0.8], np.float32)
    picture = decode(encoded(photograph("coffee", 300)), MatchingSettings())
    made = fingerprint(picture, "v1-0123", FULL, vector)
    assert made.embedding is vector
    assert made.recipe == "v1-0123"
