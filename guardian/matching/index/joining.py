"""Joins segments into one, array by array: nothing is decoded, and no large array is in memory as a whole."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.index.layout import table_arrays
from guardian.matching.index.reader import IndexSegment

GROWTH = 3
"""A segment is joined with all smaller ones when it is not so many times as large as they are together.

So an index of n assets has about log n segments, and an asset is written again about log n times.
"""

SMALL = 64
"""Assets; smaller segments count as one of so many."""

FEW = 3
"""So many segments cost a search next to nothing, and joining them for each asset that comes would cost more."""

WITHDRAWN_SHARE = 0.25
"""A segment is written again when so much of it is withdrawn: three assets at most for each that leaves the disk."""

_Run = tuple[IndexSegment, int, int]


def due(sizes: Sequence[int]) -> list[int]:
    """Return which segments to join, by their numbers of assets: the largest that is due and all that are smaller."""
    if len(sizes) <= FEW:
        return []
    order = sorted(range(len(sizes)), key=lambda place: -sizes[place])
    for first in range(len(order) - 1):
        smaller = sum(sizes[place] for place in order[first + 1 :])
        if sizes[order[first]] < GROWTH * max(smaller, SMALL):
            return sorted(order[first:])
    return []


def thinned(sizes: Sequence[int], withdrawn: Sequence[int], *, erase: bool) -> list[int]:
    """Return which segments to write again without what is withdrawn, by their numbers of assets that answer and not.

    Those of which much is withdrawn; with `erase` those of which anything is.
    """

    def is_due(answering: int, gone: int) -> bool:
        return gone > 0 and (erase or gone >= WITHDRAWN_SHARE * (answering + gone))

    return [place for place, counts in enumerate(zip(sizes, withdrawn, strict=True)) if is_due(*counts)]


def joined(segments: Sequence[IndexSegment]) -> Iterator[tuple[str, Sequence[NDArray[Any]]]]:
    """Yield names and parts of the arrays of one segment that holds what answers in these, in their order.

    Takes nine bytes of memory for each keypoint while it makes the tables of votes. Some asset must answer.
    """
    runs = [run for segment in segments for run in _runs(segment)]
    for name in ("numbers", "ids", "sizes", "hashes"):
        yield name, [segment.arrays[name][first:last] for segment, first, last in runs]
    if all("vectors" in segment.arrays for segment in segments):
        yield "vectors", [segment.arrays["vectors"][first:last] for segment, first, last in runs]
    if any("frames" in segment.arrays for segment in segments):
        yield "frames", [_frames(*run) for run in runs]

    yield "starts", [_starts(runs, "starts")]
    for name in ("points", "descriptors"):
        yield name, _rows_of(runs, name, "starts")
    yield "preview_starts", [_starts(runs, "preview_starts")]
    yield "previews", _rows_of(runs, "previews", "preview_starts")
    yield from ((name, [array]) for name, array in table_arrays(_rows_of(runs, "descriptors", "starts")))


def _runs(segment: IndexSegment) -> list[_Run]:
    """Return the stretches of a segment's assets of which all answer: first and behind the last."""
    edges = np.flatnonzero(np.diff(np.r_[False, segment.alive, False]))
    return [(segment, int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _frames(segment: IndexSegment, first: int, last: int) -> NDArray[np.uint32]:
    frames = segment.arrays.get("frames")
    return np.zeros(last - first, np.uint32) if frames is None else frames[first:last]


def _starts(runs: Sequence[_Run], name: str) -> NDArray[Any]:
    """Return where each asset's rows begin, and the end."""
    counts = [np.diff(segment.arrays[name][first : last + 1]) for segment, first, last in runs]
    starts: NDArray[Any] = np.r_[0, np.cumsum(np.concatenate(counts), dtype=np.uint64)]
    return starts.astype(runs[0][0].arrays[name].dtype)


def _rows_of(runs: Sequence[_Run], name: str, starts: str) -> list[NDArray[Any]]:
    """Return of an array the rows that belong to the assets of each run."""
    found = []
    for segment, first, last in runs:
        begins = segment.arrays[starts]
        found.append(segment.arrays[name][int(begins[first]) : int(begins[last])])
    return found
