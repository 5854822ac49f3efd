"""Ranks pictures by what they share with the one that is asked with. Runs inside a worker process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady, UsageError
from guardian.matching.features.appearance import APPEARANCE_BYTES, APPEARANCE_VERSION, as_of_version, versions_of
from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.search.aspects import Aspect, Floats, exact_vectors_of, unit
from guardian.search.colours import main_colours, scores_of
from guardian.search.nearest import count_distinct, nearest
from guardian.search.question import By, CopyFact, Found, Kind, PictureKey, Question, Ranking
from guardian.search.rows import AssetRows, Rows
from guardian.search.seen_rows import SeenPictures
from guardian.search.views_of_query import views_of

HEAD = 400
"""Pictures of each aspect that are looked at exactly."""

LIKE, UNLIKE = 0.75, 0.35
"""How far examples move the question (Rocchio, 1971)."""

_FADING = 15.0
"""Of reciprocal rank fusion: how little the first ranks differ (Cormack, Clarke and Buettcher, 2009)."""

_ASPECTS_FADING = 2.0
FUSION = {Aspect.LOOK: 1.0, Aspect.COLOUR: 0.5, Aspect.SHAPE: 0.2, Aspect.TEXTURE: 0.25}
"""How much the aspects count in `auto`, and how fast their ranks fade: fitted on a third of the classes of the pictures
that fitting.py fits on, with projections of the other two thirds."""

_WORDS_WEIGHT = 1.0
"""Of the words, beside everything that is seen in a picture, where both are asked for in `auto`."""

_COPY_WEIGHT = 4.0
"""Whatever else is alike, a copy stands first."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """One segment on disk: rows of one kind, and which of them may be returned, bool [n]."""

    kind: Kind
    rows: Rows
    eligible: NDArray[np.bool_]


def rank(settings: MatchingSettings, question: Question) -> Ranking:
    """Answer one question. Raises Unmatchable for a picture that cannot be looked at, UsageError for a wrong region."""
    needs_rows = question.has_picture or question.name_colours
    segments, not_searched = _segments(question) if needs_rows else ([], ())
    searched = dict.fromkeys(question.among, 0)
    for segment in segments:
        if segment.kind in searched:
            searched[segment.kind] += count_distinct(segment.rows.numbers, segment.eligible)

    candidates = _Candidates(segments, question, _asked(question, segments, settings))
    best = candidates.best()
    if question.name_colours:
        best = candidates.with_colours(best)
    return Ranking(_with_previews(best, question), searched, not_searched)


def _with_previews(found: Sequence[Found], question: Question) -> tuple[Found, ...]:
    """Return found pictures, those that were seen with their previews: of them no original can be read."""
    numbers = [number for kind, number in (one.key for one in found) if kind is Kind.SEEN]
    previews = _memory(question.data_dir, question.memory_recipe).previews(numbers) if numbers else {}
    return tuple(replace(one, preview=previews.get(one.key[1])) if one.key[0] is Kind.SEEN else one for one in found)


def _segments(question: Question) -> tuple[list[_Segment], tuple[str, ...]]:
    segments: list[_Segment] = []
    not_searched: tuple[str, ...] = ()
    examples: dict[Kind, NDArray[np.int64] | None] = {
        kind: np.empty(0, np.int64) for kind, _ in (*question.like, *question.unlike)
    }
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
            segments.append(_Segment(kind, rows, eligible))
    return segments, not_searched


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


class _Query:
    """What is asked for by looks: appearances, uint8 [n, APPEARANCE_BYTES], of a picture's views and of examples.

    Without views (where only colours or words are asked for) there are no vectors.
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


def _asked(question: Question, segments: Sequence[_Segment], settings: MatchingSettings) -> _Query:
    views = np.empty((0, APPEARANCE_BYTES), np.uint8)
    if question.content is not None:
        views = views_of(decode(question.content, settings), question.region)
    like, unlike = _examples(question.like, segments), _examples(question.unlike, segments)
    return _Query(views, like, unlike) if len(views) else _Query(like, views, unlike)


def _moved(views: NDArray[np.uint8], like: NDArray[np.uint8], unlike: NDArray[np.uint8], aspect: Aspect) -> Floats:
    """Return the vectors of the views, moved towards what they shall be like, and away from what not."""
    moved = exact_vectors_of(views, aspect)
    if len(like):
        moved += LIKE * exact_vectors_of(like, aspect).mean(axis=0)
    if len(unlike):
        moved -= UNLIKE * exact_vectors_of(unlike, aspect).mean(axis=0)
    return unit(moved)


def _examples(keys: Sequence[PictureKey], segments: Sequence[_Segment]) -> NDArray[np.uint8]:
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


