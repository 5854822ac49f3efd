"""The perceptual hash: eight real orientations, distances as numpy counts them, transforms that put asset on copy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.evaluation.attacks import recompressed, resized
from guardian.matching.features import hashing
from tests.matching.pictures import Pixels, clouds, drawing, noise, photograph

PHOTOGRAPHS = (
    "astronaut",
    "camera",
    "chelsea",
    "china",
    "coffee",
    "coins",
    "flower",
    "rocket",
    "page",
    "motorcycle_left",
)


def grey(picture: Pixels) -> NDArray[np.uint8]:
    return np.asarray(picture.mean(axis=2), dtype=np.uint8)


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """Bits, counted the slow way."""
    return int((np.unpackbits(one) != np.unpackbits(other)).sum())


def oriented(picture: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """How the hash looks at a picture: the mirror image from 4 on, turned by quarters."""
    side = picture[:, ::-1] if orientation >= 4 else picture
    return np.ascontiguousarray(np.rot90(side, orientation % 4))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_orientations_are_hashes_of_the_turned_pixels(name: str) -> None:
    picture = grey(photograph(name))
    hashes = hashing.hash_orientations(picture)
    assert hashes.shape == (8, 32)
    assert hashes.dtype == np.uint8
    for orientation in range(8):
        assert differing(hashes[orientation], hashing.hash_upright(oriented(picture, orientation))) <= 6


def test_upright_is_the_first_orientation() -> None:
    picture = grey(photograph("coffee"))
    assert np.array_equal(hashing.hash_orientations(picture)[0], hashing.hash_upright(picture))


def test_orientations_of_an_ordinary_picture_differ() -> None:
    hashes = hashing.hash_orientations(grey(photograph("astronaut")))
    apart = [differing(hashes[one], hashes[other]) for one in range(8) for other in range(one)]
    assert min(apart) > 60


def test_many_tiles_at_once_are_as_one_by_one() -> None:
    tiles = np.stack([hashing.tile(grey(photograph(name))) for name in PHOTOGRAPHS])
    together = hashing.hash_tiles(tiles)
    for tile, expected in zip(tiles, together, strict=True):
        assert np.array_equal(hashing.hash_tiles(tile[None])[0], expected)


def test_half_of_the_bits_are_set() -> None:
    for name in PHOTOGRAPHS:
        assert np.unpackbits(hashing.hash_upright(grey(photograph(name)))).sum() == hashing.BITS // 2


def test_saving_shrinking_and_relighting_change_few_bits() -> None:
    for name in PHOTOGRAPHS:
        picture = photograph(name)
        upright = hashing.hash_upright(grey(picture))
        height, width = picture.shape[:2]
        copies = [
            recompressed(picture, 30),
            resized(picture, width * 0.3, height * 0.3),
            resized(picture, width * 1.4, height),
            (picture * 0.8 + 20).astype(np.uint8),
        ]
        assert [copy.shape for copy in copies if differing(upright, hashing.hash_upright(grey(copy))) > 24] == []


def test_strangers_differ_in_about_half_of_the_bits() -> None:
    pictures = [grey(photograph(name)) for name in PHOTOGRAPHS]
    pictures += [grey(make(seed)) for make in (clouds, drawing, noise) for seed in range(10)]
    hashes = [hashing.hash_upright(picture) for picture in pictures]
    apart = [differing(hashes[one], hashes[other]) for one in range(len(hashes)) for other in range(one)]
    assert 118 < np.mean(apart) < 134
    assert min(apart) > 70


@examples(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_nearest_orientation_counts_as_numpy_does(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    orientations = generator.integers(0, 256, (8, 32), dtype=np.uint8)
    hashes = generator.integers(0, 256, (count, 32), dtype=np.uint8)
    hashes[0] = orientations[5]
    distances, which = hashing.nearest_orientation(orientations, hashes)
    table = np.array([[differing(one, other) for other in hashes] for one in orientations])
    assert distances.dtype == np.int16
    assert np.array_equal(distances, table.min(axis=0))
    assert np.array_equal(table[which, np.arange(count)], distances)
    assert (distances[0], which[0]) == (0, 5)


def test_many_hashes_are_compared_as_numpy_does_in_upright_and_negative_views_and_of_equals_the_first_counts() -> None:
    """More hashes than are looked at together, with views that are equally near."""
    generator = np.random.default_rng(3)
    orientations = generator.integers(0, 256, (8, 32), dtype=np.uint8)
    orientations[6] = orientations[2]
    hashes = generator.integers(0, 256, (1100, 32), dtype=np.uint8)
    hashes[[0, 511, 512, 1099]] = orientations[2], ~orientations[7], ~orientations[2], orientations[4]

    distances, views = hashing.nearest_view(orientations, hashes)
    upright = np.bitwise_count(orientations[:, None] ^ hashes).sum(axis=2).astype(np.int64)
    # View by view, the picture before its negative.
    table = np.stack([upright, hashing.BITS - upright], axis=1).reshape(16, -1)
    assert np.array_equal(distances, table.min(axis=0))
    order = table.argmin(axis=0)
    assert np.array_equal(views, order // 2 + order % 2 * hashing.ORIENTATIONS)
    assert views[[0, 511, 512, 1099]].tolist() == [2, 15, 10, 4]


def test_nearest_of_no_hashes_is_none() -> None:
    nothing = np.zeros((0, 32), np.uint8)
    distances, which = hashing.nearest_orientation(hashing.hash_orientations(grey(noise(1))), nothing)
    assert (len(distances), len(which)) == (0, 0)


@pytest.mark.parametrize("orientation", range(8))
@pytest.mark.parametrize("name", ["coffee", "china", "rocket"])
def test_orientation_of_a_turned_copy_is_found_and_its_transform_lays_the_asset_on_it(
    name: str, orientation: int
) -> None:
    """Each asset pixel, followed through the matrix, is the same grey in the copy."""
    asset = grey(photograph(name, 200))
    height, width = asset.shape
    # The copy is what looks like the asset when seen in this orientation.
    copy = next(
        made
        for made in (oriented(asset, turn) for turn in range(8))
        if np.array_equal(oriented(made, orientation), asset)
    )
    left, top = 30, 12
    host = np.full((copy.shape[0] + 40, copy.shape[1] + 70), 128, np.uint8)
    host[top : top + copy.shape[0], left : left + copy.shape[1]] = copy
    distances, which = hashing.nearest_orientation(hashing.hash_orientations(copy), hashing.hash_upright(asset)[None])
    assert distances[0] <= 6
    assert which[0] == orientation
    box = (float(left), float(top), float(left + copy.shape[1]), float(top + copy.shape[0]))
    matrix = hashing.orientation_transform(orientation, width, height, box).reshape(2, 3)
    rows, columns = np.mgrid[:height, :width]
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5, np.ones(height * width)])
    across, down = np.floor(matrix @ centres).astype(int)
    assert np.array_equal(host[down, across], asset.ravel())
    assert (np.linalg.det(matrix[:, :2]) < 0) == (orientation >= 4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (24, 24), (4, 2048)])
def test_any_shape_has_a_hash(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert hashing.hash_orientations(picture).shape == (8, 32)
