"""Finds pictures that are nearly the same as a remembered one, so that one fingerprint stands for both.

The same picture recompressed, or at another size: nothing that a person would call another version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing
from guardian.matching.features.small import SmallFingerprint
from guardian.memory.layout import Entry
from guardian.memory.reading import MemorySegment

MOST_BITS = 20
"""Of 256 that the hashes of near-identical pictures may differ in; ten at most did in 90 saved again."""

_MOST_STRETCH = 0.02
"""By which share of it the ratio of width to height may differ."""

_CELLS = 8
"""Parts of a preview that are compared, across and down."""

_MOST_DIFFERENCE, _MEAN_DIFFERENCE = 8.0, 2.0
"""Levels (0-255, of each channel) by which the mean colours of two parts may differ: at most, and on average."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A picture that a new one may be joined to: its id, its size in pixels and its preview (JPEG)."""

    id: str
    width: int
    height: int
    preview: bytes


def find_joined(segments: Sequence[MemorySegment], entries: Sequence[Entry]) -> dict[int, str]:
    """Return which new pictures are nearly the same as a remembered or an earlier new one: number -> that one's id.

    What a hash brings is confirmed by the previews: size, and every part in colour. A picture whose fingerprint was
    made anew is not joined to what a segment still holds of it under its earlier number.
    """
    joined: dict[int, str] = {}
    # Pictures that are joined themselves stand for no others.
    ids_joined: set[str] = set()
    hashes = np.stack([one.hash for _, _, one in entries]) if entries else np.zeros((0, 32), np.uint8)
    for place, (number, id_, fingerprint) in enumerate(entries):
        for earlier in _earlier_with_near_hash(segments, entries, hashes[:place], fingerprint):
            if earlier.id != id_ and earlier.id not in ids_joined and _show_the_same(fingerprint, earlier):
                joined[number] = earlier.id
                ids_joined.add(id_)
                break
    return joined


def _earlier_with_near_hash(
    segments: Sequence[MemorySegment],
    new: Sequence[Entry],
    hashes: NDArray[np.uint8],
    fingerprint: SmallFingerprint,
) -> Iterable[_Earlier]:
    """Yield the pictures, new ones first, whose hash differs from that of a fingerprint in at most MOST_BITS.

    `hashes`, uint8 [n, 32], are those of the first n of the new pictures; only these are asked.
    """
    for place in hashing.within(fingerprint.hash, hashes, MOST_BITS):
        _, id_, one = new[int(place)]
        yield _Earlier(id_, one.width, one.height, one.preview)
    for segment in segments:
        for row in hashing.within(fingerprint.hash, segment.hashes, MOST_BITS):
            if segment.alive[row]:
                width, height = segment.sizes[row]
                yield _Earlier(segment.id(int(row)), int(width), int(height), segment.preview(int(row)))


def _show_the_same(new: SmallFingerprint, earlier: _Earlier) -> bool:
    """Return whether two pictures have the same shape, and their previews the same colour in every part."""
    one, other = new.width / new.height, earlier.width / earlier.height
    if abs(one - other) > _MOST_STRETCH * max(one, other):
        return False
    difference = np.abs(_cells(new.preview) - _cells(earlier.preview))
    return bool(difference.max() <= _MOST_DIFFERENCE and difference.mean() <= _MEAN_DIFFERENCE)


def _cells(preview: bytes) -> NDArray[np.float32]:
    """Return the mean colour of each part of a preview: float32 [8, 8, 3]."""
    picture = cv2.imdecode(np.frombuffer(preview, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((_CELLS, _CELLS, 3), np.nan, np.float32)
    small = cv2.resize(picture, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
