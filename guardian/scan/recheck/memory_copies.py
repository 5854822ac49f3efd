"""Asks the memory for copies of what is shown at a case's uses: recompressed, scaled, or cut."""

import asyncio
from collections.abc import Sequence

import structlog

from guardian.errors import GuardianError
from guardian.memory.copies import WORTH_A_LOOK, find_copies
from guardian.model import Finding
from guardian.scan.services import Services

_MOST_ASKED = 3
"""Pictures of a case that the memory is asked about; the latest. Each takes a worker about a fifth of a second."""

log = structlog.get_logger(__name__)


async def copies_in_memory(services: Services, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the SHA-256 of remembered pictures that show what was seen at some findings, the most probable first.

    The measure is the matcher's, on small fingerprints: whoever goes there compares in full. What cannot be asked now
    (bytes, a part of the memory or a worker are lost) is logged and left out: the places that are known are looked at
    all the same.
    """
    memory = services.memory
    latest = sorted(findings, key=lambda one: one.last_seen_at, reverse=True)
    digests = list(dict.fromkeys(one.image_sha256 for one in latest if one.image_sha256 is not None))[:_MOST_ASKED]
    if memory is None or not digests:
        return ()

    # What waits in the database is asked, too.
    await asyncio.to_thread(memory.write_waiting)
    probability: dict[int, float] = {}
    for digest in digests:
        try:
            content = await asyncio.to_thread(services.vault.get, digest)
            (found,) = await services.workers.run_with_matcher(find_copies, memory.folder, memory.recipe, (content,))
        except GuardianError as error:
            log.warning("memory_not_asked", sha256=digest, reason=str(error))
            continue
        for copy in found.copies:
            if copy.probability >= WORTH_A_LOOK:
                probability[copy.number] = max(copy.probability, probability.get(copy.number, 0.0))

    return await asyncio.to_thread(_digests, services, probability)


def _digests(services: Services, probability: dict[int, float]) -> tuple[str, ...]:
    """Return the digests of remembered pictures by their numbers, and of those that each stands for."""
    with services.store.read() as tx:
        pictures = tx.seen.pictures(probability)
        like = tx.seen.like([one.id for one in pictures.values()])
    ordered = sorted(pictures.items(), key=lambda one: -probability[one[0]])
    return tuple(same.sha256 for _, one in ordered for same in (one, *like[one.id]))
