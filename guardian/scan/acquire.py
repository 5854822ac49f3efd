"""Gets the bytes of a sighting: from the image cache, from disk or from the network.

Nothing here knows what the bytes are wanted for, or judges them.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from guardian.crawl.page_loader import PageLoader
from guardian.errors import FetchFailed, FetchRefused, GuardianError
from guardian.fetch import local
from guardian.fetch.referrer import referring_origin
from guardian.media.completeness import is_cut_off
from guardian.media.sniff import is_picture
from guardian.model import (
    CacheStatus,
    Candidate,
    Fetched,
    PageCapture,
    Remembered,
    Response,
    Scope,
    Sighting,
    Skipped,
    SkipReason,
    Unchanged,
)
from guardian.scan import image_cache
from guardian.scan.context import ScanContext
from guardian.scan.image_cache import CachedImage, CachePolicy
from guardian.scan.services import Services

log = structlog.get_logger(__name__)


async def acquire(services: Services, context: ScanContext, sighting: Sighting) -> Candidate:
    """Return the candidate at the first of a picture's addresses, best first, that really has a picture.

    The largest rendition that a page names may be gone, forbidden by robots.txt, or a page itself; then the next
    one is tried. So it is when a picture came with an error status, as pictures that stand in for a missing one do, or
    only in part. Raises what the last address worth trying raised (FetchRefused, FetchFailed).
    """
    try:
        candidate = await _at_best_address(services, context, sighting)
    except (FetchRefused, FetchFailed) as error:
        others = _still_worth_asking(sighting, error)
        if not others:
            raise

        return await acquire(services, context, _at_next(sighting, others))

    if sighting.also_at and (is_no_picture(candidate) or _is_doubtful(candidate)):
        # When no other address has a better picture, this answer is the one to report.
        with suppress(FetchRefused, FetchFailed):
            other = await acquire(services, context, _at_next(sighting, sighting.also_at))
            if is_no_picture(candidate) or not (is_no_picture(other) or _is_doubtful(other)):
                return other
    return candidate


async def transfer(services: Services, context: ScanContext, unchanged: Unchanged) -> Fetched:
    """Return an unchanged picture with its bytes: from the vault, or downloaded again from its site.

    A download may bring other bytes by now, with another digest. Raises FetchRefused, FetchFailed.
    """
    try:
        content = await asyncio.to_thread(services.vault.get, unchanged.sha256)
    except (GuardianError, OSError):
        return await _download(services, context, unchanged.sighting)

    # The site answered 304 just now: with the bytes that this confirms, the response is evidence of today.
    response = replace(unchanged.response, content=content) if unchanged.response is not None else None
    return Fetched(unchanged.sighting, unchanged.sha256, content, response)


async def transfer_page(services: Services, context: ScanContext, page: PageCapture) -> PageCapture | None:
    """Return a page with its bytes; an unchanged one from the vault, or loaded again; None when neither is possible."""
    if not page.is_unchanged:
        return page
    try:
        content = await asyncio.to_thread(services.vault.get, page.sha256)
        return replace(page, response=replace(page.response, content=content))
    except (GuardianError, OSError):
        pass

    try:
        return await PageLoader(context.fetcher).load(page.url)
    except (FetchRefused, FetchFailed) as error:
        log.warning("page_not_kept", reason=str(error), page_url=page.url)
        return None


def is_no_picture(candidate: Candidate) -> bool:
    """Return whether something else than a picture came, such as a page: now, or when it was last matched."""
    match candidate:
        case Fetched():
            return candidate.response is not None and not is_picture(candidate.response)
        case Unchanged():
            return isinstance(candidate.report, Skipped) and candidate.report.reason is SkipReason.NOT_AN_IMAGE


async def _at_best_address(services: Services, context: ScanContext, sighting: Sighting) -> Candidate:
    """Return the candidate at the sighting's own `image_url`, without a look at its other addresses."""
    if sighting.inline is not None:
        return _fetched(sighting, sighting.inline, None)
    if sighting.image is not None:
        return _fetched(sighting, sighting.image.content, sighting.image)

    url = sighting.image_url or ""
    if url.startswith("file:"):
        response = await asyncio.to_thread(local.read, url, services.settings.max_image_bytes)
        return _fetched(sighting, response.content, response)

    if context.asked_by_person:
        # A person wants to know what is there now, whatever the cache says.
        return await _download(services, context, sighting)

    known = await asyncio.to_thread(_recall, services, context, url, referring_origin(sighting.referrer, url))
    if known is None:
        return await _download(services, context, sighting)

    if known.is_fresh or known.asked_already:
        status = CacheStatus.AGAIN if known.asked_already else CacheStatus.FRESH
        return _unchanged(sighting, known, status)
    return await _ask_for_changes(services, context, sighting, known)


