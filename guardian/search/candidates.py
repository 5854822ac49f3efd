"""Looks for pictures that may answer a question, and compares their appearances. Runs inside a worker process."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady, UsageError
from guardian.matching.features.appearance_bytes import (
    APPEARANCE_BYTES,
    APPEARANCE_VERSION,
    as_of_version,
    versions_of,
)
from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.search.aspects import Aspect, Floats, exact_vectors_of, rounded, unit
from guardian.search.colours import main_colours, scores_of
from guardian.search.nearest import nearest
from guardian.search.question import Among, By, Kind, PictureKey, Question, WantedColour
from guardian.search.rows import AssetRows, Rows
from guardian.search.seen_rows import SeenPictures
from guardian.search.views_of_query import views_of

_HEAD, _HEAD_OF_EACH, _HEAD_FOR_COLOURS = 100, 200, 400
"""Rows that are compared exactly, at least: by one aspect, of each where all are joined by their ranks, and where
colours choose among them, of which many may have none.

The cosines of rounded vectors are so near to those of exact ones that the best 20 of a million lie among the first 100.
"""

LIKE, UNLIKE = 0.75, 0.35
"""How far examples move the question (Rocchio, 1971)."""


@dataclass(frozen=True, slots=True)
class SearchSegment:
    """One segment on disk: rows of one kind, and which of them may be returned, bool [n]."""

    kind: Kind
    rows: Rows
    eligible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ColourFit:
    """How well a picture has the colours asked for (larger is better), and which share (0-1) of it each covers."""

    score: float
    shares: tuple[float, ...]


def open_segments(question: Question) -> tuple[list[SearchSegment], tuple[str, ...]]:
    """Return the segments that a question is asked of, and what of them cannot be searched, in words.

    Of kinds that only examples come from nothing may be returned.
    """
    segments: list[SearchSegment] = []
    not_searched: tuple[str, ...] = ()
    examples: Among = {kind: np.empty(0, np.int64) for kind, _ in (*question.like, *question.unlike)}
    for kind, numbers in {**examples, **question.among}.items():
        try:
            opened, missing = _opened(kind, question)
            not_searched += missing
        except IndexNotReady as error:
            not_searched += (str(error),)
            continue
        for rows in opened:
            eligible = rows.alive if numbers is None else rows.alive & np.isin(rows.numbers, numbers)
            hidden = [number for left_out, number in question.left_out if left_out is kind]
            if hidden:
                eligible = eligible & ~np.isin(rows.numbers, hidden)
            segments.append(SearchSegment(kind, rows, eligible))
    return segments, not_searched


def previews(question: Question, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return by number the previews (JPEG) of pictures that were seen, as far as the memory has them."""
    return _memory(question.data_dir, question.memory_recipe).previews(numbers) if numbers else {}


def _opened(kind: Kind, question: Question) -> tuple[Sequence[Rows], tuple[str, ...]]:
    """Return the rows of one kind, and what of them cannot be searched, in words. Raises IndexNotReady."""
    if kind is Kind.ASSET:
        return _opened_assets(question.data_dir, AssetRows(question.data_dir).generation()), ()
    found = _memory(question.data_dir, question.memory_recipe).rows()
    return found.rows, found.not_searched


@lru_cache(maxsize=1)
def _memory(data_dir: Path, recipe: str) -> SeenPictures:
    """Return the memory of this worker process, opened once."""
    return SeenPictures(data_dir / MEMORY_FOLDER, recipe)


@lru_cache(maxsize=1)
def _opened_assets(data_dir: Path, generation: int) -> Sequence[Rows]:
    """Return the rows of one generation, mapped and checked once."""
    return AssetRows(data_dir).open()


