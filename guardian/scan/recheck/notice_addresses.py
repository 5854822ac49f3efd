"""Looks whether all places that a notice names still show the picture, before a person sends it.

A person asks for these few requests, so they are sent as `check` sends its own.
"""

import asyncio
from collections.abc import Set
from dataclasses import dataclass, replace

from guardian.concurrency import run_all
from guardian.fetch.mail_domains import MailDomain, mail_domain
from guardian.model import Sighting
from guardian.model.notices import Notice, NoticePlace
from guardian.notices.mail_address import is_mail_address
from guardian.scan.context import ScanContext, context_of_check
from guardian.scan.pipeline import answer_only
from guardian.scan.recheck.looks import (
    FileVerdict,
    PageVerdict,
    Place,
    digests_of,
    look_at_file,
    look_at_page,
    place_of,
    shows_work,
)
from guardian.scan.services import Services
from guardian.urls.addresses import host_in

_AT_ONCE = 4
_MEANS_DEAD = (PageVerdict.WITHOUT, PageVerdict.GONE, PageVerdict.ELSEWHERE, PageVerdict.UNREACHABLE)
_TELLS_NOTHING = (PageVerdict.HIDDEN, PageVerdict.NO_PAGE)

_NO_FILE = (FileVerdict.GONE, FileVerdict.NO_PICTURE, FileVerdict.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a place that a notice names: the digests of the bytes seen there, and the assets of the work."""

    digests: frozenset[str] = frozenset()
    asset_ids: frozenset[str] = frozenset()


async def dead_addresses(services: Services, notice: Notice) -> dict[str, str]:
    """Return the addresses of a notice that are not live, and why; {} when all are.

    A page is live when it shows the picture, a file when its bytes are those that were seen, or the work is recognised
    in what lies there now. Of a page that cannot be read without a browser, and of a feed, the picture's file decides.
    """
    context = context_of_check(services)
    slots = asyncio.Semaphore(_AT_ONCE)
    known = await asyncio.to_thread(_known, services, notice)

    async def look(named: NoticePlace) -> dict[str, str]:
        one = known.get(named.finding_id, _Known())
        async with slots:
            return await _dead(services, context, place_of(named, one.digests), one.asset_ids)

    found: dict[str, str] = {}
    for one in await run_all(look(named) for named in notice.places):
        found |= one
    return found


async def recipient_doubt(notice: Notice) -> str | None:
    """Return what name servers have against the mail address that a notice is written to, in words.

    None when its domain takes mail, or when it is written to no mail address. What could not be asked is said.
    """
    if notice.recipient is None or not is_mail_address(notice.recipient):
        return None
    domain = host_in(notice.recipient.rpartition("@")[2].strip())
    found = await mail_domain(domain)
    return None if found is MailDomain.TAKES_MAIL else f"{notice.recipient}: {domain} {found.value}"


async def _dead(services: Services, context: ScanContext, place: Place, asset_ids: Set[str]) -> dict[str, str]:
    if place.page_url is not None:
        page = await look_at_page(services, context, place)
        if page.verdict in _MEANS_DEAD or (page.verdict in _TELLS_NOTHING and place.image_url is None):
            return {place.page_url: page.detail}
        if page.sighting is not None and page.sighting.image_url is not None:
            # The page may name another rendition by now.
            place = replace(place, image_url=page.sighting.image_url)
    if place.image_url is None:
        return {}

    file = await look_at_file(services, context, place)
    if file.verdict in _NO_FILE:
        return {place.image_url: file.detail}
    if file.verdict is FileVerdict.OTHER:
        # Many sites write their pictures anew for each visitor; others have put another one in its place.
        sighting = Sighting(context.source, place.image_url, place.page_url, services.clock())
        answer = await answer_only(services, context, sighting)
        if not shows_work(answer, asset_ids):
            problem = f" ({answer.problem.detail or answer.problem.word})" if answer.problem is not None else ""
            return {place.image_url: f"{file.detail}, in which the work is not recognised{problem}"}
    return {}


def _known(services: Services, notice: Notice) -> dict[str, _Known]:
    """Return what is known of the places of a notice, by the ids of their findings."""
    found = {}
    with services.store.read() as tx:
        for item in notice.items:
            assets = tx.works.asset_ids_with(item.asset_id)
            for place in item.places:
                finding = tx.findings.get(place.finding_id)
                found[place.finding_id] = _Known(digests_of(finding) if finding is not None else frozenset(), assets)
    return found