async def _download(services: Services, context: ScanContext, sighting: Sighting) -> Fetched:
    """Return the picture at `image_url`, downloaded without conditions."""
    url = sighting.image_url or ""
    response = await context.fetcher.get(url, kind="image", referrer=sighting.referrer)
    fetched = _fetched(sighting, response.content, response)
    if not context.asked_by_person:
        origin = referring_origin(sighting.referrer, url)
        await asyncio.to_thread(_remember, services, fetched.response or response, fetched.sha256, origin)
    return fetched


async def _ask_for_changes(
    services: Services, context: ScanContext, sighting: Sighting, known: CachedImage
) -> Candidate:
    """Return the picture at `image_url`, by a conditional request with the known validators (RFC 9110, 13.1)."""
    url = sighting.image_url or ""
    origin = referring_origin(sighting.referrer, url)
    response = await context.fetcher.get(url, kind="image", known=known.remembered, referrer=sighting.referrer)
    if response.not_modified:
        await asyncio.to_thread(_confirm, services, response, known.remembered, origin)
        return replace(_unchanged(sighting, known, CacheStatus.UNCHANGED), response=response)

    fetched = _fetched(sighting, response.content, response)
    await asyncio.to_thread(_remember, services, fetched.response or response, fetched.sha256, origin)
    return fetched


def _unchanged(sighting: Sighting, known: CachedImage, status: CacheStatus) -> Unchanged:
    """Return the candidate for a picture that is known and need not be transferred."""
    return Unchanged(
        sighting,
        known.remembered.sha256,
        known.report,
        status,
        status=known.status,
        incomplete=known.incomplete,
    )


def _fetched(sighting: Sighting, content: bytes, response: Response | None) -> Fetched:
    """Return a candidate with these bytes; what its response says about use joins the claims of its page.

    A file that lacks its end is `incomplete`, although the answer with it is whole.
    """
    if response is not None and response.incomplete is None and is_cut_off(content):
        response = replace(response, incomplete="the file lacks its end")
    robots_tag = response.whole_header("x-robots-tag") if response else ""
    if robots_tag:
        claims = f"X-Robots-Tag: {robots_tag[:200]}"
        if sighting.context.claims:
            claims = f"{sighting.context.claims}\n{claims}"
        sighting = replace(sighting, context=replace(sighting.context, claims=claims))
    return Fetched(sighting, hashlib.sha256(content).hexdigest(), content, response)


def _at_next(sighting: Sighting, others: Sequence[str]) -> Sighting:
    """Return the sighting at the first of these addresses, with the rest as its other addresses."""
    return replace(sighting, image_url=others[0], also_at=tuple(others[1:]))


def _still_worth_asking(sighting: Sighting, error: FetchRefused | FetchFailed) -> tuple[str, ...]:
    """Return the other addresses that may have the picture; when a whole host failed, only those on other hosts."""
    if error.reason.scope is Scope.ADDRESS:
        return sighting.also_at

    failed_host = urlsplit(sighting.image_url or "").netloc
    return tuple(url for url in sighting.also_at if urlsplit(url).netloc != failed_host)


def _is_doubtful(candidate: Candidate) -> bool:
    """Return whether a picture came with an error status, or not whole."""
    return (candidate.status or 0) >= 400 or candidate.incomplete is not None


def _recall(services: Services, context: ScanContext, url: str, origin: str | None) -> CachedImage | None:
    policy = CachePolicy(services.clock(), services.settings.longest_freshness, context.started_at, origin)
    with services.store.read() as tx:
        return image_cache.recall(tx, url, services.workers.report_recipe, policy)


def _remember(services: Services, response: Response, sha256: str, origin: str | None) -> None:
    with services.store.begin() as tx:
        image_cache.remember(tx, response, sha256, origin)


def _confirm(services: Services, response: Response, known: Remembered, origin: str | None) -> None:
    with services.store.begin() as tx:
        image_cache.confirm(tx, known, response, origin)
