"""Keeps the evidence of a use that the rules want kept, then records it: finding, case and queued messages."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from guardian import cases
from guardian.cases import Kept, RecordedUse
from guardian.cases.absence import doubtful_places
from guardian.evidence import Vault, VaultFull, keep_response, with_room
from guardian.model import Answer, Fetched, PageCapture, Response, Skipped
from guardian.scan.acquire import transfer_page
from guardian.scan.context import ScanContext
from guardian.scan.services import Services
from guardian.store import Transaction
from guardian.views.timestamps import minute_text

log = structlog.get_logger(__name__)


class PageBytes:
    """The bytes of the pages that some pictures were seen on; each page is loaded once for all of them."""

    def __init__(self, services: Services, context: ScanContext) -> None:
        self._services, self._context = services, context
        self._loaded: dict[str, PageCapture | None] = {}

    async def of(self, page: PageCapture | None) -> PageCapture | None:
        """Return a page with its bytes; None when they cannot be had any more, and for no page."""
        if page is None:
            return None
        if page.sha256 not in self._loaded:
            self._loaded[page.sha256] = await transfer_page(self._services, self._context, page)
        return self._loaded[page.sha256]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of a use: the picture as it was fetched, and its page with its bytes where there is one.

    `seen_since`: since when the memory has known the picture there; None for what was met just now.
    """

    fetched: Fetched
    page: PageCapture | None = None
    seen_since: datetime | None = None


async def keep_evidence(services: Services, evidence: Evidence) -> Kept:
    """Write the exact bytes of an image and its page to the vault, and return their SHA-256 digests.

    Less important evidence makes room for them. A vault that is full nevertheless does not stop the finding: it is
    noted in the result.
    """
    make_room = partial(with_room, services.store, services.vault, services.clock)
    return await asyncio.to_thread(_keep, services.vault, evidence, make_room)


async def record(services: Services, answer: Answer, evidence: Evidence, kept: Kept) -> None:
    """Write finding, case, message and tasks for every match that the rules want kept, in one transaction."""
    fetched = evidence.fetched

    def write(tx: Transaction) -> None:
        held = _held(tx, services.vault, evidence, kept)
        held = replace(held, note="; ".join(filter(None, (_oddity(answer), _since(evidence), held.note))) or None)
        # All assets first, then the cases in the order of their works: whoever joins some of these works meanwhile,
        # or records another image of them, never waits for this transaction while it waits for theirs. But the first
        # use by an operator may rank its other cases anew, among them those of earlier works: `run` mends that.
        matches = [match for match in answer.judged if match.kept]
        tx.works.hold(match.asset.id for match in matches)
        for match in sorted(matches, key=lambda judged: judged.asset.work_id):
            use = RecordedUse(
                sighting=fetched.sighting,
                candidate_sha256=fetched.sha256,
                asset=match.asset,
                comparison=match.comparison,
                licence_status=match.licence_status,
                decision=match.decision,
                at=services.clock(),
                kept=held,
                also_at=answer.also_at,
                perceptual_hash=answer.report.perceptual_hash if answer.report else None,
                licence_id=match.licence_id,
                seen_since=evidence.seen_since,
            )
            settings = services.settings
            cases.record(tx, use, settings.audience, settings.platforms)

    await asyncio.to_thread(services.store.run, write)


async def note_doubts(services: Services, results: Sequence[Answer | Skipped]) -> None:
    """Note the places of which these results say nothing, so that what was seen there before is not missed."""
    places = [place for result in results for place in doubtful_places(result)]

    def write() -> None:
        with services.store.begin() as tx:
            tx.findings.doubt(places, services.clock())

    if places:
        await asyncio.to_thread(write)


def _keep(vault: Vault, evidence: Evidence, make_room: Callable[[int, Callable[[], str]], str]) -> Kept:
    """Write image and page to the vault; when it is full, keep what went in before and note why the rest did not.

    `make_room` calls what writes so many bytes, again if it must.
    """
    fetched, page = evidence.fetched, evidence.page
    image = fetched.response
    kept = Kept(image_status=_status(image), page_status=_status(page.response if page else None))
    try:
        digest = make_room(
            len(fetched.content), lambda: keep_response(vault, image) if image else vault.keep(fetched.content)
        )
        kept = replace(kept, image_sha256=digest)
        if page is not None:
            digest = make_room(len(page.response.content), lambda: keep_response(vault, page.response))
            kept = replace(kept, page_sha256=digest)
    except (VaultFull, OSError) as error:
        where = fetched.sighting
        log.warning("evidence_not_kept", reason=str(error), image_url=where.image_url, page_url=where.page_url)
        kept = replace(kept, note=str(error))
    return kept


def _held(tx: Transaction, vault: Vault, evidence: Evidence, kept: Kept) -> Kept:
    """Return what is kept, of which nothing is removed before the transaction ends.

    The same bytes may have been kept before, and removed as needless since `keep_evidence`: they are written again.
    """
    tx.released_evidence.share()
    digests = [digest for digest in (kept.image_sha256, kept.page_sha256) if digest is not None]
    if all(vault.holds(digest) for digest in digests):
        return kept
    return _keep(vault, evidence, lambda _, write: write())


def _status(response: Response | None) -> int | None:
    """Return the status of an answer; None without one, and for a 304, which only says that nothing has changed."""
    return None if response is None or response.not_modified else response.status


def _since(evidence: Evidence) -> str | None:
    """Return since when the memory has known a use; None for one that was met just now."""
    if evidence.seen_since is None:
        return None
    return f"seen here since {minute_text(evidence.seen_since)}, before the work was protected"


def _oddity(answer: Answer) -> str | None:
    """Return what a reader of the evidence must know of the answer that the image came in; None when it is usual."""
    notes = []
    if answer.status is not None and answer.status >= 400:
        notes.append(f"the site sent this picture with status {answer.status}")
    if answer.incomplete is not None:
        notes.append(f"only a part of the picture is there: {answer.incomplete}")
    return "; ".join(notes) or None
