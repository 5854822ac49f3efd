"""Applies the owner's vocabulary to all that is owned and was seen: by words, by meaning, by neighbours.

What is to be labelled is marked in the database as it comes in (store/labels.py), and done here in small steps, each in
a transaction of its own: whatever is interrupted goes on from there.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from guardian.matching.workers import Workers
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Asset, LabelSource, PictureLabel, SeenPicture
from guardian.search.meaning import terms_by_meaning
from guardian.search.neighbours import Neighbour, labelled_neighbours, majority
from guardian.search.question import Kind, PictureKey
from guardian.search.vocabulary import PhraseFinder, Vocabulary
from guardian.store import Store, Transaction
from guardian.store.labels import Unlabelled

Terms = dict[PictureKey, dict[str, PictureLabel]]
"""The labels of each picture by term."""

_BY_WORDS_AT_ONCE = 500
_BY_LOOKS_AT_ONCE = 128
_MARKED_AT_ONCE = 20_000

_A_COPY = 0.5
"""Probability from which a picture that was seen shows an asset's work, and does not vote beside it."""

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
        # Another descriptor says other things of meaning.
        self._version = f"{vocabulary.digest[:16]}-{workers.small_recipe}"
        # Hundreds of thousands of numbers: they are read again only when this process has labelled more at first hand.
        self._first_hand: dict[Kind, NDArray[np.int64]] | None = None

    async def follow(self, *, again: bool = False) -> None:
        """Have everything labelled by this vocabulary, when it is another one than before, or `again`."""
        await asyncio.to_thread(self._follow, again=again)

    async def assets(self) -> int:
        """Label some assets that have changed, or were labelled by another vocabulary; return how many."""
        with self._store.read() as tx:
            assets = tx.assets.not_labelled_by(self._version, _BY_LOOKS_AT_ONCE)
            words = tx.words.of_assets([asset.number for asset in assets])
        found = {(Kind.ASSET, asset.number): self._by_words(words.get(asset.number, ())) for asset in assets}
        await self._add_looks(found)
        await asyncio.to_thread(self._keep_assets, assets, found)
        return len(assets)

    async def seen_by_words(self) -> int:
        """Label some remembered pictures by their words; return how many were looked at."""
        return await asyncio.to_thread(self._seen_by_words)

    async def seen_by_looks(self) -> int:
        """Label some remembered pictures, of which words say nothing, by what they look like; return how many."""
        with self._store.read() as tx:
            pictures = tx.labels.unlabelled(_BY_LOOKS_AT_ONCE, has_words=True)
        found: Terms = {(Kind.SEEN, picture.number): {} for picture in pictures}
        await self._add_looks(found)
        await asyncio.to_thread(self._keep_looks, pictures, found)
        return len(pictures)

    async def some(self) -> int:
        """Label some of what is still to be labelled; return how many pictures that were, 0 when all is done."""
        done = await self.seen_by_words()
        if done:
            self._first_hand = None
        # Neighbours are asked when the words of all are known.
        return done or await self.assets() or await self.seen_by_looks()

    async def all(self) -> LabelCounts:
        """Label everything anew; return what carries which term then.

        Raises WorkerLost, WorkersUnavailable, IndexNotReady.
        """
        self._first_hand = None
        await self.follow(again=True)
        while await self.some():
            pass
        return await asyncio.to_thread(self._counts)

    def left(self) -> LabelsLeft:
        """Return how much is still to be labelled by this vocabulary."""
        with self._store.read() as tx:
            is_followed = tx.labels.vocabulary() == self._version
            seen = tx.labels.count_unlabelled() if is_followed else tx.seen.count()
            return LabelsLeft(tx.assets.count_not_labelled_by(self._version), seen)

    async def new(self, seconds: float) -> bool:
        """Label what has come in or changed, for some seconds at most; return whether something is left."""
        end = time.monotonic() + seconds
        self._first_hand = None
        await self.follow()
        while await self.some():
            if time.monotonic() > end:
                return True
        return False

    def _follow(self, *, again: bool) -> None:
        with self._store.read() as tx:
            before = tx.labels.vocabulary()
        if before == self._version and not again:
            return
        if before is not None and not again:
            log.info("labels_made_anew", reason="the vocabulary has changed", terms=len(self._vocabulary.terms))
        with self._store.begin() as tx:
            # From here on what comes in is marked; until all is, this is not the vocabulary that is followed.
            tx.labels.follow_vocabulary(before or "none yet")
            tx.labels.drop_terms(self._vocabulary.terms.keys())
            tx.assets.forget_labelling()
        number: int | None = 0
        while number is not None:
            with self._store.begin() as tx:
                number = tx.labels.mark_above(number, _MARKED_AT_ONCE)
        with self._store.begin() as tx:
            tx.labels.follow_vocabulary(self._version)

    def _by_words(self, fields: Sequence[str]) -> dict[str, PictureLabel]:
        return {term: PictureLabel(term, LabelSource.WORDS) for term in self._phrases.terms_in(fields)}

    def _seen_by_words(self) -> int:
        with self._store.begin() as tx:
            ids = [picture.id for picture in tx.labels.unlabelled(_BY_WORDS_AT_ONCE, has_words=False)]
            words, before = tx.words.of_pictures(ids), tx.labels.of(ids)
            found = {id_: self._by_words(words.get(id_, ())) for id_ in ids}
            tx.labels.replace({id_: self._with_above(labels) for id_, labels in found.items() if labels or before[id_]})
            tx.labels.note_words([id_ for id_, labels in found.items() if labels], is_all=True)
            tx.labels.note_words([id_ for id_, labels in found.items() if not labels], is_all=False)
        return len(ids)

    async def _add_looks(self, found: Terms) -> None:
        """Add what a descriptor says of pictures, and to those of which nothing is said what their neighbours carry."""
        if not found:
            return
        among = {kind: _numbers(number for one, number in found if one is kind) for kind in Kind}
        phrasings = {term.name: term.phrasings for term in self._vocabulary.terms.values()}
        seen = (self._data_dir / MEMORY_FOLDER, self._workers.small_recipe)
        if self._workers.has_descriptor:
            meant = await self._workers.run_with_matcher(terms_by_meaning, seen, phrasings, among)
            for key, terms in meant.items():
                for term, share in terms.items():
                    found[key].setdefault(term, PictureLabel(term, LabelSource.MEANING, round(share, 3)))

        without = [key for key, labels in found.items() if not labels]
        if without and self._first_hand is None:
            self._first_hand = await asyncio.to_thread(self._labelled)
        labelled = (self._first_hand or {}) if without else {}
        if len(without) < len(found):
            # The others of these carry labels once they are kept.
            self._first_hand = None
        if not any(len(numbers) for numbers in labelled.values()):
            return
        recipe = self._workers.small_recipe
        near = await self._workers.run(labelled_neighbours, self._data_dir, recipe, labelled, without)
        known = await asyncio.to_thread(self._known_of, {other for ones in near.values() for other, _ in ones})
        for key, neighbours in near.items():
            voters = _one_of_each_work(neighbours, known)
            cosines = np.array([cosine for _, cosine in voters], dtype=np.float32)
            for term, share in majority(cosines, [known[other].terms for other, _ in voters]).items():
                found[key][term] = PictureLabel(term, LabelSource.NEIGHBOURS, round(share, 3))

    def _labelled(self) -> dict[Kind, NDArray[np.int64]]:
        """Return the numbers of the pictures that carry a term by their own words or meaning."""
        with self._store.read() as tx:
            assets, seen = tx.assets.first_hand_numbers(), tx.labels.first_hand_numbers()
        return {Kind.ASSET: _numbers(assets), Kind.SEEN: _numbers(seen)}

    def _known_of(self, keys: Collection[PictureKey]) -> "dict[PictureKey, _Voter]":
        """Return what pictures say of those that look like them, and which work each shows."""
        with self._store.read() as tx:
            assets = tx.assets.of_numbers([number for kind, number in keys if kind is Kind.ASSET])
            seen = tx.seen.pictures([number for kind, number in keys if kind is Kind.SEEN])
            labels = tx.labels.of([picture.id for picture in seen.values()])
            works = self._works_shown(tx, list(seen.values()))
        found = {key: _Voter(str(key), ()) for key in keys}
        for number, asset in assets.items():
            found[Kind.ASSET, number] = _Voter(asset.work_id, self._known(_first_hand(asset.labels)))
        for number, picture in seen.items():
            work = works.get(picture.sha256, picture.id)
            found[Kind.SEEN, number] = _Voter(work, self._known(_first_hand(labels[picture.id])))
        return found

    def _works_shown(self, tx: Transaction, pictures: Sequence[SeenPicture]) -> dict[str, str]:
        """Return by digest the work that a picture most probably is a copy of; others are left out."""
        reports = tx.candidates.reports([one.sha256 for one in pictures], self._workers.report_recipe)
        best = {sha256: report.matches[0] for sha256, report in reports.items() if report.matches}
        copied = {sha256: one.asset_id for sha256, one in best.items() if one.comparison.probability >= _A_COPY}
        assets = tx.assets.of_ids(set(copied.values()))
        return {sha256: assets[asset_id].work_id for sha256, asset_id in copied.items() if asset_id in assets}

    def _known(self, labels: Sequence[PictureLabel]) -> tuple[str, ...]:
        return self._vocabulary.with_above(one.term for one in labels if one.term in self._vocabulary.terms)

    def _keep_assets(self, assets: Sequence[Asset], found: Terms) -> None:
        with self._store.begin() as tx:
            for asset in assets:
                # One that was changed meanwhile is labelled again.
                if tx.assets.get(asset.id) == asset:
                    labels = self._with_above(found[Kind.ASSET, asset.number])
                    tx.assets.put_labels(asset.id, labels, self._version)

    def _keep_looks(self, pictures: Sequence[Unlabelled], found: Terms) -> None:
        with self._store.begin() as tx:
            ids = [picture.id for picture in pictures]
            # Those that were seen in another place meanwhile are asked for their words again.
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
            labelled = tx.assets.labelled()
            by_term = Counter((label.term, label.source) for labels in labelled.values() for label in labels)
            by_term.update(tx.labels.counts_by_source())
            assets, seen = tx.assets.count(), tx.seen.count_heads()
            return LabelCounts(by_term, assets, assets - len(labelled), seen, seen - tx.labels.count_labelled())


@dataclass(frozen=True, slots=True)
class _Voter:
    """A labelled picture: the terms that it votes for, and the work that it shows; of each work one picture votes."""

    work: str
    terms: tuple[str, ...]


def _one_of_each_work(neighbours: Sequence[Neighbour], known: Mapping[PictureKey, _Voter]) -> list[Neighbour]:
    """Return neighbours, nearest first, without further versions and copies of the same work."""
    voters: dict[str, Neighbour] = {}
    for neighbour in neighbours:
        voters.setdefault(known[neighbour[0]].work, neighbour)
    return list(voters.values())


def _first_hand(labels: Sequence[PictureLabel]) -> list[PictureLabel]:
    return [label for label in labels if label.source is not LabelSource.NEIGHBOURS]


def _numbers(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(numbers), dtype=np.int64)
