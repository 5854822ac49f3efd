"""Keeps the evidence of a use that the rules want kept, then records it: finding, case and queued messages."""

import asyncio
from dataclasses import replace

import structlog

from guardian import cases
from guardian.cases import Kept, RecordedUse
from guardian.evidence import Vault, VaultFull, keep_response
from guardian.model import Answer, Fetched, PageCapture
from guardian.scan.acquire import transfer_page
from guardian.scan.context import ScanContext
from guardian.scan.services import Services

log = structlog.get_logger(__name__)


async def keep_evidence(services: Services, context: ScanContext, fetched: Fetched) -> Kept:
    """Write the exact bytes of an image and its page to the vault, and return their SHA-256 digests.

    A full vault, or a page that can no longer be loaded, does not stop the finding: it is noted in the result.
    """
    page = fetched.sighting.page
    whole_page = await transfer_page(services, context, page) if page is not None else None
    return await asyncio.to_thread(_keep, services.vault, fetched, whole_page)


async def record(services: Services, answer: Answer, fetched: Fetched, kept: Kept) -> None:
    """Write finding, case, message and tasks for every match that the rules want kept, in one transaction."""

    kept = replace(kept, note="; ".join(filter(None, (_oddity(answer), kept.note))) or None)

    def write() -> None:
        with services.store.begin() as tx:
            # In the order of asset ids, so that two images with the same assets never deadlock.
            for match in sorted(answer.judged, key=lambda judged: judged.asset.id):
                if match.kept:
                    use = RecordedUse(
                        sighting=fetched.sighting,
                        candidate_sha256=fetched.sha256,
                        asset=match.asset,
                        comparison=match.comparison,
                        licence_status=match.licence_status,
                        decision=match.decision,
                        at=services.clock(),
                        kept=kept,
                        also_at=answer.also_at,
                        perceptual_hash=answer.report.perceptual_hash if answer.report else None,
                    )
                    cases.record(tx, use, services.settings.destinations)

    await asyncio.to_thread(write)


def _keep(vault: Vault, fetched: Fetched, page: PageCapture | None) -> Kept:
    """Write image and page to the vault; when it is full, keep what went in before and note why the rest did not."""
    image_sha256 = page_sha256 = note = None
    try:
        image = fetched.response
        image_sha256 = keep_response(vault, image) if image is not None else vault.keep(fetched.content)
        page_sha256 = keep_response(vault, page.response) if page is not None else None
    except (VaultFull, OSError) as error:
        log.warning("evidence_not_kept", reason=str(error), image_url=fetched.sighting.image_url)
        note = str(error)
    return Kept(image_sha256=image_sha256, page_sha256=page_sha256, note=note)


def _oddity(answer: Answer) -> str | None:
    """Return what a reader of the evidence must know of the answer that the image came in; None when it is usual."""
    notes = []
    if answer.status is not None and answer.status >= 400:
        notes.append(f"the site sent this picture with status {answer.status}")
    if answer.incomplete is not None:
        notes.append(f"only a part of the picture came: {answer.incomplete}")
    return "; ".join(notes) or None
