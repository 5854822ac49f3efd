"""Ranks pictures by what they share with the one that is asked with. Runs inside a worker process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import Aspect, Floats
from guardian.search.candidates import Candidates, ColourFit, head_of, open_segments, previews, query_of
from guardian.search.nearest import count_distinct
from guardian.search.question import By, Found, Kind, PictureKey, Question, Ranking

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

Scores = dict[PictureKey, float]
Cosines = Mapping[PictureKey, Mapping[Aspect, float]]


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What scores are computed from: the question, whether looks are compared, and how candidates have its colours."""

    question: Question
    by_looks: bool
    colours: Mapping[PictureKey, ColourFit] = field(default_factory=dict)

    @property
    def colours_choose(self) -> bool:
        """Whether a picture or words bring the candidates, among which colours only choose."""
        return self.by_looks or self.question.words is not None


def rank(settings: MatchingSettings, question: Question) -> Ranking:
    """Answer one question. Raises Unmatchable for a picture that cannot be looked at, UsageError for a wrong region."""
    needs_rows = question.has_picture or question.name_colours
    segments, not_searched = open_segments(question) if needs_rows else ([], ())
    searched = dict.fromkeys(question.among, 0)
    for segment in segments:
        if segment.kind in searched:
            searched[segment.kind] += count_distinct(segment.rows.numbers, segment.eligible)

    query = query_of(question, segments, settings)
    head = head_of(question.by, question.top, with_colours=bool(question.colours))
    candidates = Candidates(segments, query, head)
    if query:
        for aspect in _aspects_of(question.by):
            candidates.add_nearest(aspect)
    candidates.add([*question.copies, *(question.words or ()), *(question.described or ())])

    inputs = _Inputs(question, by_looks=bool(query))
    if question.colours:
        colours = candidates.add_coloured(question.colours, only_known=inputs.colours_choose)
        inputs = replace(inputs, colours=colours)

    best = _best(inputs, candidates)
    if question.name_colours:
        names = candidates.main_colours([one.key for one in best])
        best = [replace(one, colour=names.get(one.key)) for one in best]
    return Ranking(_with_previews(best, question), searched, not_searched)


def _with_previews(found: Sequence[Found], question: Question) -> tuple[Found, ...]:
    """Return found pictures, those that were seen with their previews: of them no original can be read."""
    numbers = [number for kind, number in (one.key for one in found) if kind is Kind.SEEN]
    known = previews(question, numbers)
    return tuple(replace(one, preview=known.get(one.key[1])) if one.key[0] is Kind.SEEN else one for one in found)


def _best(inputs: _Inputs, candidates: Candidates) -> list[Found]:
    """Return as many candidates as were asked for, best first."""
    question = inputs.question
    ranking = _ranking_aspects(inputs)
    alike = candidates.cosines(candidates.keys, ranking)
    scores = _chosen(_scores(inputs, alike), inputs)
    ordered = sorted(scores, key=lambda key: (-scores[key], key))[: question.top]

    # The other aspects are needed for the reasons only, so they are compared for what is shown and nothing else.
    others = candidates.cosines(ordered, [aspect for aspect in Aspect if aspect not in ranking])
    return [
        Found(
            key,
            round(scores[key], 4),
            _in_order({**alike.get(key, {}), **others.get(key, {})}),
            question.copies.get(key),
            (question.described or {}).get(key),
            inputs.colours[key].shares if key in inputs.colours else (),
            has_words=key in (question.words or {}),
        )
        for key in ordered
    ]


def _aspects_of(by: By) -> list[Aspect]:
    """Return the aspects that bring candidates."""
    if by in (By.COPY, By.WORDS):
        return []
    return list(Aspect) if by is By.AUTO else [Aspect(by.value)]


def _ranking_aspects(inputs: _Inputs) -> list[Aspect]:
    """Return the aspects by which candidates are ranked."""
    is_by_descriptor = inputs.question.by is By.LOOK and inputs.question.described is not None
    return _aspects_of(inputs.question.by) if inputs.by_looks and not is_by_descriptor else []


def _scores(inputs: _Inputs, alike: Cosines) -> Scores:
    """Return the score of each candidate, larger is better, by what the question ranks by.

    `alike` has the cosines of the aspects that rank.
    """
    question = inputs.question
    if question.by is By.COPY:
        return {key: fact.probability for key, fact in question.copies.items()}
    if question.by is By.WORDS:
        return reciprocal_ranks(question.words or {})
    if question.by is By.LOOK and question.described is not None:
        return dict(question.described)
    if question.by is not By.AUTO and inputs.by_looks:
        aspect = Aspect(question.by.value)
        return {key: cosines[aspect] for key, cosines in alike.items()}
    return _fused(inputs, alike)


def _chosen(scores: Scores, inputs: _Inputs) -> Scores:
    """Return the scores of those pictures that have what must be there beside what ranks: words and colours."""
    question = inputs.question
    if question.words is not None and question.by is not By.AUTO:
        scores = {key: score for key, score in scores.items() if key in question.words}
    if not question.colours:
        return scores
    if inputs.colours_choose:
        return {key: score * inputs.colours[key].score for key, score in scores.items() if key in inputs.colours}
    return {key: fit.score for key, fit in inputs.colours.items()}


def _fused(inputs: _Inputs, alike: Cosines) -> Scores:
    """Return the fused score of each candidate, 0-1: by the ranks of aspects and words, and by that of copies."""
    question, keys = inputs.question, list(alike)
    ranks = {aspect: _ranks([alike[key][aspect] for key in keys]) for aspect in FUSION}
    if question.described is not None:
        # What the descriptor does not hold for near comes behind, in the order of the classical look.
        described = question.described
        ranks[Aspect.LOOK] = _ranks([described.get(key, alike[key][Aspect.LOOK] - 3) for key in keys])
    scores = {key: float(score) for key, score in zip(keys, fused_ranks(ranks), strict=True)}
    scores = _with_words(scores, inputs)
    if not inputs.by_looks:
        return scores

    share, copies = 1 / (1 + _COPY_WEIGHT), question.copies
    scores = {key: score * share for key, score in scores.items()}
    for place, key in enumerate(sorted(copies, key=lambda key: (-copies[key].probability, key))):
        sure = copies[key].probability * (_FADING + 1) / (_FADING + 1 + place)
        scores[key] = scores.get(key, 0.0) + _COPY_WEIGHT * share * sure
    return scores


def _with_words(scores: Scores, inputs: _Inputs) -> Scores:
    """Return scores (0-1) joined with those of the words; where no picture is asked with, the latter alone."""
    if inputs.question.words is None:
        return scores
    by_words = reciprocal_ranks(inputs.question.words)
    if not inputs.by_looks:
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


def _ranks(values: Sequence[float]) -> Floats:
    """Return the rank of each value from 0, the largest first; equal ones in their order."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(-np.array(values, dtype=np.float32), kind="stable")] = np.arange(len(values))
    return ranks


def fused_ranks(ranks: Mapping[Aspect, Floats]) -> Floats:
    """Return the weighted reciprocal ranks, float32 [n], 0-1, of pictures with these ranks from 0 by each aspect."""
    parts = [FUSION[aspect] * (_ASPECTS_FADING + 1) / (_ASPECTS_FADING + 1 + ranks[aspect]) for aspect in FUSION]
    return np.asarray(sum(parts) / sum(FUSION.values()), dtype=np.float32)
