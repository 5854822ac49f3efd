"""Applies the owner's vocabulary to all that is owned and was seen: by words, by meaning, by neighbours.

What is to be labelled is marked in the database as it comes in (store/labels.py), and done here in small steps, each in
a transaction of its own: whatever is interrupted goes on from there.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from guardian.matching.workers import Workers
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Asset, LabelSource, PictureLabel
from guardian.search.meaning import terms_by_meaning
from guardian.search.neighbour_labels import NeighbourLabels, sorted_numbers
from guardian.search.question import Kind, PictureKey
from guardian.search.vocabulary import PhraseFinder, Vocabulary
from guardian.store import Store
from guardian.store.labels import Unlabelled

Terms = dict[PictureKey, dict[str, PictureLabel]]
"""The labels of each picture by term."""

_BY_WORDS_AT_ONCE = 500
_BY_LOOKS_AT_ONCE = 128
_MARKED_AT_ONCE = 20_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many assets and remembered pictures carry each term, by where it came from, and how many carry none."""

    by_term: Mapping[tuple[str, LabelSource], int]
    assets: int
    assets_without: int
    seen: int
    seen_without: int


@dataclass(frozen=True, slots=True)
class LabelsLeft:
    """How many assets and remembered pictures are still to be labelled."""

    assets: int
    seen: int


