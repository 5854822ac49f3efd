"""Finds pictures that are nearly the same as a remembered one, so that one fingerprint stands for both.

The same picture recompressed, or at another size: nothing that a person would call another version.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing
from guardian.memory.layout import Entry
from guardian.memory.reading import MemorySegment

MOST_BITS = 20
"""Of 256 that the hashes of near-identical pictures may differ in; ten at most did in 90 saved again."""

_MOST_STRETCH = 0.02
_CELLS = 8
# Grey levels (of each channel) by which the means of two previews' cells may differ: at most, and on average.
_MOST_DIFFERENCE, _MEAN_DIFFERENCE = 8.0, 2.0


def find_joined(segments: Sequence[MemorySegment], entries: Sequence[Entry]) -> dict[int, str]:
    """Return which new pictures are nearly the same as a remembered or an earlier new one: number -> that one's id.

    What a hash brings is confirmed by the previews: size, and every part in colour. A picture whose fingerprint was
    made anew is not joined to what a segment still holds of it under its earlier number.
    """
    joined: dict[int, str] = {}
    batch = np.stack([one.hash for _, _, one in entries]) if entries else np.zeros((0, 32), np.uint8)
    for place, (number, own_id, fingerprint) in enumerate(entries):
        for id_, size, preview in _alike(segments, entries[:place], batch, place):
            if id_ == own_id:
                continue
            earlier_is_joined = any(id_ == entries[at][1] and entries[at][0] in joined for at in range(place))
            if not earlier_is_joined and _is_confirmed(
                (fingerprint.width, fingerprint.height), size, fingerprint.preview, preview
            ):
                joined[number] = id_
                break
    return joined


def _alike(
    segments: Sequence[MemorySegment], earlier: Sequence[Entry], batch: NDArray[np.uint8], place: int
) -> Iterable[tuple[str, tuple[int, int], bytes]]:
    """Yield id, size and preview of pictures whose hash is within MOST_BITS of that of the picture at `place`."""
    for at in hashing.within(batch[place], batch[:place], MOST_BITS):
        _, id_, one = earlier[int(at)]
        yield id_, (one.width, one.height), one.preview
    for segment in segments:
        for row in hashing.within(batch[place], segment.hashes, MOST_BITS):
            if segment.alive[row]:
                width, height = segment.sizes[row]
                yield segment.id(int(row)), (int(width), int(height)), segment.preview(int(row))


def _is_confirmed(size: tuple[int, int], other_size: tuple[int, int], preview: bytes, other: bytes) -> bool:
    """Return whether two previews show the same in every part."""
    one, two = size[0] / size[1], other_size[0] / other_size[1]
    if abs(one - two) > _MOST_STRETCH * max(one, two):
        return False
    difference = np.abs(_cells(preview) - _cells(other))
    return bool(difference.max() <= _MOST_DIFFERENCE and difference.mean() <= _MEAN_DIFFERENCE)


def _cells(preview: bytes) -> NDArray[np.float32]:
    """Return the mean colour of each part of a preview: float32 [8, 8, 3]."""
    picture = cv2.imdecode(np.frombuffer(preview, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return np.full((_CELLS, _CELLS, 3), np.nan, np.float32)
    small = cv2.resize(picture, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