class _Candidates:
    """The pictures that some aspect or colour brings, looked at exactly."""

    def __init__(self, segments: Sequence[_Segment], question: Question, asked: _Query) -> None:
        self._segments, self._question, self._asked = segments, question, asked
        self._places: dict[PictureKey, tuple[int, int]] = {}
        self._colours: dict[PictureKey, tuple[float, tuple[float, ...]]] = {}

        wanted = _aspects_of(question.by)
        if asked:
            for aspect in wanted:
                self._bring(aspect)
        self._add([*question.copies, *(question.words or ()), *(question.described or ())])
        if question.colours:
            self._bring_colours()

    def _add(self, keys: Sequence[PictureKey]) -> None:
        """Add pictures that need not look alike: copies (a small crop does not), and those with the words."""
        missing = set(keys) - set(self._places)
        for place, segment in enumerate(self._segments):
            wanted = [number for kind, number in missing if kind is segment.kind]
            if wanted:
                for row in np.flatnonzero(np.isin(segment.rows.numbers, wanted) & segment.eligible):
                    self._note(place, int(row))

    def best(self) -> list[Found]:
        """Return as many candidates as were asked for, best first."""
        by, copies = self._question.by, self._question.copies
        ranking = self._ranking_aspects()
        alike = self._alike(list(self._places), ranking)
        if by is By.COPY:
            scores = {key: fact.probability for key, fact in copies.items()}
        elif by is By.WORDS:
            scores = reciprocal_ranks(self._question.words or {})
        elif by is By.LOOK and self._question.described is not None:
            scores = dict(self._question.described)
        elif by is not By.AUTO and self._asked:
            aspect = Aspect(by.value)
            scores = {key: cosines[aspect] for key, cosines in alike.items()}
        else:
            scores = self._fused(alike, copies)

        # Ranked by one thing, the words only choose.
        if self._question.words is not None and by is not By.AUTO:
            scores = {key: score for key, score in scores.items() if key in self._question.words}

        # With both a picture and colours, a picture must have the colours too.
        for key, (fit, _) in self._colours.items():
            scores[key] = scores.get(key, 0.0) * fit if self._is_narrowed() else fit
        if self._question.colours:
            scores = {key: score for key, score in scores.items() if key in self._colours}

        ordered = sorted(scores, key=lambda key: (-scores[key], key))[: self._question.top]
        # What does not rank is told of those that are shown alone.
        others = self._alike(ordered, [aspect for aspect in Aspect if aspect not in ranking])
        return [
            Found(
                key,
                round(scores[key], 4),
                _in_order({**alike.get(key, {}), **others.get(key, {})}),
                copies.get(key),
                (self._question.described or {}).get(key),
                self._shares(key),
                has_words=key in (self._question.words or {}),
            )
            for key in ordered
        ]

    def _ranking_aspects(self) -> list[Aspect]:
        """Return the aspects by which candidates are ranked."""
        by = self._question.by
        if by in (By.COPY, By.WORDS) or (by is By.LOOK and self._question.described is not None):
            return []
        return _aspects_of(by) if self._asked else []

    def with_colours(self, found: Sequence[Found]) -> list[Found]:
        """Return found pictures with the name of the colour that most of each has."""
        known = [one for one in found if one.key in self._places]
        if not known:
            return list(found)
        places = [self._places[one.key] for one in known]
        rows = self._rows(places)
        names = dict(zip((one.key for one in known), main_colours(rows), strict=True))
        return [replace(one, colour=names.get(one.key)) for one in found]

    def _is_narrowed(self) -> bool:
        """Return whether something else than colours has brought the candidates."""
        return bool(self._asked) or self._question.words is not None

    def _shares(self, key: PictureKey) -> tuple[float, ...]:
        return self._colours[key][1] if key in self._colours else ()

    def _bring(self, aspect: Aspect) -> None:
        found = []
        for place, segment in enumerate(self._segments):
            versions = range(1, APPEARANCE_VERSION + 1) if segment.rows.of_versions else (APPEARANCE_VERSION,)
            asked = [self._asked.vectors(aspect, version) for version in versions]
            queries = np.round(np.concatenate(asked) * 127).astype(np.int8)
            vectors, signs = segment.rows.vectors(aspect), segment.rows.signs(aspect)
            rows, products = nearest(vectors, segment.eligible, queries, HEAD, signs)
            found.append(np.stack([rows, np.full(len(rows), place), -products.astype(np.int64)]))
        if found:
            every = np.concatenate(found, axis=1)
            for row, place, _ in every[:, np.lexsort(every)[:HEAD]].T.tolist():
                self._note(place, row)

    def _bring_colours(self) -> None:
        for place, segment in enumerate(self._segments):
            scores, shares = scores_of(segment.rows.appearances, self._question.colours)
            scores = np.where(segment.eligible, scores, -1)
            known = [row for at, row in self._places.values() if at == place]
            best = known if self._is_narrowed() else np.argsort(-scores, kind="stable")[:HEAD]
            for row in best:
                if scores[row] > 0:
                    key = self._note(place, int(row))
                    if key not in self._colours or scores[row] > self._colours[key][0]:
                        self._colours[key] = (float(scores[row]), tuple(shares[:, row].tolist()))

    def _note(self, place: int, row: int) -> PictureKey:
        """Note one row; of an animation's frames the first that was brought stands for it."""
        segment = self._segments[place]
        key = (segment.kind, int(segment.rows.numbers[row]))
        self._places.setdefault(key, (place, row))
        return key

    def _rows(self, places: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
        """Return the appearances, uint8 [n, APPEARANCE_BYTES], at these rows of shelves."""
        of_shelf, rows = np.array(places, dtype=np.int64).reshape(-1, 2).T
        found = np.empty((len(places), APPEARANCE_BYTES), dtype=np.uint8)
        for place in np.unique(of_shelf):
            mine = of_shelf == place
            found[mine] = self._segments[place].rows.appearances_at(rows[mine])
        return found

    def _alike(self, keys: Sequence[PictureKey], aspects: Sequence[Aspect]) -> dict[PictureKey, dict[Aspect, float]]:
        """Return the cosine of candidates with the nearest view, by some aspects, from unrounded vectors.

        Those without an appearance are left out.
        """
        keys = [key for key in keys if key in self._places]
        if not keys or not self._asked:
            return {}
        rows = self._rows([self._places[key] for key in keys])

        found: dict[PictureKey, dict[Aspect, float]] = {key: {} for key in keys}
        versions = versions_of(rows)
        for aspect in aspects:
            vectors = exact_vectors_of(rows, aspect)
            nearest_view = np.empty(len(rows), dtype=np.float32)
            for version in np.unique(versions):
                asked = self._asked.vectors(aspect, int(version))
                nearest_view[versions == version] = (vectors[versions == version] @ asked.T).max(axis=1)
            for key, cosine in zip(keys, nearest_view, strict=True):
                found[key][aspect] = float(cosine)
        return found

    def _fused(
        self, alike: dict[PictureKey, dict[Aspect, float]], copies: dict[PictureKey, CopyFact]
    ) -> dict[PictureKey, float]:
        """Return the fused score of each candidate, 0-1: by the ranks of aspects and words, and by that of copies."""
        keys = list(alike)
        ranks = {aspect: _ranks([alike[key][aspect] for key in keys]) for aspect in FUSION}
        if self._question.described is not None:
            # What the descriptor does not hold for near comes behind, in the order of the classical look.
            described = self._question.described
            ranks[Aspect.LOOK] = _ranks([described.get(key, alike[key][Aspect.LOOK] - 3) for key in keys])
        scores = {key: float(score) for key, score in zip(keys, fused_ranks(ranks), strict=True)}
        scores = self._with_words(scores)
        if not self._asked:
            return scores

        share = 1 / (1 + _COPY_WEIGHT)
        scores = {key: score * share for key, score in scores.items()}
        for place, key in enumerate(sorted(copies, key=lambda key: (-copies[key].probability, key))):
            sure = copies[key].probability * (_FADING + 1) / (_FADING + 1 + place)
            scores[key] = scores.get(key, 0.0) + _COPY_WEIGHT * share * sure
        return scores

    def _with_words(self, scores: dict[PictureKey, float]) -> dict[PictureKey, float]:
        """Return scores (0-1) joined with those of the words; where no picture is asked with, the latter alone."""
        if self._question.words is None:
            return scores
        by_words = reciprocal_ranks(self._question.words)
        if not self._asked:
            return by_words
        return {
            key: (scores.get(key, 0.0) + _WORDS_WEIGHT * by_words.get(key, 0.0)) / (1 + _WORDS_WEIGHT)
            for key in {**scores, **by_words}
        }


def _in_order(cosines: Mapping[Aspect, float]) -> dict[Aspect, float]:
    return {aspect: cosines[aspect] for aspect in Aspect if aspect in cosines}


def reciprocal_ranks(values: Mapping[PictureKey, float]) -> dict[PictureKey, float]:
    """Return a score of each picture, 0-1, by the rank of its value, the largest first."""
    ordered = sorted(values, key=lambda key: (-values[key], key))
    return {key: (_FADING + 1) / (_FADING + 1 + place) for place, key in enumerate(ordered)}


def _aspects_of(by: By) -> list[Aspect]:
    """Return the aspects that bring candidates."""
    if by in (By.COPY, By.WORDS):
        return []
    return list(Aspect) if by is By.AUTO else [Aspect(by.value)]


def _ranks(values: Sequence[float]) -> Floats:
    """Return the rank of each value from 0, the largest first; equal ones in their order."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(-np.array(values, dtype=np.float32), kind="stable")] = np.arange(len(values))
    return ranks


def fused_ranks(ranks: Mapping[Aspect, Floats]) -> Floats:
    """Return the weighted reciprocal ranks, float32 [n], 0-1, of pictures with these ranks from 0 by each aspect."""
    parts = [FUSION[aspect] * (_ASPECTS_FADING + 1) / (_ASPECTS_FADING + 1 + ranks[aspect]) for aspect in FUSION]
    return np.asarray(sum(parts) / sum(FUSION.values()), dtype=np.float32)
