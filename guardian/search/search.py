"""The interface of the search: asks matcher and ranking, and puts assets and seen pictures behind their numbers."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.errors import GuardianError, IndexNotReady, Unmatchable, WorkerLost, WorkersUnavailable
from guardian.evidence.vaults import originals_in
from guardian.matching.workers import Workers
from guardian.memory.copies import find_copies
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Asset, AssetFilter, AssetState, MatchReport, SeenAddress, SeenPicture
from guardian.search.curation import Quality, quality_of
from guardian.search.meaning import nearest_described, nearest_in_meaning
from guardian.search.question import By, CopyFact, Found, Kind, PictureKey, Question
from guardian.search.ranking import rank, reciprocal_ranks
from guardian.search.reasons import why
from guardian.search.request import Filters, Request, Result, SearchAnswer, refuse_meaningless
from guardian.search.views_of_query import ShownPicture, cut_out, shown, thumbnail
from guardian.search.word_reasons import words_of_asset, words_of_places
from guardian.store import Store
from guardian.store.words import MOST_RANKED
from guardian.views.word_tokens import terms

MOST_BY_WORDS = 400
"""Pictures of each kind that the words bring, to be ranked with all others."""

MOST_BY_LOOK = 1000
"""Pictures that a descriptor brings."""

Among = dict[Kind, NDArray[np.int64] | None]
"""Numbers of the pictures of each kind that may be returned; None stands for all of a kind."""


class Search:
    """Answers requests over one store and one data folder, in worker processes."""

    def __init__(self, store: Store, workers: Workers, data_dir: Path) -> None:
        self._store, self._workers, self._data_dir = store, workers, data_dir
        self._originals = originals_in(data_dir)

    def original(self, asset: Asset) -> bytes:
        """Return the bytes of an asset. Raises GuardianError when they are missing or damaged."""
        return self._originals.get(asset.sha256)

    async def thumbnail(self, asset: Asset) -> bytes | None:
        """Return a small JPEG of an asset; None when its original cannot be read."""
        try:
            content = await asyncio.to_thread(self.original, asset)
        except GuardianError:
            return None
        return await self.thumbnail_of(content)

    async def quality(self, asset: Asset) -> Quality:
        """Measure the file of an asset. Raises GuardianError when it cannot be read."""
        content = await asyncio.to_thread(self.original, asset)
        return await self._workers.run(quality_of, self._workers.settings, content)

    async def thumbnail_of(self, content: bytes) -> bytes | None:
        """Return a small JPEG of an encoded picture; None when it cannot be decoded."""
        try:
            return await self._workers.run(thumbnail, self._workers.settings, content)
        except (Unmatchable, WorkerLost):
            return None

    async def shown(self, content: bytes) -> ShownPicture | None:
        """Return an encoded picture as people see it; None when it cannot be decoded."""
        try:
            return await self._workers.run(shown, self._workers.settings, content)
        except (Unmatchable, WorkerLost, WorkersUnavailable):
            return None

    def check(self, request: Request) -> None:
        """Raise UsageError for a request that means nothing."""
        refuse_meaningless(request)

    async def answer(self, request: Request) -> SearchAnswer:
        """Return the pictures that answer a request, best first.

        Raises UsageError for a request that means nothing, Unmatchable for a picture that cannot be looked at,
        WorkerLost, WorkersUnavailable, and IndexNotReady where copies are asked for.
        """
        refuse_meaningless(request)
        among, left_out = await asyncio.to_thread(self._among, request)

        copies: dict[PictureKey, CopyFact] = {}
        not_searched: tuple[str, ...] = ()
        if request.picture is not None and request.by in (By.AUTO, By.COPY):
            copies, not_searched = await self._copies(request, among, left_out)

        words: dict[PictureKey, float] | None = None
        if request.text is not None:
            by_words, missing = await asyncio.to_thread(self._with_words, request.text, among, request.filters)
            words = await self._with_meaning(request.text, among, by_words)
            words = {key: score for key, score in words.items() if key not in left_out}
            not_searched += missing

        question = self._question(request, among, left_out, copies, words)
        if request.by in (By.AUTO, By.LOOK) and (request.picture is not None or request.like):
            question = await self._with_descriptor(question)
        ranking = await self._workers.run(rank, self._workers.settings, question)
        # Where looks are compared, the ranking knows how many pictures that were seen there are.
        uncounted = {kind: numbers for kind, numbers in among.items() if kind is Kind.ASSET or not question.has_picture}
        there_are = await asyncio.to_thread(self._counted, uncounted, request)
        searched = ranking.searched if question.has_picture else there_are
        results = await asyncio.to_thread(self._results, ranking.found, request)
        return SearchAnswer(
            results,
            searched,
            (*not_searched, *ranking.not_searched, *_assets_without_appearance(searched, there_are)),
            is_filtered=request.filters != Filters(),
            has_words=None if words is None else bool(words),
        )

    def _among(self, request: Request) -> tuple[Among, frozenset[PictureKey]]:
        """Return which pictures may be returned, and which of these may not all the same.

        Those are the asset that is asked with, and assets that are not protected, whose rows may still be on disk.
        """
        among: Among = {}
        hidden = set[int]() if request.own is None else {request.own.number}
        if Kind.ASSET in request.where:
            among[Kind.ASSET] = self._asset_numbers(request.filters)
            with self._store.read() as tx:
                hidden |= tx.assets.unprotected_numbers()
        filters = request.filters
        # What only assets have was never seen anywhere.
        if Kind.SEEN in request.where and filters.collection is filters.tag is filters.licence is None:
            among[Kind.SEEN] = self._seen_numbers(filters, request.seen)
        return among, frozenset((Kind.ASSET, number) for number in hidden)

    def _with_words(self, text: str, among: Among, filters: Filters) -> tuple[dict[PictureKey, float], tuple[str, ...]]:
        """Return how well pictures answer a text by their words, and what of them was not ranked."""
        found: dict[PictureKey, float] = {}
        is_all = True
        with self._store.read() as tx:
            if Kind.ASSET in among:
                numbers = among[Kind.ASSET]
                hits = tx.words.assets(text, MOST_BY_WORDS, None if numbers is None else numbers.tolist())
                compared = tx.assets.compared_of([hit.number for hit in hits.hits])
                found |= {(Kind.ASSET, hit.number): hit.score for hit in hits.hits if hit.number in compared}
                is_all = is_all and hits.is_all
            if Kind.SEEN in among:
                hits = tx.words.seen(text, MOST_BY_WORDS, host=filters.host, since=filters.since)
                allowed = _those_of([hit.number for hit in hits.hits], among[Kind.SEEN])
                found |= {(Kind.SEEN, hit.number): hit.score for hit in hits.hits if hit.number in allowed}
                is_all = is_all and hits.is_all
        return found, () if is_all else (f"all with words so common: the {MOST_RANKED:,} met last were ranked",)

    async def _with_meaning(self, text: str, among: Among, words: dict[PictureKey, float]) -> dict[PictureKey, float]:
        """Return how well pictures answer a text: by the ranks of their words, and of what a descriptor sees in them.

        Without a descriptor that knows texts they are ranked by their words alone.
        """
        seen = (self._data_dir / MEMORY_FOLDER, self._workers.small_recipe)
        if not self._workers.has_descriptor:
            return words
        meant = await self._workers.run_with_matcher(nearest_in_meaning, seen, text, among, MOST_BY_WORDS)
        by_words, by_meaning = reciprocal_ranks(words), reciprocal_ranks(meant)
        return {key: by_words.get(key, 0.0) + by_meaning.get(key, 0.0) for key in {**words, **meant}}

    async def _with_descriptor(self, question: Question) -> Question:
        """Return a question with what a descriptor sees in pictures, where there is one."""
        if not self._workers.has_descriptor:
            return question
        described = await self._workers.run_with_matcher(nearest_described, question, MOST_BY_LOOK)
        return replace(question, described=described)

    def _counted(self, among: Among, request: Request) -> dict[Kind, int]:
        """Return how many pictures of each kind there are that may be returned."""
        counts = {kind: len(numbers) for kind, numbers in among.items() if numbers is not None}
        with self._store.read() as tx:
            if Kind.SEEN in among and Kind.SEEN not in counts:
                counts[Kind.SEEN] = tx.seen.count_heads()
            if Kind.ASSET in among and Kind.ASSET not in counts:
                counts[Kind.ASSET] = tx.assets.count_compared()
            if request.own is not None and Kind.ASSET in among:
                own, numbers = request.own.number, among[Kind.ASSET]
                counts[Kind.ASSET] -= len(_those_of(list(tx.assets.compared_of([own])), numbers))
        return counts

    def _question(
        self,
        request: Request,
        among: Among,
        left_out: frozenset[PictureKey],
        copies: dict[PictureKey, CopyFact],
        words: dict[PictureKey, float] | None,
    ) -> Question:
        return Question(
            data_dir=self._data_dir,
            memory_recipe=self._workers.small_recipe,
            among=among,
            content=request.picture,
            region=request.region,
            by=request.by,
            colours=request.colours,
            like=tuple(_key(example) for example in request.like),
            unlike=tuple(_key(example) for example in request.unlike),
            left_out=left_out,
            copies=copies,
            words=words,
            name_colours=request.facets,
            top=request.top,
        )

    def _seen_numbers(self, filters: Filters, only: frozenset[int] | None) -> NDArray[np.int64] | None:
        """Return which remembered pictures may be returned; None for all."""
        chosen: list[set[int]] = [set(only)] if only is not None else []
        with self._store.read() as tx:
            if filters.label is not None:
                chosen.append(tx.labels.numbers(filters.label))
            if filters.host is not None or filters.since is not None:
                chosen.append(tx.seen.numbers(host=filters.host, since=filters.since))
        return np.array(sorted(set.intersection(*chosen)), dtype=np.int64) if chosen else None

    def _results(self, found: Sequence[Found], request: Request) -> tuple[Result, ...]:
        """Return the results with what the database says of them; what it has forgotten meanwhile is left out."""
        with self._store.read() as tx:
            assets = tx.assets.of_numbers([number for kind, number in (one.key for one in found) if kind is Kind.ASSET])
            seen = tx.seen.pictures([number for kind, number in (one.key for one in found) if kind is Kind.SEEN])
            places = tx.seen.addresses([one.id for one in seen.values()])
            labels = tx.labels.of([one.id for one in seen.values()])

        results: list[Result] = []
        for one in found:
            kind, number = one.key
            picture = seen.get(number) if kind is Kind.SEEN else None
            asset = assets.get(number) if kind is Kind.ASSET else None
            if picture is None and (asset is None or asset.state is not AssetState.PROTECTED):
                continue
            addresses = places.get(picture.id, ()) if picture is not None else ()
            reasons = (why(one, request.by, request.colours), _why_by_words(one, request, asset, addresses))
            results.append(
                Result(
                    rank=len(results) + 1,
                    kind=kind,
                    score=one.score,
                    by=request.by,
                    why="; ".join(reason for reason in reasons if reason),
                    asset=asset,
                    seen=picture,
                    addresses=addresses,
                    labels=asset.labels if asset is not None else labels.get(picture.id if picture else "", ()),
                    colour=one.colour,
                    preview=one.preview,
                )
            )
        return tuple(results)

    def _asset_numbers(self, filters: Filters) -> NDArray[np.int64] | None:
        """Return which assets may be returned; None for all."""
        if filters.host is not None:
            # Hosts are where pictures were seen; no asset lies on one.
            return np.empty(0, np.int64)
        if filters == Filters():
            return None
        wanted = AssetFilter(
            collection=filters.collection, tag=filters.tag, label=filters.label, added_since=filters.since
        )
        with self._store.read() as tx:
            licences = None
            if filters.licence is not None:
                licences = [one for one in tx.licences.list() if filters.licence in (one.id, one.host)]
            return np.array(tx.assets.compared(wanted, licences), dtype=np.int64)

    async def _copies(
        self, request: Request, among: Among, left_out: frozenset[PictureKey]
    ) -> tuple[dict[PictureKey, CopyFact], tuple[str, ...]]:
        """Return what the matcher holds for copies of a picture, by its own measure, and what it could not search."""
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
            for number in _those_of(numbers[kind], allowed)
        }

    def _asset_copies(self, report: MatchReport, allowed: NDArray[np.int64] | None) -> dict[PictureKey, CopyFact]:
        """Return the assets of a report that may be returned."""
        with self._store.read() as tx:
            assets = tx.assets.of_ids([match.asset_id for match in report.matches])
        wanted = _those_of([asset.number for asset in assets.values()], allowed)
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
        wanted = _those_of([copy.number for copy in remembered.copies], allowed)
        return {
            (Kind.SEEN, copy.number): CopyFact(copy.probability, copy.description)
            for copy in remembered.copies
            if copy.number in wanted
        }


def _assets_without_appearance(searched: Mapping[Kind, int], there_are: Mapping[Kind, int]) -> tuple[str, ...]:
    """Return in words how many assets were not searched, since nobody knows what they look like; () for none."""
    assets = there_are.get(Kind.ASSET, 0)
    lacking = assets - searched.get(Kind.ASSET, 0)
    return (f"{lacking} of {assets} assets, whose appearance is not known",) if lacking > 0 else ()


def _why_by_words(found: Found, request: Request, asset: Asset | None, addresses: Sequence[SeenAddress]) -> str | None:
    """Return which of its words answer the text asked with; None when none do."""
    if request.text is None or not found.has_words:
        return None
    asked = terms(request.text)
    words = words_of_asset(asset, asked) if asset is not None else words_of_places(addresses, asked)
    return words or "shows what the words mean"


def _key(example: Asset | SeenPicture) -> PictureKey:
    return (Kind.ASSET if isinstance(example, Asset) else Kind.SEEN, example.number)


def _those_of(numbers: Sequence[int], allowed: NDArray[np.int64] | None) -> set[int]:
    """Return those of some numbers that are allowed; None allows all. There may be millions of allowed ones."""
    if allowed is None:
        return set(numbers)
    asked = np.array(numbers, dtype=np.int64)
    return set(asked[np.isin(asked, allowed)].tolist())
