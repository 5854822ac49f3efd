"""How a picture comes: from memory, from disk or from the network, under the best of its addresses. Judges nothing."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from guardian.errors import FetchFailed, FetchRefused, GuardianError
from guardian.fetch import local
from guardian.media.sniff import is_picture
from guardian.model import CacheStatus, Candidate, Remembered, Response, Scope, Sighting, Skipped, SkipReason
from guardian.scan import image_cache
from guardian.scan.image_cache import CachedImage
from guardian.scan.services import Services

log = structlog.get_logger(__name__)


async def _recall(services: Services, sighting: Sighting) -> CachedImage | None:
    """What is known of a picture's address, to ask only for what changed. A person's question is asked anew."""
    url = sighting.image_url
    if services.asked_by_person or sighting.inline is not None or sighting.image is not None or not url:
        return None

    def look() -> CachedImage | None:
        with services.store.read() as tx:
            patience = image_cache.Patience(services.clock(), services.longest_freshness, services.asked_since)
            return image_cache.recall(tx, url, services.recipe, patience)

    return None if url.startswith("file:") else await asyncio.to_thread(look)


async def acquire_image(services: Services, sighting: Sighting) -> tuple[Candidate, CachedImage | None]:
    """The first of a picture's addresses, best first, under which there is a picture, and what is known of it.

    A page may name a largest rendition that is no longer made, that robots.txt forbids, or that is a page in
    truth; the next one is on show. Raises what the last worthwhile address raised.
    """
    known = await _recall(services, sighting)
    try:
        candidate = await _fetch(services, sighting, known)
    except (FetchRefused, FetchFailed) as error:
        others = _others(sighting, error)
        if not others:
            raise
        return await acquire_image(services, _at_next(sighting, others))
    if sighting.also_at and _is_no_picture(candidate, known):
        with suppress(FetchRefused, FetchFailed):
            return await acquire_image(services, _at_next(sighting, sighting.also_at))
    return candidate, known


def _at_next(sighting: Sighting, others: Sequence[str]) -> Sighting:
    return replace(sighting, image_url=others[0], also_at=tuple(others[1:]))


def _others(sighting: Sighting, error: FetchRefused | FetchFailed) -> tuple[str, ...]:
    """Addresses still worth asking for: where a whole host is in trouble, only those elsewhere."""
    if error.reason.scope is Scope.ADDRESS:
        return sighting.also_at
    place = urlsplit(sighting.image_url or "").netloc
    return tuple(url for url in sighting.also_at if urlsplit(url).netloc != place)


def _is_no_picture(candidate: Candidate, known: CachedImage | None) -> bool:
    if candidate.response is not None and candidate.content:
        return not is_picture(candidate.response)
    verdict = known.verdict if known else None
    return isinstance(verdict, Skipped) and verdict.reason is SkipReason.NOT_AN_IMAGE


async def _fetch(services: Services, sighting: Sighting, known: CachedImage | None = None) -> Candidate:
    """The bytes of a sighting: inline, from disk, already fetched by discovery, or from the network.

    What is `known` and unchanged has no bytes: its digest stands for them.
    """
    if sighting.inline is not None:
        return _candidate(sighting, sighting.inline, None)
    if sighting.image is not None:
        return _candidate(sighting, sighting.image.content, sighting.image)
    url = sighting.image_url or ""
    if url.startswith("file:"):
        response = await asyncio.to_thread(local.read, url, services.max_image_bytes)
        return _candidate(sighting, response.content, response)
    if known is not None and (known.is_fresh or known.asked_already):
        return Candidate(sighting, known.remembered.sha256, b"", None)
    remembered = known.remembered if known else None
    response = await services.web.get(url, kind="image", asked_by_person=services.asked_by_person, known=remembered)
    if response.not_modified and remembered is not None:
        candidate = Candidate(sighting, remembered.sha256, b"", response)
    else:
        candidate = _candidate(sighting, response.content, response)
    if not services.asked_by_person:
        await asyncio.to_thread(_remember_response, services, response, remembered, candidate.sha256)
    return candidate


async def with_content(services: Services, candidate: Candidate) -> Candidate:
    """An unchanged picture that is evidence: its exact bytes from the vault, else from its site, asked anew."""
    try:
        content = await asyncio.to_thread(services.vault.get, candidate.sha256)
    except (GuardianError, OSError):
        return await _fetch(services, candidate.sighting)
    response = candidate.response and replace(candidate.response, content=content)
    return replace(candidate, content=content, response=response)


async def with_page(services: Services, candidate: Candidate) -> Candidate:
    """A picture on an unchanged page: the page's bytes are evidence too, from the vault, else asked for anew."""
    page = candidate.sighting.page
    if page is None or not page.not_modified:
        return candidate

    def kept() -> bytes:
        with services.store.read() as tx:
            known = tx.responses.known(page.final_url)
        return services.vault.get(known.sha256 if known else "")

    try:
        whole = replace(page, content=await asyncio.to_thread(kept))
    except (GuardianError, OSError):
        try:
            whole = await services.web.get(page.url, kind="page", asked_by_person=services.asked_by_person)
        except (FetchRefused, FetchFailed) as error:
            log.warning("page_not_kept", reason=str(error), page_url=page.url)
            return replace(candidate, sighting=replace(candidate.sighting, page=None))
    return replace(candidate, sighting=replace(candidate.sighting, page=whole))


def cache_status_of(candidate: Candidate, known: CachedImage | None) -> CacheStatus:
    response = candidate.response
    if response is None:
        if known is None:
            return CacheStatus.HERE
        return CacheStatus.AGAIN if known.asked_already else CacheStatus.FRESH
    if response.url.startswith("file:"):
        return CacheStatus.HERE
    return CacheStatus.UNCHANGED if response.not_modified else CacheStatus.FETCHED


def _candidate(sighting: Sighting, content: bytes, response: Response | None) -> Candidate:
    wish = response.whole_header("x-robots-tag") if response else ""
    if wish:
        # What the site says about the picture's use stands beside what the page says.
        said = "\n".join(part for part in (sighting.context.claims, f"X-Robots-Tag: {wish[:200]}") if part)
        sighting = replace(sighting, context=replace(sighting.context, claims=said))
    return Candidate(sighting, hashlib.sha256(content).hexdigest(), content, response)


def _remember_response(services: Services, response: Response, known: Remembered | None, sha256: str) -> None:
    with services.store.begin() as tx:
        if response.not_modified and known is not None:
            image_cache.confirm(tx, known, response)
        else:
            image_cache.remember(tx, response, sha256)
