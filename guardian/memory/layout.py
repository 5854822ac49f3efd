"""What the arrays of a segment of the memory are: those of an index segment, so that one reader serves both, and more.

Beside them `phashes` uint8 [n, 8] (the published hash) and, when every picture has them, `appearance` uint8 [n, bytes].
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.appearance import can_be_widened, widened
from guardian.matching.features.small import SmallFingerprint
from guardian.matching.index import layout

Arrays = Mapping[str, NDArray[Any]]

Entry = tuple[int, str, SmallFingerprint]
"""Number and id of a remembered picture, and its fingerprint."""

# A row for each picture, and a row for each keypoint; the rest says where rows begin, or is made of these.
_OF_PICTURES = ("numbers", "ids", "sizes", "hashes", "phashes")
_OF_SOME_PICTURES = ("vectors", "appearance")
_OF_POINTS = ("points", "descriptors")


def arrays_of(entries: Sequence[Entry], recipe: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a segment that holds these pictures; there must be one at least."""
    arrays = layout.arrays_of([(number, id_, one.as_indexed(recipe)) for number, id_, one in entries])
    arrays["phashes"] = np.stack([one.perceptual_hash for _, _, one in entries])
    appearances = [np.frombuffer(one.appearance, np.uint8)[None] for _, _, one in entries]
    if all(one.size for one in appearances) and (alike := _of_one_version(appearances)):
        arrays["appearance"] = np.concatenate(alike)
    return arrays


def _of_one_version(appearances: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.uint8]]:
    """Return rows uint8 [n, bytes] of different versions as those of the newest; none where that cannot be."""
    widths = {rows.shape[1] for rows in appearances}
    if len(widths) == 1:
        return appearances
    return [widened(rows) for rows in appearances] if all(can_be_widened(width) for width in widths) else []


def joined(parts: Sequence[tuple[Arrays, NDArray[np.bool_]]]) -> dict[str, NDArray[Any]]:
    """Return one segment's arrays of several; of each only the pictures that its mask (bool [n]) keeps."""
    arrays: dict[str, NDArray[Any]] = {
        name: np.concatenate([part[name][kept] for part, kept in parts]) for name in _OF_PICTURES
    }
    for name in _OF_SOME_PICTURES:
        if all(name in part for part, _ in parts):
            chosen = [part[name][kept] for part, kept in parts]
            chosen = list(_of_one_version(chosen)) if name == "appearance" else chosen
            if chosen:
                arrays[name] = np.concatenate(chosen)

    counts = np.concatenate([_lengths(part["starts"])[kept] for part, kept in parts])
    arrays["starts"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    of_points = [np.repeat(kept, _lengths(part["starts"])) for part, kept in parts]
    for name in _OF_POINTS:
        arrays[name] = np.concatenate([part[name][points] for (part, _), points in zip(parts, of_points, strict=True)])

    sizes = np.concatenate([_lengths(part["preview_starts"])[kept] for part, kept in parts])
    arrays["preview_starts"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint64)
    of_bytes = [np.repeat(kept, _lengths(part["preview_starts"])) for part, kept in parts]
    previews = [part["previews"][wanted] for (part, _), wanted in zip(parts, of_bytes, strict=True)]
    arrays["previews"] = np.concatenate(previews)

    return {**arrays, **dict(layout.table_arrays([arrays["descriptors"]]))}


def bytes_of_each(arrays: Arrays) -> list[int]:
    """Return how many bytes each picture takes: its own preview, and its share of everything else."""
    previews = _lengths(arrays["preview_starts"])
    rest = sum(array.nbytes for name, array in arrays.items() if name != "previews")
    return [int(size) + rest // len(previews) for size in previews]


def _lengths(starts: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many rows each picture has in another array, int64 [n], of where they begin, [n + 1]."""
    return np.asarray(np.diff(starts.astype(np.int64)), dtype=np.int64)
