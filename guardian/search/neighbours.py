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
"""Nearest labelled pictures that are asked."""

MAJORITY = 0.5
"""Share of them that must carry a term; more than this."""

# An animation has a row for each of its frames, of which one counts.
_ROWS = 4 * NEIGHBOURS

Neighbour = tuple[PictureKey, float]
"""A picture, and the cosine of its look with that of another one."""


def labelled_neighbours(
    data_dir: Path, memory_recipe: str, labelled: Mapping[Kind, NDArray[np.int64]], asked: Sequence[PictureKey]
) -> dict[PictureKey, list[Neighbour]]:
    """Return the labelled pictures that look most like each of some others, nearest first, at most NEIGHBOURS.

    `labelled`: numbers, int64 [n], of the pictures of each kind that carry labels. Pictures without an appearance are
    left out.
    """
    shelves = _opened(data_dir, memory_recipe)
    eligible = [rows.alive & np.isin(rows.numbers, labelled.get(kind, ())) for kind, rows in shelves]
    found = {}
    for key in asked:
        query = _look(shelves, key)
        if query is None:
            continue
        brought = list[Neighbour]()
        for (kind, rows), allowed in zip(shelves, eligible, strict=True):
            places, products = nearest(rows.vectors(Aspect.LOOK), allowed, query, _ROWS)
            cosines = products / 127**2
            brought += [
                ((kind, int(rows.numbers[place])), float(cosine)) for place, cosine in zip(places, cosines, strict=True)
            ]
        best: dict[PictureKey, float] = {}
        for other, cosine in sorted(brought, key=lambda one: (-one[1], one[0])):
            if other != key:
                best.setdefault(other, cosine)
        found[key] = list(best.items())[:NEIGHBOURS]
    return found


def majority(cosines: NDArray[np.float32], carried: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the terms that more than MAJORITY of the nearest carry, with their share.

    `cosines` float32 [n] are those of labelled pictures, `carried` their terms. Only pictures that look alike (one
    random pair in twenty does) are asked, and there must be NEIGHBOURS of them: a picture that looks like nothing that
    has labels gets none.
    """
    nearest_ones = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
    if len(nearest_ones) < NEIGHBOURS or cosines[nearest_ones[-1]] < projections()[Aspect.LOOK].alike:
        return {}
    votes = Counter(term for place in nearest_ones for term in set(carried[place]))
    return {term: count / NEIGHBOURS for term, count in sorted(votes.items()) if count > MAJORITY * NEIGHBOURS}


def _opened(data_dir: Path, memory_recipe: str) -> list[tuple[Kind, Rows]]:
    found = [(Kind.ASSET, rows) for rows in AssetRows(data_dir).open()]
    # Where the memory is damaged, the search says so, and what is left gets its labels.
    with suppress(IndexNotReady):
        seen = SeenPictures(data_dir / MEMORY_FOLDER, memory_recipe).rows()
        found += [(Kind.SEEN, rows) for rows in seen.rows]
    return found


def _look(shelves: Sequence[tuple[Kind, Rows]], key: PictureKey) -> NDArray[np.int8] | None:
    """Return the vector of a picture's look, int8 [1, d]: of several frames the first; None when it has none."""
    for kind, rows in shelves:
        if kind is key[0]:
            places = np.flatnonzero(rows.alive & (rows.numbers == key[1]))
            if len(places):
                return np.ascontiguousarray(rows.vectors(Aspect.LOOK)[places[:1]])
    return None
