"""What the arrays of an index segment are: making them of fingerprints, and reading keypoints back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.features.keypoints import OrientedPoints
from guardian.matching.index import votes
from guardian.matching.index.votes import VoteTable

Entry = tuple[int, str, Fingerprint]
"""Asset number, asset id, fingerprint."""

MOST_PLACE = 65535
"""Positions are kept as uint16 shares of the picture's sides: to a sixteenth of a pixel at 4,000."""

ANGLE_STEPS = 256
"""Angles are kept in eight bits: to 1.4 degrees, finer than ORB measures them."""

_LEAST_SPAN, _SPANS_PER_OCTAVE = 8.0, 21
"""Sizes of keypoints are kept in eight bits: from 8 pixels on twelve octaves, to 1.7 %; ORB's are a fifth apart."""


def arrays_of(entries: Sequence[Entry]) -> dict[str, NDArray[Any]]:
    """Return the arrays of one segment that holds n frames of assets with m keypoints together.

    A row for each frame (an asset that is no animation has one): `numbers` int64 [n], `ids` S32 [n] (the same for all
    frames of an asset), `sizes` int32 [n, 2] (width, height), `hashes` uint8 [n, 32], `vectors` float16 [n, d] (only
    when every asset has one), `frames` uint32 [n] (0 where a file has only one; only when some have more). `starts` and
    `preview_starts` [n + 1] say where a frame's rows begin in the arrays of keypoints and in `previews`.

    A row for each keypoint: `points` uint16 [m, 3] (x, y, angle and size), `descriptors` uint8 [m, 32].

    `previews` uint8 [bytes]: grey JPEG files, one after the other. `offsets0`, `rows0`, `tags0` and so on: see
    votes.VoteTable.
    """
    rows = [(number, identity, frame) for number, identity, fingerprint in entries for frame in fingerprint.frames]
    fingerprints = [fingerprint for _, _, fingerprint in rows]
    points = [fingerprint.points for fingerprint in fingerprints]
    counts = [len(one) for one in points]
    sizes = np.array([(fingerprint.width, fingerprint.height) for fingerprint in fingerprints], dtype=np.int32)
    preview_sizes = [len(fingerprint.preview) for fingerprint in fingerprints]

    arrays = {
        "numbers": np.array([number for number, _, _ in rows], dtype=np.int64),
        "ids": np.array([identity.encode("ascii") for _, identity, _ in rows], dtype="S32"),
        "sizes": sizes,
        "hashes": np.stack([fingerprint.hash for fingerprint in fingerprints]),
        "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "points": _packed(points, np.repeat(sizes, counts, axis=0)),
        "descriptors": np.concatenate([one.descriptors for one in points]).reshape(-1, 32),
        "previews": np.frombuffer(b"".join(fingerprint.preview for fingerprint in fingerprints), dtype=np.uint8),
        "preview_starts": np.concatenate([[0], np.cumsum(preview_sizes)]).astype(np.uint64),
    }

    embeddings = [fingerprint.embedding for fingerprint in fingerprints if fingerprint.embedding is not None]
    if len(embeddings) == len(rows):
        arrays["vectors"] = np.stack(embeddings).astype(np.float16)

    frames = [fingerprint.frame or 0 for fingerprint in fingerprints]
    if any(frames):
        arrays["frames"] = np.array(frames, dtype=np.uint32)

    return {**arrays, **dict(table_arrays([arrays["descriptors"]]))}


def table_arrays(descriptors: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield names and arrays of the vote tables over descriptors that are given in parts, one table after the other."""
    for key in range(votes.KEYS):
        table = votes.build_table(key, descriptors)
        yield f"offsets{key}", table.offsets
        yield f"rows{key}", table.rows
        yield f"tags{key}", table.tags


def tables_in(arrays: Mapping[str, NDArray[Any]]) -> tuple[VoteTable, ...]:
    """Return the vote tables of a segment's arrays."""
    return tuple(
        VoteTable(arrays[f"offsets{key}"], arrays[f"rows{key}"], arrays[f"tags{key}"]) for key in range(votes.KEYS)
    )


def _packed(points: Sequence[OrientedPoints], sizes: NDArray[np.int32]) -> NDArray[np.uint16]:
    """Return what is kept of keypoints, uint16 [m, 3]; `sizes` int32 [m, 2] are those of their pictures."""
    x, y, span, angle = (np.concatenate([getattr(one, name) for one in points]) for name in ("x", "y", "size", "angle"))
    packed = np.empty((len(x), 3), np.uint16)
    packed[:, :2] = np.round(np.stack([x, y], axis=1) / sizes * MOST_PLACE).clip(0, MOST_PLACE)
    spans = np.round(np.log2(np.maximum(span, _LEAST_SPAN) / _LEAST_SPAN) * _SPANS_PER_OCTAVE).clip(0, 255)
    angles = np.round(angle * (ANGLE_STEPS / 360)).astype(np.uint16) % ANGLE_STEPS
    packed[:, 2] = angles << 8 | spans.astype(np.uint16)
    return packed


def unpacked(packed: NDArray[np.uint16], sizes: NDArray[np.int32]) -> OrientedPoints:
    """Return kept keypoints, uint16 [m, 3], in pixels of their pictures; `sizes`: int32 [m, 2] or [2]."""
    # One size for all, or one for each.
    return OrientedPoints(*_unpacked(packed, sizes.astype(np.float32).reshape(-1, 2), _SPANS))


@kernel
def _unpacked(packed, sizes, spans):  # type: ignore[no-untyped-def]
    """Return x, y, size and angle, float32 [m] each."""
    count = packed.shape[0]
    x, y = np.empty(count, np.float32), np.empty(count, np.float32)
    size, angle = np.empty(count, np.float32), np.empty(count, np.float32)
    each = 1 if sizes.shape[0] == count else 0
    for i in range(count):
        x[i] = np.float32(packed[i, 0]) / np.float32(MOST_PLACE) * sizes[i * each, 0]
        y[i] = np.float32(packed[i, 1]) / np.float32(MOST_PLACE) * sizes[i * each, 1]
        size[i] = spans[packed[i, 2] & 255]
        angle[i] = np.float32(packed[i, 2] >> 8) * np.float32(360 / ANGLE_STEPS)
    return x, y, size, angle


_SPANS = (_LEAST_SPAN * 2 ** (np.arange(256) / _SPANS_PER_OCTAVE)).astype(np.float32)
