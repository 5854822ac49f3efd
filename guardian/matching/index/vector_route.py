"""The third route, open only with weights: assets near in a descriptor's space, and how they may lie in the candidate.

A descriptor says which asset, never where. So each asset that it brings is laid over the part that brought it, and
its keypoints are matched with all of the candidate's, which would be too dear for assets that nothing speaks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind
from usearch.index import search as nearest_vectors

from guardian.matching import consensus
from guardian.matching.features import hashing
from guardian.matching.features.embedding import Embedder
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import Sides, taken
from guardian.matching.features.windows import PixelBox
from guardian.matching.geometry import Proposal, mirrored_back
from guardian.matching.index import votes
from guardian.matching.index.reader import Index, IndexSegment, IndexSlot

NEAREST = 3
"""Assets that each part of a candidate brings."""

_MOST_MATCHED = 4
_TILE_SHARE = 0.6
_TRANSFORMS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A box of the candidate (left, top, right, bottom in its pixels) and its unit vector, float32 [d]."""

    box: PixelBox
    vector: NDArray[np.float32]


class PartEncoder:
    """Encodes a candidate and its tiles when a shard first asks for them: a descriptor is dear, and may not be needed.

    A shard on another machine, which has no descriptor, would be sent the parts.
    """

    def __init__(self, picture: Picture, embedder: Embedder) -> None:
        self._picture, self._embedder = picture, embedder
        self._parts: list[Part] = []

    def parts(self, *, with_tiles: bool) -> list[Part]:
        """Return the whole candidate, and after it its tiles if they are wanted."""
        boxes = tiles(self._picture.width, self._picture.height)
        boxes = boxes if with_tiles else boxes[:1]
        missing = boxes[len(self._parts) :]
        if missing:
            vectors = self._embedder.encode([cut(self._picture, box) for box in missing])
            self._parts += [Part(box, vector) for box, vector in zip(missing, vectors, strict=True)]
        return self._parts[: len(boxes)]


def cut(picture: Picture, box: PixelBox) -> NDArray[np.uint8]:
    """Return what lies in a box of the full picture, uint8 [h, w, 3]; at least one pixel of the thinnest strip."""
    height, width = picture.rgb.shape[:2]
    left, right = (round(side * width / picture.width) for side in (box[0], box[2]))
    top, bottom = (round(side * height / picture.height) for side in (box[1], box[3]))
    left, top = min(left, width - 1), min(top, height - 1)
    return picture.rgb[top : max(bottom, top + 1), left : max(right, left + 1)]


def tiles(width: int, height: int) -> list[PixelBox]:
    """Return the whole, then its four corners and its middle, each of 60 % of the sides.

    A small copy fills more of a tile than of the whole, and so comes nearer to its asset.
    """
    wide, tall = width * _TILE_SHARE, height * _TILE_SHARE
    corners = [(0.0, 0.0), (width - wide, 0.0), (0.0, height - tall), (width - wide, height - tall)]
    corners.append(((width - wide) / 2, (height - tall) / 2))
    return [(0.0, 0.0, float(width), float(height)), *((x, y, x + wide, y + tall) for x, y in corners)]


def propose(index: Index, parts: Sequence[Part], sides: Sides, newer_than: int) -> dict[IndexSlot, list[Proposal]]:
    """Propose the nearest assets of each part. The first part is the whole; `sides` are in candidate pixels."""
    found: dict[IndexSlot, list[Proposal]] = {}
    closeness: dict[IndexSlot, float] = {}
    for part in parts:
        for distance, slot in _nearest(index, part.vector, newer_than):
            found.setdefault(slot, []).extend(_laid_over(index.segments[slot[0]], slot[1], part.box))
            closeness[slot] = min(distance, closeness.get(slot, np.inf))

    width = round(parts[0].box[2])
    for slot in sorted(closeness, key=lambda slot: closeness[slot])[:_MOST_MATCHED]:
        found[slot].extend(_matched(index.segments[slot[0]], slot[1], sides, width))
    return found


def _nearest(index: Index, vector: NDArray[np.float32], newer_than: int) -> list[tuple[float, IndexSlot]]:
    """Return the NEAREST assets of all segments, by distance."""
    found: list[tuple[float, IndexSlot]] = []
    for number, segment in enumerate(index.segments):
        rows = np.flatnonzero(segment.alive & (segment.numbers > newer_than))
        if segment.vectors is None or not len(rows):
            continue
        # Searched among all, the nearest might be withdrawn or older, and hide those that are asked for.
        among = segment.vectors if len(rows) == len(segment) else segment.vectors[rows]
        wanted = min(NEAREST, len(rows))
        nearest = nearest_vectors(among, vector.astype(np.float16), wanted, MetricKind.IP, exact=True)
        pairs = zip(nearest.keys, nearest.distances, strict=True)
        found.extend((float(distance), (number, int(rows[int(key)]))) for key, distance in pairs)
    return sorted(found)[:NEAREST]


def _laid_over(segment: IndexSegment, row: int, box: PixelBox) -> list[Proposal]:
    """Lay the asset over the whole box, upright and mirrored."""
    width, height = segment.size(row)
    return [
        Proposal(hashing.orientation_transform(orientation, width, height, box), orientation == 4)
        for orientation in (0, 4)
    ]


def _matched(segment: IndexSegment, row: int, sides: Sides, width: int) -> list[Proposal]:
    """Match the asset's keypoints with all of the candidate's, on both sides, for the best-supported transforms."""
    asset = segment.points(row)
    proposals = []
    for mirrored in (False, True):
        mine, theirs = votes.match(asset.words, sides[mirrored].words)
        if len(mine) < 2:
            continue

        points, positions = taken(asset, mine), taken(sides[mirrored], theirs)
        agreeing = consensus.count_agreeing(points, positions)

        for index in np.argsort(-agreeing, kind="stable")[:_TRANSFORMS]:
            if agreeing[index] < 2:
                break
            matrix = consensus.proposed_similarity(points, positions, int(index))
            matrix = mirrored_back(matrix, width) if mirrored else matrix
            proposals.append(Proposal(matrix, mirrored, int(agreeing[index]), len(mine)))
    return proposals
