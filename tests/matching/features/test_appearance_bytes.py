"""Appearances of earlier versions: read with the parts that they have, and completed with what they lack."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.appearance_bytes import (
    APPEARANCE_BYTES,
    BYTES_OF_VERSIONS,
    SINCE_VERSION_2,
    SINCE_VERSION_3,
    SLICES,
    as_of_version,
    completed,
    versions_of,
    widened,
)


def picture(*, tall: bool = False) -> NDArray[np.uint8]:
    """A red ellipse on white with a bar across."""
    pixels = np.full((160, 160, 3), 255, dtype=np.uint8)
    cv2.ellipse(pixels, (80, 80), (20, 53) if tall else (53, 20), 0, 0, 360, (200, 30, 30), -1)
    cv2.line(pixels, (53, 80), (106, 80), (40, 40, 40), 3)
    return pixels


@pytest.mark.parametrize(("version", "lacking"), [(1, (*SINCE_VERSION_2, *SINCE_VERSION_3)), (2, SINCE_VERSION_3)])
def test_appearances_of_an_earlier_version_are_read_with_what_they_have(version: int, lacking: tuple[str, ...]) -> None:
    now = appearance_of(picture()).values
    length = BYTES_OF_VERSIONS[version]
    earlier = now[None, :length]

    read = widened(earlier)

    assert read.shape == (1, APPEARANCE_BYTES)
    assert np.array_equal(read[:, :length], earlier)
    assert all(not read[0, SLICES[name]].any() for name in lacking)
    assert all(now[SLICES[name]].any() for name in lacking), "of a picture they are never zeros"
    assert versions_of(np.concatenate([read, now[None]])).tolist() == [version, 3]
    assert np.array_equal(as_of_version(now[None], version), read)
    with pytest.raises(ValueError, match="1920 bytes, not 5"):
        widened(np.zeros((1, 5), np.uint8))


def test_an_appearance_is_completed_with_what_it_lacks_and_keeps_what_it_has() -> None:
    exact, rough = appearance_of(picture()), appearance_of(picture(tall=True))
    for version, length in BYTES_OF_VERSIONS.items():
        expected = np.concatenate([exact.values[:length], rough.values[length:]])
        assert np.array_equal(completed(exact.to_bytes()[:length], rough).values, expected)
        # As a segment holds it that has newer ones, too.
        held = as_of_version(exact.values[None], version)[0].tobytes()
        assert np.array_equal(completed(held, rough).values, expected)
    assert completed(b"", rough) is rough
