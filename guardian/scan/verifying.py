"""Looks whether all places that a notice names still show the picture, before a person sends it.

A person asks for these few requests, so they are sent as `check` sends its own.
"""

import asyncio
from dataclasses import replace

from guardian.concurrency import run_all
from guardian.fetch.fetcher import Fetcher
from guardian.model import Finding
from guardian.model.notices import Notice, NoticePlace
from guardian.scan.context import CHECK, ScanContext
from guardian.scan.places import FileVerdict, PageVerdict, Place, look_at_file, look_at_page, place_of
from guardian.scan.services import Services

_AT_ONCE = 4
_MEANS_DEAD = (PageVerdict.WITHOUT, PageVerdict.GONE, PageVerdict.ELSEWHERE, PageVerdict.UNREACHABLE)

_NO_FILE = (FileVerdict.GONE, FileVerdict.NO_PICTURE, FileVerdict.UNREACHABLE)


async def dead_addresses(services: Services, notice: Notice) -> dict[str, str]:
    """Return the addresses of a notice that are not live, and why; {} when all are.

    A page is live when it shows the picture, a file when a picture lies there. Of a page that cannot be read without a
    browser the file of the picture decides.
    """
    context = ScanContext(CHECK, services.clock(), Fetcher.for_person(services.web))
    slots = asyncio.Semaphore(_AT_ONCE)
    digests = await asyncio.to_thread(_digests, services, notice)

    async def look(named: NoticePlace) -> dict[str, str]:
        async with slots:
            return await _dead(services, context, place_of(named, digests.get(named.finding_id, frozenset())))

    found: dict[str, str] = {}
    for one in await run_all(look(named) for named in notice.places):
        found |= one
    return found


async def _dead(services: Services, context: ScanContext, place: Place) -> dict[str, str]:
    found = {}
    if place.page_url is not None:
        page = await look_at_page(services, context, place)
        if page.verdict in _MEANS_DEAD:
            return {place.page_url: page.detail}
        if page.sighting is not None and page.sighting.image_url is not None:
            # The page may name another rendition by now.
            place = replace(place, image_url=page.sighting.image_url)
    if place.image_url is not None:
        file = await look_at_file(services, context, place)
        if file.verdict in _NO_FILE:
            found[place.image_url] = file.detail
    return found


def _digests(services: Services, notice: Notice) -> dict[str, frozenset[str]]:
    """Return the digests of the bytes that were seen at each finding of a notice, by its id."""
    with services.store.read() as tx:
        known = {place.finding_id: tx.findings.get(place.finding_id) for place in notice.places}
        return {id_: digests_of(finding) for id_, finding in known.items() if finding is not None}


def digests_of(finding: Finding) -> frozenset[str]:
    """Return the digests of the bytes that were seen at a finding."""
    return frozenset(one for one in (finding.candidate_sha256, finding.image_sha256) if one is not None)
