"""Labels that pictures get from those they look most like. Runs inside a worker process."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.search.aspects import Aspect, projections
from guardian.search.question import Kind, PictureKey
from guardian.search.rows import AssetRows, Rows
from guardian.search.seen_rows import SeenPictures

NEIGHBOURS = 8
"""Nearest labelled pictures that are asked."""

MAJORITY = 0.5
"""Share of them that must carry a term; more than this."""

_BLOCK = 256


def terms_of_neighbours(
    data_dir: Path,
    memory_recipe: str,
    labelled: Mapping[PictureKey, Sequence[str]],
    unlabelled: Sequence[PictureKey],
) -> dict[PictureKey, dict[str, float]]:
    """Return the terms that most of the nearest labelled pictures carry, with their share, for each unlabelled one.

    Only pictures that look alike (one random pair in twenty does) are asked, and there must be NEIGHBOURS of them: a
    picture that looks like nothing that has labels gets none.
    """
    looks = _looks(data_dir, memory_recipe)
    known = [key for key in labelled if key in looks]
    wanted = [key for key in unlabelled if key in looks]
    if len(known) < NEIGHBOURS or not wanted:
        return {}

    carried = [labelled[key] for key in known]
    found = {}
    base = np.stack([looks[key] for key in known]).astype(np.float32) / 127
    for start in range(0, len(wanted), _BLOCK):
        block = np.stack([looks[key] for key in wanted[start : start + _BLOCK]]).astype(np.float32) / 127
        for key, cosines in zip(wanted[start : start + _BLOCK], block @ base.T, strict=True):
            if terms := majority(cosines, carried):
                found[key] = terms
    return found


def majority(cosines: NDArray[np.float32], carried: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the terms that more than MAJORITY of the nearest carry, with their share.

    `cosines` float32 [n] are those of labelled pictures, `carried` their terms.
    """
    nearest = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
    if len(nearest) < NEIGHBOURS or cosines[nearest[-1]] < projections()[Aspect.LOOK].alike:
        return {}
    votes = Counter(term for place in nearest for term in set(carried[place]))
    return {term: count / NEIGHBOURS for term, count in sorted(votes.items()) if count > MAJORITY * NEIGHBOURS}


def _looks(data_dir: Path, memory_recipe: str) -> dict[PictureKey, NDArray[np.int8]]:
    """Return the vector of the look of each picture, int8 [d]: of several frames the first."""
    opened: list[tuple[Kind, Sequence[Rows]]] = [(Kind.ASSET, AssetRows(data_dir).open())]
    # Where the memory is damaged, the search says so, and what is left gets its labels.
    with suppress(IndexNotReady):
        opened.append((Kind.SEEN, SeenPictures(data_dir / MEMORY_FOLDER, memory_recipe).rows().rows))
    found: dict[PictureKey, NDArray[np.int8]] = {}
    for kind, several in opened:
        for rows in several:
            vectors = rows.vectors(Aspect.LOOK)
            for row in np.flatnonzero(rows.alive):
                found.setdefault((kind, int(rows.numbers[row])), vectors[row])
    return found
