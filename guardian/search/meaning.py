"""Compares pictures with what is asked, by a descriptor: with pictures, and with texts where it has vectors of both.

Without such a descriptor nothing is compared. The vectors of pictures are those that matching and the memory keep.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.embedding import TextEmbedder
from guardian.matching.matcher import Matcher
from guardian.memory.reading import opened_reader
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.search.aspects import Floats, unit
from guardian.search.candidates import LIKE, UNLIKE
from guardian.search.question import Kind, PictureKey, Question
from guardian.search.views_of_query import sides_of

SeenFolder = tuple[Path, str]
"""The folder of the memory, and the recipe of the fingerprints in it that are compared."""

NEUTRAL = ("a photo", "a picture of something", "an object", "a place", "people", "text", "a pattern")
"""What stands for "none of these": texts that say nothing of a picture."""

_PROMPTS = ("{}", "a photo of {}", "a picture of {}")
"""A text is put into several sentences, and their mean counts (Radford et al., 2021)."""

_SCALE = 100.0
"""By which CLIP's cosines are multiplied before a softmax; it was trained so."""

_LEAST_PROBABILITY = 0.5
_BLOCK = 8192

log = structlog.get_logger(__name__)


def nearest_in_meaning(
    matcher: Matcher, seen: SeenFolder, text: str, among: Mapping[Kind, NDArray[np.int64] | None], count: int
) -> dict[PictureKey, float]:
    """Return the pictures, at most `count`, that a text describes better than what says nothing: cosines by picture.

    `among` as in Question. Empty without a descriptor that has vectors of texts.
    """
    described = _described_by(matcher, seen, {text: (text,)}, among)
    found = {key: cosine[0] for key, (_, cosine) in described.items()}
    best = sorted(found, key=lambda key: (-found[key], key))[:count]
    return {key: found[key] for key in best}


def terms_by_meaning(
    matcher: Matcher,
    seen: SeenFolder,
    phrasings: Mapping[str, Sequence[str]],
    among: Mapping[Kind, NDArray[np.int64] | None],
) -> dict[PictureKey, dict[str, float]]:
    """Return the terms that describe each picture better than what says nothing, with their probabilities.

    `phrasings` are the ways in which each term is said; `among` as in Question. A picture that none describes is left
    out.
    """
    names = list(phrasings)
    described = _described_by(matcher, seen, phrasings, among)
    return {
        key: {names[at]: float(probabilities[at]) for at in np.flatnonzero(probabilities >= _LEAST_PROBABILITY)}
        for key, (probabilities, _) in described.items()
    }


def nearest_described(matcher: Matcher, question: Question, count: int) -> dict[PictureKey, float] | None:
    """Return the pictures, at most `count`, that a descriptor sees nearest to what is asked with: cosines by picture.

    None without a descriptor, or where nothing is asked with that has a vector. Raises Unmatchable, UsageError.
    """
    if not matcher.has_descriptor:
        return None
    seen = (question.data_dir / MEMORY_FOLDER, question.memory_recipe)
    like = _vectors_of(matcher, seen, question.like)
    unlike = _vectors_of(matcher, seen, question.unlike)
    if question.content is not None:
        queries = matcher.vectors_of(sides_of(matcher.decoded(question.content), question.region))
    else:
        queries, like = like, like[:0]
    if not len(queries):
        return None
    if len(like):
        queries = queries + LIKE * like.mean(axis=0)
    if len(unlike):
        queries = queries - UNLIKE * unlike.mean(axis=0)
    queries = unit(queries)

    found: dict[PictureKey, float] = {}
    for kind, numbers, vectors in _vectors(matcher, seen, question.among):
        for start in range(0, len(numbers), _BLOCK):
            cosines = (vectors[start : start + _BLOCK].astype(np.float32) @ queries.T).max(axis=1)
            # More than are wanted: an animation has a row for each of its frames.
            for place in np.argsort(-cosines, kind="stable")[: 2 * count]:
                key, cosine = (kind, int(numbers[start + place])), float(cosines[place])
                if key not in question.left_out:
                    found[key] = max(cosine, found.get(key, -1.0))
    best = sorted(found, key=lambda key: (-found[key], key))[:count]
    return {key: found[key] for key in best}