class Labelling:
    """Labels what is owned and was seen by one vocabulary, over one store and one data folder.

    What the words say counts first, then what a descriptor with a text tower says, then the majority of the nearest in
    look that have labels by either.
    """

    def __init__(self, store: Store, workers: Workers, data_dir: Path, vocabulary: Vocabulary) -> None:
        self._store, self._workers, self._data_dir, self._vocabulary = store, workers, data_dir, vocabulary
        self._phrases = PhraseFinder(vocabulary)
        # Labels by meaning depend on the descriptor.
        self._version = f"{vocabulary.digest[:16]}-{workers.small_recipe}"
        self._neighbours = NeighbourLabels(store, workers, data_dir, vocabulary)

    async def label_all(self) -> LabelCounts:
        """Label everything anew; return what carries which term then.

        Raises WorkerLost, WorkersUnavailable, IndexNotReady.
        """
        self._neighbours.forget_labelled()
        await asyncio.to_thread(self._follow, again=True)
        while await self._label_some():
            pass
        return await asyncio.to_thread(self._counts)

    async def label_new(self, seconds: float) -> bool:
        """Label what has come in or changed, for some seconds at most; return whether something is left."""
        end = time.monotonic() + seconds
        self._neighbours.forget_labelled()
        await asyncio.to_thread(self._follow, again=False)
        while await self._label_some():
            if time.monotonic() > end:
                return True
        return False

    def left(self) -> LabelsLeft:
        """Return how much is still to be labelled by this vocabulary."""
        with self._store.read() as tx:
            is_followed = tx.labels.vocabulary() == self._version
            seen = tx.labels.count_unlabelled() if is_followed else tx.seen_counts.pictures()
            return LabelsLeft(tx.asset_labels.count_due(self._version), seen)

    async def _label_some(self) -> int:
        """Label some of what is still to be labelled; return how many pictures that were, 0 when all is done."""
        done = await asyncio.to_thread(self._label_seen_by_words)
        if done:
            self._neighbours.forget_labelled()
        # Neighbours are asked when the words of all are known.
        return done or await self._label_assets() or await self._label_seen_by_looks()

    async def _label_assets(self) -> int:
        """Label some assets that have changed, or were labelled by another vocabulary; return how many."""
        assets, words = await asyncio.to_thread(self._assets_due)
        found = {(Kind.ASSET, asset.number): self._by_words(words.get(asset.number, ())) for asset in assets}
        await self._add_looks(found)
        await asyncio.to_thread(self._keep_assets, assets, found)
        return len(assets)

    async def _label_seen_by_looks(self) -> int:
        """Label some remembered pictures, of which words say nothing, by what they look like; return how many."""
        pictures = await asyncio.to_thread(self._due_by_looks)
        found: Terms = {(Kind.SEEN, picture.number): {} for picture in pictures}
        await self._add_looks(found)
        await asyncio.to_thread(self._keep_looks, pictures, found)
        return len(pictures)

    def _assets_due(self) -> tuple[list[Asset], dict[int, list[str]]]:
        """Return some assets that are to be labelled, and the words of each by its number."""
        with self._store.read() as tx:
            assets = tx.asset_labels.assets_due(self._version, _BY_LOOKS_AT_ONCE)
            return assets, tx.words.of_assets([asset.number for asset in assets])

    def _due_by_looks(self) -> list[Unlabelled]:
        with self._store.read() as tx:
            return tx.labels.unlabelled(_BY_LOOKS_AT_ONCE, has_words=True)

    def _label_seen_by_words(self) -> int:
        """Label some remembered pictures by their words; return how many were looked at."""
        with self._store.begin() as tx:
            ids = [picture.id for picture in tx.labels.unlabelled(_BY_WORDS_AT_ONCE, has_words=False)]
            words, before = tx.words.of_pictures(ids), tx.labels.of(ids)
            found = {id_: self._by_words(words.get(id_, ())) for id_ in ids}
            tx.labels.replace({id_: self._with_above(labels) for id_, labels in found.items() if labels or before[id_]})
            tx.labels.note_words([id_ for id_, labels in found.items() if labels], is_all=True)
            tx.labels.note_words([id_ for id_, labels in found.items() if not labels], is_all=False)
        return len(ids)

    def _follow(self, *, again: bool) -> None:
        """Have everything labelled by this vocabulary, when it is another one than before, or `again`."""
        with self._store.read() as tx:
            before = tx.labels.vocabulary()
        if before == self._version and not again:
            return
        if before is not None and not again:
            log.info("labels_made_anew", reason="the vocabulary has changed", terms=len(self._vocabulary.terms))
        with self._store.begin() as tx:
            # From here on pictures that come in are marked as due. The new vocabulary is noted as followed only when
            # all others are marked too.
            tx.labels.follow_vocabulary(before or "none yet")
            tx.labels.drop_terms(self._vocabulary.terms.keys())
            tx.asset_labels.mark_all()
        number: int | None = 0
        while number is not None:
            with self._store.begin() as tx:
                number = tx.labels.mark_above(number, _MARKED_AT_ONCE)
        with self._store.begin() as tx:
            tx.labels.follow_vocabulary(self._version)

    def _by_words(self, fields: Sequence[str]) -> dict[str, PictureLabel]:
        return {term: PictureLabel(term, LabelSource.WORDS) for term in self._phrases.terms_in(fields)}

    async def _add_looks(self, found: Terms) -> None:
        """Add what a descriptor says of pictures, and to those of which nothing is said what their neighbours carry."""
        if self._workers.has_descriptor and found:
            await self._add_meaning(found)

        without = [key for key, labels in found.items() if not labels]
        for key, labels in (await self._neighbours.of(without)).items():
            found[key] = labels
        if len(without) < len(found):
            # The others have labels by words or meaning now, so they vote too as soon as these are kept.
            self._neighbours.forget_labelled()

    async def _add_meaning(self, found: Terms) -> None:
        """Add the terms that a descriptor with a text tower sees in pictures; those by words stay."""
        among = {kind: sorted_numbers(number for one, number in found if one is kind) for kind in Kind}
        phrasings = {term.name: term.phrasings for term in self._vocabulary.terms.values()}
        seen = (self._data_dir / MEMORY_FOLDER, self._workers.small_recipe)
        meant = await self._workers.run_with_matcher(terms_by_meaning, seen, phrasings, among)
        for key, terms in meant.items():
            for term, share in terms.items():
                found[key].setdefault(term, PictureLabel(term, LabelSource.MEANING, round(share, 3)))

    def _keep_assets(self, assets: Sequence[Asset], found: Terms) -> None:
        with self._store.begin() as tx:
            for asset in assets:
                # One that was changed meanwhile is labelled again.
                if tx.assets.get(asset.id) == asset:
                    labels = self._with_above(found[Kind.ASSET, asset.number])
                    tx.asset_labels.replace(asset.id, labels, self._version)

    def _keep_looks(self, pictures: Sequence[Unlabelled], found: Terms) -> None:
        with self._store.begin() as tx:
            ids = [picture.id for picture in pictures]
            # Those that were met in another place meanwhile have other words: they stay to be labelled by these.
            still = tx.labels.among_those_with_words(ids)
            labels = {one.id: self._with_above(found[Kind.SEEN, one.number]) for one in pictures if one.id in still}
            tx.labels.replace({id_: given for id_, given in labels.items() if given})
            tx.labels.note_words(sorted(still), is_all=True)

    def _with_above(self, labels: Mapping[str, PictureLabel]) -> tuple[PictureLabel, ...]:
        """Return labels with those of the terms above, each as sure as the surest below it, by term."""
        found = dict(labels)
        for label in sorted(labels.values(), key=lambda one: -one.share):
            for above in self._vocabulary.terms[label.term].above:
                found.setdefault(above, PictureLabel(above, label.source, label.share))
        return tuple(found[term] for term in sorted(found))

    def _counts(self) -> LabelCounts:
        with self._store.read() as tx:
            labelled = tx.asset_labels.all()
            by_term = Counter((label.term, label.source) for labels in labelled.values() for label in labels)
            by_term.update(tx.labels.counts_by_source())
            assets, seen = tx.assets.count(), tx.seen_counts.heads()
            return LabelCounts(by_term, assets, assets - len(labelled), seen, seen - tx.labels.count_labelled())
