"""Applies the owner's vocabulary to all that is owned and was seen: by words, by meaning, by neighbours."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from guardian.matching.workers import Workers
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import AssetState, LabelSource, PictureLabel
from guardian.search.meaning import terms_by_meaning
from guardian.search.neighbours import terms_of_neighbours
from guardian.search.question import Kind, PictureKey
from guardian.search.vocabulary import Vocabulary
from guardian.store import Store

Labelled = dict[PictureKey, dict[str, PictureLabel]]
"""The labels of each picture by term."""

_AT_A_TIME = 2_000


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many assets and remembered pictures carry each term, by where it came from, and how many carry none."""

    by_term: Mapping[tuple[str, LabelSource], int]
    assets: int
    assets_without: int
    seen: int
    seen_without: int


async def apply_labels(store: Store, workers: Workers, data_dir: Path, vocabulary: Vocabulary) -> LabelCounts:
    """Put the terms of a vocabulary on all assets and remembered pictures, in place of the labels before.

    What the words say counts first, then what a descriptor with a text tower says, then the majority of the nearest in
    look. Raises WorkerLost, WorkersUnavailable, IndexNotReady.
    """
    labelled = await asyncio.to_thread(labels_by_words, store, vocabulary)
    everything = await asyncio.to_thread(_all_pictures, store)
    phrasings = {term.name: term.phrasings for term in vocabulary.terms.values()}
    seen = (data_dir / MEMORY_FOLDER, workers.small_recipe)
    by_meaning = await workers.run_with_matcher(terms_by_meaning, seen, phrasings)
    _add(labelled, by_meaning, LabelSource.MEANING)

    with_above = {key: vocabulary.with_above(labels) for key, labels in labelled.items()}
    without = sorted(set(everything) - set(labelled))
    for start in range(0, len(without), _AT_A_TIME):
        part = without[start : start + _AT_A_TIME]
        near = await workers.run(terms_of_neighbours, data_dir, workers.small_recipe, with_above, part)
        _add(labelled, near, LabelSource.NEIGHBOURS)

    complete = {key: _with_above(labels, vocabulary) for key, labels in labelled.items() if key in everything}
    await asyncio.to_thread(_keep, store, complete)
    return _counts(complete, everything)


def labels_by_words(store: Store, vocabulary: Vocabulary) -> Labelled:
    """Return the labels of all pictures whose words hold a phrasing of a term."""
    found: Labelled = {}
    with store.read() as tx:
        for term in vocabulary.terms.values():
            for phrasing in term.phrasings:
                assets, seen = tx.words.having(phrasing)
                for kind, numbers in ((Kind.ASSET, assets), (Kind.SEEN, seen)):
                    for number in numbers:
                        label = PictureLabel(term.name, LabelSource.WORDS)
                        found.setdefault((kind, number), {})[term.name] = label
    return found


def _add(labelled: Labelled, found: Mapping[PictureKey, Mapping[str, float]], source: LabelSource) -> None:
    for key, terms in found.items():
        for term, share in terms.items():
            labelled.setdefault(key, {}).setdefault(term, PictureLabel(term, source, round(share, 3)))


def _with_above(labels: Mapping[str, PictureLabel], vocabulary: Vocabulary) -> tuple[PictureLabel, ...]:
    """Return labels with those of the terms above, each as sure as the surest below it, by term."""
    found = dict(labels)
    for label in sorted(labels.values(), key=lambda one: -one.share):
        for above in vocabulary.terms[label.term].above:
            found.setdefault(above, PictureLabel(above, label.source, label.share))
    return tuple(found[term] for term in sorted(found))


def _all_pictures(store: Store) -> set[PictureKey]:
    with store.read() as tx:
        assets = {(Kind.ASSET, asset.number) for asset in tx.assets.list(state=AssetState.PROTECTED)}
        return assets | {(Kind.SEEN, number) for number in tx.seen.heads()}


def _keep(store: Store, labelled: Mapping[PictureKey, tuple[PictureLabel, ...]]) -> None:
    with store.begin() as tx:
        for asset in tx.assets.list(state=AssetState.PROTECTED):
            labels = labelled.get((Kind.ASSET, asset.number), ())
            if labels != asset.labels:
                tx.assets.put_labels(asset.id, labels)
        tx.labels.clear()
        tx.labels.put({number: labels for (kind, number), labels in labelled.items() if kind is Kind.SEEN})


def _counts(labelled: Mapping[PictureKey, tuple[PictureLabel, ...]], everything: Iterable[PictureKey]) -> LabelCounts:
    by_term = Counter((label.term, label.source) for labels in labelled.values() for label in labels)
    kinds = Counter(kind for kind, _ in everything)
    with_some = Counter(kind for kind, _ in labelled)
    return LabelCounts(
        dict(by_term),
        kinds[Kind.ASSET],
        kinds[Kind.ASSET] - with_some[Kind.ASSET],
        kinds[Kind.SEEN],
        kinds[Kind.SEEN] - with_some[Kind.SEEN],
    )
