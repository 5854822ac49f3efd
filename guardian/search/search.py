"""The interface of the search: asks matcher and ranking, and puts assets and seen pictures behind their numbers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from guardian.errors import GuardianError, Unmatchable, WorkerLost, WorkersUnavailable
from guardian.evidence.vaults import originals_in
from guardian.matching.workers import Workers
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Asset, AssetState, SeenAddress, SeenPicture
from guardian.search.allowed import count_allowed, numbers_allowed, those_of
from guardian.search.copy_search import CopySearch
from guardian.search.curation import Quality, quality_of
from guardian.search.meaning import nearest_described, nearest_in_meaning
from guardian.search.question import Among, By, CopyFact, Found, Kind, PictureKey, Question
from guardian.search.ranking import rank, reciprocal_ranks
from guardian.search.reasons import why
from guardian.search.request import Filters, Request, Result, SearchAnswer, refuse_meaningless
from guardian.search.views_of_query import ShownPicture, shown, thumbnail
from guardian.search.word_reasons import words_of_asset, words_of_places
from guardian.store import Store
from guardian.store.words import MOST_RANKED
from guardian.views.word_tokens import terms

MOST_BY_WORDS = 400
"""Pictures of each kind that the words bring, to be ranked with all others."""

MOST_BY_LOOK = 1000
"""Pictures that a descriptor brings."""


class Search:
    """Answers requests over one store and one data folder, in worker processes."""

    def __init__(self, store: Store, workers: Workers, data_dir: Path) -> None:
        self._store, self._workers, self._data_dir = store, workers, data_dir
        self._originals = originals_in(data_dir)
        self._copy_search = CopySearch(store, workers, data_dir)

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
        among, left_out = await asyncio.to_thread(numbers_allowed, self._store, request)

        copies: dict[PictureKey, CopyFact] = {}
        not_searched: tuple[str, ...] = ()
        if request.picture is not None and request.by in (By.AUTO, By.COPY):
            copies, not_searched = await self._copy_search.find(request, among, left_out)

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
        there_are = await asyncio.to_thread(count_allowed, self._store, uncounted, request)
        searched = ranking.searched if question.has_picture else there_are
        results = await asyncio.to_thread(self._results, ranking.found, request)
        return SearchAnswer(
            results,
            searched,
            (*not_searched, *ranking.not_searched, *_assets_without_appearance(searched, there_are)),
            is_filtered=request.filters != Filters(),
            has_words=None if words is None else bool(words),
        )

    def _with_words(self, text: str, among: Among, filters: Filters) -> tuple[dict[PictureKey, float], tuple[str, ...]]:
        """Return how well pictures answer a text by their words, and what of them was not ranked."""
        found: dict[PictureKey, float] = {}
        is_all = True
        with self._store.read() as tx:
            if Kind.ASSET in among:
                numbers = among[Kind.ASSET]
                hits = tx.words.assets(text, MOST_BY_WORDS, None if numbers is None else numbers.tolist())
                compared = tx.compared_assets.among([hit.number for hit in hits.hits])
                found |= {(Kind.ASSET, hit.number): hit.score for hit in hits.hits if hit.number in compared}
                is_all = is_all and hits.is_all
            if Kind.SEEN in among:
                hits = tx.words.seen(text, MOST_BY_WORDS, host=filters.host, since=filters.since)
                allowed = those_of([hit.number for hit in hits.hits], among[Kind.SEEN])
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
