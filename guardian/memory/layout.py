"""What the arrays of a segment of the memory are: those of an index segment, so that one reader serves both, and more.

Beside them `phashes` uint8 [n, 8] (the published hash) and, when every picture has them, `appearance` uint8 [n, bytes].
Where appearances of several versions lie in one segment, `lacking` bool [n] says which are not of the newest of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES, can_be_widened, widened
from guardian.matching.features.small import SmallFingerprint
from guardian.matching.index import layout

Arrays = Mapping[str, NDArray[Any]]

Entry = tuple[int, str, SmallFingerprint]
"""Number and id of a remembered picture, and its fingerprint."""

# A row for each picture, and a row for each keypoint; the rest says where rows begin, or is made of these.
_OF_PICTURES = ("numbers", "ids", "sizes", "hashes", "phashes")
_OF_SOME_PICTURES = ("vectors", "appearance")
_OF_POINTS = ("points", "descriptors")

_WIDENED_AT_ONCE = 16_384


def arrays_of(entries: Sequence[Entry], recipe: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a segment that holds these pictures; there must be one at least."""
    arrays = layout.arrays_of([(number, id_, one.as_indexed(recipe)) for number, id_, one in entries])
    arrays["phashes"] = np.stack([one.perceptual_hash for _, _, one in entries])
    appearances = [np.frombuffer(one.appearance, np.uint8)[None] for _, _, one in entries]
    if all(one.size for one in appearances) and (alike := _of_one_version(appearances)):
        arrays["appearance"] = np.concatenate(alike)
        if alike is not appearances:
            arrays["lacking"] = np.array([one.shape[1] != APPEARANCE_BYTES for one in appearances])
    return arrays


def _of_one_version(appearances: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.uint8]]:
    """Return rows uint8 [n, bytes] of different versions as those of the newest; none where that cannot be."""
    widths = {rows.shape[1] for rows in appearances}
    if len(widths) == 1:
        return appearances
    return _Widened(appearances) if all(can_be_widened(width) for width in widths) else ()


class _Widened(Sequence[NDArray[np.uint8]]):
    """Appearances of several versions as those of the newest: each part is made when it is looked at, and not kept."""

    def __init__(self, parts: Sequence[NDArray[np.uint8]]) -> None:
        self._parts = [
            part[start : start + _WIDENED_AT_ONCE] for part in parts for start in range(0, len(part), _WIDENED_AT_ONCE)
        ]

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, place: Any) -> Any:
        return widened(self._parts[place])


def joined(parts: Sequence[tuple[Arrays, NDArray[np.bool_]]]) -> Iterator[tuple[str, Sequence[NDArray[Any]]]]:
    """Yield names and parts of the arrays of one segment made of several; of each only what its mask (bool [n]) keeps.

    Parts are slices of what is mapped. Takes nine bytes of memory for each keypoint while it makes the vote tables.
    """
    runs = [(arrays, first, last) for arrays, kept in parts for first, last in _runs(kept)]
    for name in _OF_PICTURES:
        yield name, [arrays[name][first:last] for arrays, first, last in runs]
    for name in _OF_SOME_PICTURES:
        if all(name in arrays for arrays, _ in parts):
            rows: Sequence[NDArray[Any]] = [arrays[name][first:last] for arrays, first, last in runs]
            alike = _of_one_version(rows) if name == "appearance" else rows
            if alike:
                yield name, alike
            if alike is not rows or any("lacking" in arrays for arrays, _ in parts):
                yield "lacking", [_lacking(arrays, first, last) for arrays, first, last in runs]

    yield "starts", [_starts(runs, "starts")]
    for name in _OF_POINTS:
        yield name, _rows_of(runs, name, "starts")
    yield "preview_starts", [_starts(runs, "preview_starts")]
    yield "previews", _rows_of(runs, "previews", "preview_starts")
    yield from ((name, [array]) for name, array in layout.table_arrays(_rows_of(runs, "descriptors", "starts")))


def _lacking(arrays: Arrays, first: int, last: int) -> NDArray[np.bool_]:
    """Return which pictures of a run have only the parts of an earlier version of the appearance."""
    if arrays["appearance"].shape[1] != APPEARANCE_BYTES:
        return np.ones(last - first, dtype=bool)
    return np.asarray(arrays["lacking"][first:last]) if "lacking" in arrays else np.zeros(last - first, dtype=bool)


def _runs(kept: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of pictures that are all kept: first and behind the last."""
    edges = np.flatnonzero(np.diff(np.r_[False, kept, False]))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _starts(runs: Sequence[tuple[Arrays, int, int]], name: str) -> NDArray[Any]:
    """Return where the rows of each picture begin, and the end."""
    counts = [np.diff(arrays[name][first : last + 1].astype(np.int64)) for arrays, first, last in runs]
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return starts.astype(runs[0][0][name].dtype)


def _rows_of(runs: Sequence[tuple[Arrays, int, int]], name: str, starts: str) -> list[NDArray[Any]]:
    """Return of an array the rows that belong to the pictures of each run."""
    return [arrays[name][int(arrays[starts][first]) : int(arrays[starts][last])] for arrays, first, last in runs]


def bytes_of_each(arrays: Arrays) -> list[int]:
    """Return how many bytes each picture takes: its own preview, and its share of everything else."""
    previews = _lengths(arrays["preview_starts"])
    rest = sum(array.nbytes for name, array in arrays.items() if name != "previews")
    return [int(size) + rest // len(previews) for size in previews]


def _lengths(starts: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many rows each picture has in another array, int64 [n], of where they begin, [n + 1]."""
    return np.asarray(np.diff(starts.astype(np.int64)), dtype=np.int64)
