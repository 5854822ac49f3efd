"""The copies of a picture asked with: what the matcher and the memory hold for copies, and files that are the same."""

import asyncio
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import IndexNotReady, Unmatchable
from guardian.matching.workers import Workers
from guardian.memory.copies import find_copies
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import AssetState, MatchReport
from guardian.search.allowed import those_of
from guardian.search.question import Among, By, CopyFact, Kind, PictureKey
from guardian.search.request import Request
from guardian.search.views_of_query import cut_out
from guardian.store import Store


class CopySearch:
    """Finds copies over one store and one data folder, in worker processes."""

    def __init__(self, store: Store, workers: Workers, data_dir: Path) -> None:
        self._store, self._workers, self._data_dir = store, workers, data_dir

    async def find(
        self, request: Request, among: Among, left_out: frozenset[PictureKey]
    ) -> tuple[dict[PictureKey, CopyFact], tuple[str, ...]]:
        """Return the copies of the picture of a request, and in words what could not be searched.

        Raises Unmatchable when the picture cannot be compared; of a part only where nothing but copies is asked for.
        Raises WorkerLost, WorkersUnavailable, and IndexNotReady when the index of assets cannot be read.
        """
        assert request.picture is not None
        content = request.picture
        if request.region is not None:
            content = await self._workers.run(cut_out, self._workers.settings, content, request.region)
        try:
            found, not_searched = await self._measured_copies(content, among)
        except Unmatchable as error:
            if request.region is None or request.by is By.COPY:
                raise
            # The rest of the answer is worth having.
            return {}, (f"copies of this part: {error}",)
        found |= await asyncio.to_thread(self._same_files, hashlib.sha256(content).hexdigest(), among)
        return {key: fact for key, fact in found.items() if key not in left_out}, not_searched

    async def _measured_copies(
        self, content: bytes, among: Among
    ) -> tuple[dict[PictureKey, CopyFact], tuple[str, ...]]:
        found: dict[PictureKey, CopyFact] = {}
        not_searched: tuple[str, ...] = ()
        if Kind.ASSET in among:
            report = await self._workers.match(content)
            found |= await asyncio.to_thread(self._asset_copies, report, among[Kind.ASSET])
            not_searched += ("some of the index",) if report.partial else ()

        if Kind.SEEN in among:
            try:
                found |= await self._seen_copies(content, among[Kind.SEEN])
            except IndexNotReady as error:
                not_searched += (f"copies among what was seen ({error})",)
        return found, not_searched

    def _same_files(self, sha256: str, among: Among) -> dict[PictureKey, CopyFact]:
        """Return the pictures whose file has this digest: for certain, whatever could be measured."""
        with self._store.read() as tx:
            asset, seen = tx.assets.by_sha256(sha256), tx.seen.get(sha256)
        numbers = {
            Kind.ASSET: [asset.number] if asset is not None and asset.state is AssetState.PROTECTED else [],
            Kind.SEEN: [seen.number] if seen is not None and seen.same_as is None else [],
        }
        return {
            (kind, number): CopyFact(1.0, "the whole image")
            for kind, allowed in among.items()
            for number in those_of(numbers[kind], allowed)
        }

    def _asset_copies(self, report: MatchReport, allowed: NDArray[np.int64] | None) -> dict[PictureKey, CopyFact]:
        """Return the assets of a report that may be returned."""
        with self._store.read() as tx:
            assets = tx.assets.of_ids([match.asset_id for match in report.matches])
        wanted = those_of([asset.number for asset in assets.values()], allowed)
        return {
            (Kind.ASSET, assets[match.asset_id].number): CopyFact(
                match.comparison.probability, match.comparison.description
            )
            for match in report.matches
            if match.asset_id in assets and assets[match.asset_id].number in wanted
        }

    async def _seen_copies(self, content: bytes, allowed: NDArray[np.int64] | None) -> dict[PictureKey, CopyFact]:
        """Return the remembered copies of a picture. The ranking names damaged segments, which it reads too."""
        folder, recipe = self._data_dir / MEMORY_FOLDER, self._workers.small_recipe
        (remembered,) = await self._workers.run_with_matcher(find_copies, folder, recipe, [content])
        wanted = those_of([copy.number for copy in remembered.copies], allowed)
        return {
            (Kind.SEEN, copy.number): CopyFact(copy.probability, copy.description)
            for copy in remembered.copies
            if copy.number in wanted
        }
