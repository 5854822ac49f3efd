"""Has the memory remember what a scan compared, copies and strangers alike."""

import asyncio
from collections.abc import Sequence

from guardian.model import Answer, DescribedPicture, NewlySeen
from guardian.scan.services import Services


async def remember_seen(services: Services, answers: Sequence[tuple[Answer, DescribedPicture | None]]) -> None:
    """Remember the pictures of one page that were compared, with their place; each with what a worker said of it."""
    memory = services.memory
    met = [one for one in (_newly_seen(*pair) for pair in answers) if one is not None]
    if memory is not None and met:
        await asyncio.to_thread(memory.remember, services.store, met)


def _newly_seen(answer: Answer, described: DescribedPicture | None) -> NewlySeen | None:
    """Return what is to be remembered of an answer; None when nothing was compared."""
    if answer.report is None or answer.sha256 is None:
        return None
    sighting = answer.sighting
    return NewlySeen(
        sha256=answer.sha256,
        width=answer.report.width,
        height=answer.report.height,
        perceptual_hash=answer.report.perceptual_hash,
        image_url=sighting.image_url,
        page_url=sighting.page_url,
        source=sighting.source,
        seen_at=sighting.seen_at,
        context=sighting.context,
        described=described,
    )
