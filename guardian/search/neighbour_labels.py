"""Labels pictures of which neither words nor a descriptor say anything, by the pictures that look most like them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.matching.workers import Workers
from guardian.model import LabelSource, PictureLabel, SeenPicture
from guardian.search.neighbours import Neighbour, labelled_neighbours, majority
from guardian.search.question import Kind, PictureKey
from guardian.search.vocabulary import Vocabulary
from guardian.store import Store, Transaction

_A_COPY = 0.5
"""Probability from which a picture that was seen shows an asset's work, and does not vote beside it."""

Labelled = Mapping[Kind, NDArray[np.int64]]
"""The numbers, int64 [n], of the pictures of each kind that carry labels of their own."""


@dataclass(frozen=True, slots=True)
class _Voter:
    """A labelled picture: the terms that it votes for, and the work that it shows; of each work one picture votes."""

    work: str
    terms: tuple[str, ...]


class NeighbourLabels:
    """Gives pictures the terms that most of the labelled pictures near them carry.

    Only labels by words and by meaning vote: those that neighbours gave would spread from picture to picture.
    """

    def __init__(self, store: Store, workers: Workers, data_dir: Path, vocabulary: Vocabulary) -> None:
        self._store, self._workers, self._data_dir, self._vocabulary = store, workers, data_dir, vocabulary
        # Hundreds of thousands of numbers, so they are kept from one call to the next.
        self._labelled: Labelled | None = None

    def forget_labelled(self) -> None:
        """Read anew which pictures carry labels: called when more do by words or by meaning."""
        self._labelled = None

    async def of(self, keys: Sequence[PictureKey]) -> dict[PictureKey, dict[str, PictureLabel]]:
        """Return the labels, by term, of pictures whose neighbours agree; the others are left out.

        Raises WorkerLost, WorkersUnavailable, IndexNotReady.
        """
        if not keys:
            return {}
        if self._labelled is None:
            self._labelled = await asyncio.to_thread(self._read_labelled)
        if not any(len(numbers) for numbers in self._labelled.values()):
            return {}

        recipe = self._workers.small_recipe
        near = await self._workers.run(labelled_neighbours, self._data_dir, recipe, self._labelled, keys)
        others = {other for neighbours in near.values() for other, _ in neighbours}
        voters = await asyncio.to_thread(self._voters, others)
        return {key: _elected(neighbours, voters) for key, neighbours in near.items()}

    def _read_labelled(self) -> Labelled:
        """Return the numbers of the pictures that carry a term by their own words or meaning."""
        with self._store.read() as tx:
            assets, seen = tx.asset_labels.first_hand_numbers(), tx.labels.first_hand_numbers()
        return {Kind.ASSET: sorted_numbers(assets), Kind.SEEN: sorted_numbers(seen)}

    def _voters(self, keys: Collection[PictureKey]) -> dict[PictureKey, _Voter]:
        """Return what pictures say of those that look like them, and which work each shows."""
        with self._store.read() as tx:
            assets = tx.assets.of_numbers([number for kind, number in keys if kind is Kind.ASSET])
            seen = tx.seen.pictures([number for kind, number in keys if kind is Kind.SEEN])
            labels = tx.labels.of([picture.id for picture in seen.values()])
            works = self._works_shown(tx, list(seen.values()))

        # What was forgotten since the neighbours were looked for votes for nothing.
        voters = {key: _Voter(str(key), ()) for key in keys}
        for number, asset in assets.items():
            voters[Kind.ASSET, number] = _Voter(asset.work_id, self._terms_by_own_words(asset.labels))
        for number, picture in seen.items():
            work = works.get(picture.sha256, picture.id)
            voters[Kind.SEEN, number] = _Voter(work, self._terms_by_own_words(labels[picture.id]))
        return voters

    def _works_shown(self, tx: Transaction, pictures: Sequence[SeenPicture]) -> dict[str, str]:
        """Return by digest the work that a picture most probably is a copy of; others are left out."""
        reports = tx.candidates.reports([one.sha256 for one in pictures], self._workers.report_recipe)
        best = {sha256: report.matches[0] for sha256, report in reports.items() if report.matches}
        copied = {sha256: one.asset_id for sha256, one in best.items() if one.comparison.probability >= _A_COPY}
        assets = tx.assets.of_ids(set(copied.values()))
        return {sha256: assets[asset_id].work_id for sha256, asset_id in copied.items() if asset_id in assets}

    def _terms_by_own_words(self, labels: Sequence[PictureLabel]) -> tuple[str, ...]:
        """Return the terms that a picture carries by words or meaning, and those above them."""
        own = [one.term for one in labels if one.source is not LabelSource.NEIGHBOURS]
        return self._vocabulary.with_above(term for term in own if term in self._vocabulary.terms)


def _elected(neighbours: Sequence[Neighbour], voters: Mapping[PictureKey, _Voter]) -> dict[str, PictureLabel]:
    """Return the labels that most of the nearest neighbours vote for, one of each work."""
    nearest: dict[str, Neighbour] = {}
    for neighbour in neighbours:
        nearest.setdefault(voters[neighbour[0]].work, neighbour)
    cosines = np.array([cosine for _, cosine in nearest.values()], dtype=np.float32)
    terms = [voters[other].terms for other, _ in nearest.values()]
    return {
        term: PictureLabel(term, LabelSource.NEIGHBOURS, round(share, 3))
        for term, share in majority(cosines, terms).items()
    }


def sorted_numbers(numbers: Iterable[int]) -> NDArray[np.int64]:
    """Return numbers in order, int64 [n]."""
    return np.array(sorted(numbers), dtype=np.int64)