class VisualQuery:
    """What is asked for by looks: appearances, uint8 [n, APPEARANCE_BYTES], of a picture's views and of examples.

    Without views (where only colours or words are asked for) there are no vectors, and the query is false.
    """

    def __init__(self, views: NDArray[np.uint8], like: NDArray[np.uint8], unlike: NDArray[np.uint8]) -> None:
        self._views, self._like, self._unlike = views, like, unlike
        self._known: dict[tuple[Aspect, int], Floats] = {}

    def __bool__(self) -> bool:
        return len(self._views) > 0

    def vectors(self, aspect: Aspect, version: int = APPEARANCE_VERSION) -> Floats:
        """Return the question by one aspect, float32 [views, d] unit vectors, computed once.

        Only the parts count that appearances of this version have, to be compared with these.
        """
        if (aspect, version) not in self._known:
            known = [as_of_version(rows, version) for rows in (self._views, self._like, self._unlike)]
            self._known[aspect, version] = _moved(known[0], known[1], known[2], aspect)
        return self._known[aspect, version]


def query_of(question: Question, segments: Sequence[SearchSegment], settings: MatchingSettings) -> VisualQuery:
    """Return what a question asks for by looks: its picture, moved by examples, or the examples alone.

    Raises Unmatchable for a picture that cannot be looked at, UsageError for a wrong region or an unknown example.
    """
    views = np.empty((0, APPEARANCE_BYTES), np.uint8)
    if question.content is not None:
        views = views_of(decode(question.content, settings), question.region)
    like, unlike = _examples(question.like, segments), _examples(question.unlike, segments)
    if len(views):
        return VisualQuery(views, like, unlike)
    # The examples are the question themselves, and nothing is left to move it towards.
    return VisualQuery(views=like, like=views, unlike=unlike)


