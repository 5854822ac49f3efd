"""Local binary patterns: counted as their definition says, on all pixels or on some."""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.patterns import PATTERNS, pattern_shares

CLEARLY = 2.0


def _codes(channel: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the pattern of each inner pixel, bit by bit from the upper left neighbour clockwise."""
    height, width = channel.shape
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    bits = [
        channel[down : height - 2 + down, across : width - 2 + across] > channel[1:-1, 1:-1] + np.float32(CLEARLY)
        for down, across in around
    ]
    return np.asarray(sum(bit.astype(np.int64) << place for place, bit in enumerate(bits)))


def _least_turned(code: int) -> int:
    return min(((code >> turn) | (code << (8 - turn))) & 255 for turn in range(8))


def _expected(codes: NDArray[np.int64]) -> list[float]:
    turned = [_least_turned(code) for code in codes.ravel().tolist()]
    kinds = sorted({_least_turned(code) for code in range(256)})
    return [turned.count(kind) / len(turned) for kind in kinds]


def test_shares_are_those_of_the_definition_on_all_pixels_on_some_and_on_all_where_there_are_none() -> None:
    channel = np.random.default_rng(1).uniform(0, 12, (23, 31)).astype(np.float32)
    some = np.zeros(channel.shape, np.bool_)
    some[5:15, 3:20] = True
    rim = np.zeros(channel.shape, np.bool_)
    rim[0] = True

    codes = _codes(channel)
    assert np.allclose(pattern_shares(channel, CLEARLY), _expected(codes), atol=1e-6)
    assert np.allclose(pattern_shares(channel, CLEARLY, some), _expected(codes[4:14, 2:19]), atol=1e-6)
    assert np.array_equal(pattern_shares(channel, CLEARLY, rim), pattern_shares(channel, CLEARLY))


def test_pictures_without_inner_pixels_have_no_patterns() -> None:
    assert pattern_shares(np.ones((2, 9), np.float32), CLEARLY).tolist() == [0.0] * PATTERNS
