"""Which labelled pictures look most like others. Runs inside a worker process."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.search.aspects import Aspect, projections
from guardian.search.nearest import nearest
from guardian.search.question import Kind, PictureKey
from guardian.search.rows import AssetRows, Rows
from guardian.search.seen_rows import SeenPictures

NEIGHBOURS = 8
"""Nearest labelled pictures that are asked, at most."""

FEWEST = 4
"""Of them must look alike at least: one random pair in twenty does."""

MAJORITY = 0.7
"""Share of the votes that a term must have; more than this."""

_STEEPNESS = 8
"""The vote of a neighbour is its cosine to this power, so that those that look much alike outvote the others."""

# An animation has a row for each of its frames, of which one counts.
_ROWS = 4 * NEIGHBOURS

_BROUGHT = 2 * NEIGHBOURS
"""Of them some may show the same picture, of which one counts."""

Neighbour = tuple[PictureKey, float]
"""A picture, and the cosine of its look with that of another one."""


def labelled_neighbours(
    data_dir: Path, memory_recipe: str, labelled: Mapping[Kind, NDArray[np.int64]], asked: Sequence[PictureKey]
) -> dict[PictureKey, list[Neighbour]]:
    """Return the labelled pictures that look most like each of some others, nearest first.

    They are up to twice NEIGHBOURS, since copies of one picture may be among them. `labelled`: numbers, int64 [n], of
    the pictures of each kind that carry labels. Pictures without an appearance are left out.
    """
    segments = _opened(data_dir, memory_recipe)
    eligible = [rows.alive & np.isin(rows.numbers, labelled.get(kind, ())) for kind, rows in segments]
    found = {}
    for key in asked:
        query = _look(segments, key)
        if query is None:
            continue
        brought = list[Neighbour]()
        for (kind, rows), allowed in zip(segments, eligible, strict=True):
            places, cosines = nearest(rows.vectors(Aspect.LOOK), allowed, query, _ROWS)
            brought += [
                ((kind, int(rows.numbers[place])), float(cosine)) for place, cosine in zip(places, cosines, strict=True)
            ]
        best: dict[PictureKey, float] = {}
        for other, cosine in sorted(brought, key=lambda one: (-one[1], one[0])):
            if other != key:
                best.setdefault(other, cosine)
        found[key] = list(best.items())[:_BROUGHT]
    return found


def majority(cosines: NDArray[np.float32], carried: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the terms that have more than MAJORITY of the votes of the nearest, with their share.

    `cosines` float32 [n] are those of labelled pictures, `carried` their terms. A picture that looks like fewer than
    FEWEST of them gets none.
    """
    nearest_ones = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
    alike = nearest_ones[cosines[nearest_ones] >= projections()[Aspect.LOOK].alike]
    if len(alike) < FEWEST:
        return {}

    weights = cosines[alike].astype(np.float64) ** _STEEPNESS
    votes = Counter[str]()
    for place, weight in zip(alike, weights, strict=True):
        for term in set(carried[place]):
            votes[term] += weight
    total = float(weights.sum())
    return {term: weight / total for term, weight in sorted(votes.items()) if weight > MAJORITY * total}


def _opened(data_dir: Path, memory_recipe: str) -> list[tuple[Kind, Rows]]:
    found = [(Kind.ASSET, rows) for rows in AssetRows(data_dir).open()]
    # Where the memory is damaged, the search says so, and what is left gets its labels.
    with suppress(IndexNotReady):
        seen = SeenPictures(data_dir / MEMORY_FOLDER, memory_recipe).rows()
        found += [(Kind.SEEN, rows) for rows in seen.rows]
    return found


def _look(segments: Sequence[tuple[Kind, Rows]], key: PictureKey) -> NDArray[np.int8] | None:
    """Return the vector of a picture's look, int8 [1, d]: of several frames the first; None when it has none."""
    for kind, rows in segments:
        if kind is key[0]:
            places = np.flatnonzero(rows.alive & (rows.numbers == key[1]))
            if len(places):
                return np.ascontiguousarray(rows.vectors(Aspect.LOOK)[places[:1]])
    return None