def _moved(views: NDArray[np.uint8], like: NDArray[np.uint8], unlike: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the vectors of the views, moved towards what they shall be like, and away from what not."""
    moved = exact_vectors_of(views, aspect)
    if len(like):
        moved += LIKE * exact_vectors_of(like, aspect).mean(axis=0)
    if len(unlike):
        moved -= UNLIKE * exact_vectors_of(unlike, aspect).mean(axis=0)
    return unit(moved)


def _examples(keys: Sequence[PictureKey], segments: Sequence[SearchSegment]) -> NDArray[np.uint8]:
    """Return the appearances of examples, uint8 [n, APPEARANCE_BYTES]. Raises UsageError for one that has none."""
    found = []
    for kind, number in keys:
        rows = [
            segment.rows.appearances_at(np.flatnonzero(segment.rows.numbers == number))
            for segment in segments
            if segment.kind is kind
        ]
        found += [one[:1] for one in rows if len(one)]
    if len(found) < len(keys):
        raise UsageError("an example (like or unlike) has no appearance yet, or is not among what is searched")
    return np.concatenate(found) if found else np.empty((0, APPEARANCE_BYTES), np.uint8)


def head_of(by: By, top: int, *, with_colours: bool = False) -> int:
    """Return how many rows of an aspect are compared exactly, where `top` pictures are asked for."""
    least = _HEAD_OF_EACH if by is By.AUTO else _HEAD
    return max(_HEAD_FOR_COLOURS if with_colours else least, 2 * top)


class Candidates:
    """The pictures that may answer a query, each by one row of a segment, in the order in which they were added.

    Of each aspect, and by colours, the best `head` rows are added.
    """

    def __init__(self, segments: Sequence[SearchSegment], query: VisualQuery, head: int) -> None:
        self._segments, self._query, self._head = segments, query, head
        self._places: dict[PictureKey, tuple[int, int]] = {}

    @property
    def keys(self) -> list[PictureKey]:
        """All candidates."""
        return list(self._places)

    def add_nearest(self, aspect: Aspect) -> None:
        """Add the pictures that are nearest to the query by one aspect.

        A picture has a row for each frame that differs. Where few animations would take most of the head, more rows are
        looked for, until half as many pictures are found.
        """
        count = self._head
        found = self._nearest_rows(aspect, count)
        while len(found) == count and len({self._key(place, row) for place, row in found}) < self._head // 2:
            count *= 2
            found = self._nearest_rows(aspect, count)
        for place, row in found:
            self._add(place, row)

    def _nearest_rows(self, aspect: Aspect, count: int) -> list[tuple[int, int]]:
        """Return the segments and rows, at most `count`, that are nearest to the query by one aspect, nearest first."""
        found = list[tuple[float, int, int]]()
        for place, segment in enumerate(self._segments):
            versions = range(1, APPEARANCE_VERSION + 1) if segment.rows.has_older_versions else (APPEARANCE_VERSION,)
            asked = [self._query.vectors(aspect, version) for version in versions]
            vectors, signs = segment.rows.vectors(aspect), segment.rows.signs(aspect)
            rows, cosines = nearest(vectors, segment.eligible, rounded(np.concatenate(asked)), count, signs)
            found += [(-cosine, place, row) for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)]
        return [(place, row) for _, place, row in sorted(found)[:count]]

    def add(self, keys: Iterable[PictureKey]) -> None:
        """Add pictures that need not look alike: copies (a small crop does not), and those with the words."""
        missing = set(keys) - set(self._places)
        for place, segment in enumerate(self._segments):
            wanted = [number for kind, number in missing if kind is segment.kind]
            if wanted:
                for row in np.flatnonzero(np.isin(segment.rows.numbers, wanted) & segment.eligible):
                    self._add(place, int(row))

    def add_coloured(self, colours: Sequence[WantedColour], *, only_known: bool) -> dict[PictureKey, ColourFit]:
        """Add the pictures of each segment that have most of these colours, and return how well each has them.

        `only_known`: none are added; of the candidates those are returned that have the colours.
        """
        found: dict[PictureKey, ColourFit] = {}
        for place, segment in enumerate(self._segments):
            scores, shares = scores_of(segment.rows.appearances, colours)
            scores = np.where(segment.eligible, scores, -1)
            known = [row for at, row in self._places.values() if at == place]
            for row in known if only_known else np.argsort(-scores, kind="stable")[: self._head]:
                if scores[row] <= 0:
                    continue
                key = self._add(place, int(row))
                if key not in found or scores[row] > found[key].score:
                    found[key] = ColourFit(float(scores[row]), tuple(shares[:, row].tolist()))
        return found

    def cosines(self, keys: Iterable[PictureKey], aspects: Sequence[Aspect]) -> dict[PictureKey, dict[Aspect, float]]:
        """Return the cosine of candidates with the nearest view of the query, by some aspects, from unrounded vectors.

        Pictures without an appearance are left out; for a query without views, all of them.
        """
        keys = [key for key in keys if key in self._places]
        if not keys or not self._query:
            return {}
        rows = self._appearances(keys)

        found: dict[PictureKey, dict[Aspect, float]] = {key: {} for key in keys}
        versions = versions_of(rows)
        for aspect in aspects:
            vectors = exact_vectors_of(rows, aspect)
            nearest_view = np.empty(len(rows), dtype=np.float32)
            for version in np.unique(versions):
                asked = self._query.vectors(aspect, int(version))
                nearest_view[versions == version] = (vectors[versions == version] @ asked.T).max(axis=1)
            for key, cosine in zip(keys, nearest_view, strict=True):
                found[key][aspect] = float(cosine)
        return found

    def main_colours(self, keys: Iterable[PictureKey]) -> dict[PictureKey, str | None]:
        """Return the name of the colour that most of each picture has; pictures without an appearance are left out."""
        keys = [key for key in keys if key in self._places]
        return dict(zip(keys, main_colours(self._appearances(keys)), strict=True)) if keys else {}

    def _add(self, place: int, row: int) -> PictureKey:
        """Add the picture of one row; of an animation's frames the first that is added stands for it."""
        key = self._key(place, row)
        self._places.setdefault(key, (place, row))
        return key

    def _key(self, place: int, row: int) -> PictureKey:
        segment = self._segments[place]
        return segment.kind, int(segment.rows.numbers[row])

    def _appearances(self, keys: Sequence[PictureKey]) -> NDArray[np.uint8]:
        """Return the appearances of candidates, uint8 [n, APPEARANCE_BYTES]."""
        of_segment, rows = np.array([self._places[key] for key in keys], dtype=np.int64).reshape(-1, 2).T
        found = np.empty((len(keys), APPEARANCE_BYTES), dtype=np.uint8)
        for place in np.unique(of_segment):
            mine = of_segment == place
            found[mine] = self._segments[place].rows.appearances_at(rows[mine])
        return found
