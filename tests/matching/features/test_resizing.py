import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.resizing import averaged, interpolated, reduced, smoothed

SIZES = [((512, 384), (320, 240)), ((300, 201), (263, 200)), ((97, 301), (1, 77)), ((640, 427), (640, 64))]


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(12)


@pytest.mark.parametrize(("size", "smaller"), SIZES)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_areas_are_averaged_as_opencv_does(
    random: np.random.Generator, size: tuple[int, int], smaller: tuple[int, int], channels: tuple[int, ...]
) -> None:
    pixels = noise(random, size, channels)

    assert np.array_equal(averaged(pixels, smaller), cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("size", [size for sizes in SIZES for size in sizes])
def test_greys_are_interpolated_as_opencv_does(random: np.random.Generator, size: tuple[int, int]) -> None:
    grey = noise(random, (211, 173))

    assert np.array_equal(interpolated(grey, size), cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR_EXACT))


@pytest.mark.parametrize("height", [415, 443, 499])
def test_places_that_lie_halfway_between_two_steps_are_rounded_as_opencv_does(
    random: np.random.Generator, height: int
) -> None:
    grey = noise(random, (40, height))

    expected = cv2.resize(grey, (33, 256), interpolation=cv2.INTER_LINEAR_EXACT)
    assert np.array_equal(interpolated(grey, (33, 256)), expected)


def test_pixels_that_may_not_be_written_to_are_averaged_too(random: np.random.Generator) -> None:
    pixels = noise(random, (90, 60), (3,))
    expected = averaged(pixels, (41, 41))
    pixels.flags.writeable = False

    assert np.array_equal(averaged(pixels, (41, 41)), expected)


def test_a_picture_is_not_enlarged_by_averaging(random: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="30 x 20 pixels cannot be averaged to 31 x 2"):
        averaged(noise(random, (30, 20)), (31, 2))


def test_a_picture_is_reduced_to_its_longer_side(random: np.random.Generator) -> None:
    assert reduced(noise(random, (500, 333)), 160).shape == (107, 160)
    assert reduced(noise(random, (500, 2)), 160).shape == (1, 160)
    small = noise(random, (100, 160))
    assert reduced(small, 160) is small


def test_a_picture_is_blurred_within_its_rim_as_opencv_does(random: np.random.Generator) -> None:
    # The last columns that are no multiple of 32 OpenCV rounds otherwise, once in millions of pixels.
    grey = noise(random, (256, 333))
    kernel = cv2.getGaussianKernel(7, 2)

    blurred = smoothed(grey, 4)

    assert np.array_equal(blurred[4:-4, 4:-4], cv2.sepFilter2D(grey, cv2.CV_8U, kernel, kernel, borderType=4))
    blurred[4:-4, 4:-4] = grey
    assert np.array_equal(blurred, cv2.copyMakeBorder(grey, 4, 4, 4, 4, cv2.BORDER_REFLECT_101))


def noise(random: np.random.Generator, size: tuple[int, int], channels: tuple[int, ...] = ()) -> NDArray[np.uint8]:
    """Return noise of `size` (w, h): no two pixels of it are likely to be rounded alike by chance."""
    return random.integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)