def _vectors_of(matcher: Matcher, seen: SeenFolder, keys: Sequence[PictureKey]) -> Floats:
    """Return the descriptor's vectors of some pictures, float32 [n, d]; without those that have none."""
    among = {kind: np.array([number for one, number in keys if one is kind], np.int64) for kind in Kind}
    found = [vectors.astype(np.float32) for _, _, vectors in _vectors(matcher, seen, among) if len(vectors)]
    return np.concatenate(found) if found else np.empty((0, 0), np.float32)


def _described_by(
    matcher: Matcher,
    seen: SeenFolder,
    phrasings: Mapping[str, Sequence[str]],
    among: Mapping[Kind, NDArray[np.int64] | None],
) -> dict[PictureKey, tuple[Floats, Floats]]:
    """Return the probability of each text beside "none of these", and its cosine, by picture: float32 [t] both.

    Pictures of which all texts say less than "none of these" are left out. Of several frames of an animation the one
    counts that a text describes best.
    """
    embedder = matcher.text_embedder
    if embedder is None or not phrasings:
        return {}
    texts = np.stack([_vector_of(embedder, several) for several in phrasings.values()])
    neutral = unit(embedder.encode_texts(NEUTRAL))

    found: dict[PictureKey, tuple[Floats, Floats]] = {}
    for kind, numbers, vectors in _vectors(matcher, seen, among):
        for start in range(0, len(numbers), _BLOCK):
            block = vectors[start : start + _BLOCK].astype(np.float32)
            cosines = block @ texts.T
            probabilities = _beside_none(cosines, block @ neutral.T)
            # Few of what may be a million pictures are near to a text; only these are gone through one by one.
            for place in np.flatnonzero((probabilities >= _LEAST_PROBABILITY).any(axis=1)):
                key, of_one, cosine = (kind, int(numbers[start + place])), probabilities[place], cosines[place]
                if key in found:
                    of_one, cosine = np.maximum(of_one, found[key][0]), np.maximum(cosine, found[key][1])
                found[key] = (of_one, cosine)
    return found


def _vector_of(embedder: TextEmbedder, phrasings: Sequence[str]) -> Floats:
    sentences = [prompt.format(phrasing) for phrasing in phrasings for prompt in _PROMPTS]
    mean: Floats = unit(embedder.encode_texts(sentences).mean(axis=0, keepdims=True))[0]
    return mean


def _beside_none(cosines: Floats, neutral: Floats) -> Floats:
    """Return the probability of each text, float32 [n, t], in a softmax of it and all neutral texts."""
    least = neutral.max(axis=1, keepdims=True)
    none = np.exp(_SCALE * (neutral - least)).sum(axis=1, keepdims=True)
    # Bounded, since exp of more would overflow; the probability is 1 by then.
    mine = np.exp(np.minimum(_SCALE * (cosines - least), 60.0))
    return np.asarray(mine / (mine + none), dtype=np.float32)


def _vectors(
    matcher: Matcher, seen: SeenFolder, among: Mapping[Kind, NDArray[np.int64] | None]
) -> Iterator[tuple[Kind, NDArray[np.int64], NDArray[np.float16]]]:
    """Yield numbers and vectors of pictures that may be returned; parts of the memory that are damaged are left out."""
    if Kind.ASSET in among:
        for numbers, vectors in matcher.asset_vectors():
            kept = _kept(numbers, among[Kind.ASSET])
            yield Kind.ASSET, numbers[kept], vectors[kept]
    if Kind.SEEN in among:
        reader = opened_reader(*seen)
        try:
            reader.refresh()
        except IndexNotReady:
            return
        for segment in reader.segments:
            try:
                of_segment = segment.vectors
            except IndexNotReady as error:
                log.warning("memory_segment_damaged", segment=segment.name, reason=str(error))
                continue
            if of_segment is not None:
                kept = segment.alive & _kept(segment.numbers, among[Kind.SEEN])
                yield Kind.SEEN, np.asarray(segment.numbers)[kept], of_segment[kept]


def _kept(numbers: NDArray[np.int64], among: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    return np.ones(len(numbers), dtype=bool) if among is None else np.isin(numbers, among)
