"""Keeps images that end their worker from doing so at each scan: they wait for longer and longer, or are set aside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from guardian.errors import Unmatchable, WorkerLost
from guardian.matching.workers import CRASHES_TOLERATED
from guardian.model import (
    FAILURES_BEFORE_SET_ASIDE,
    Fetched,
    QuarantinedImage,
    SkipReason,
)
from guardian.scan.context import CHECK
from guardian.store import Store
from guardian.views.timestamps import minute_text

_PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""Before an image whose worker was lost is tried again: after the first attempt, the second, and so on."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def unless_quarantined(
    store: Store, recipe: str, clock: Callable[[], datetime], fetched: Fetched, known: QuarantinedImage | None
) -> AsyncIterator[int]:
    """Surround the match of an image, unless it is quarantined now; yield how many crashes of a worker it may cause.

    `known` is what the quarantine says of the image. An image that ends its worker (the body raises WorkerLost) is
    quarantined; one that is matched, or is Unmatchable, is freed. A check by a person does not wait for a pause, and
    notes nothing. Raises WorkerLost for an image that is not tried, and what the body raises.
    """
    is_check = fetched.sighting.source == CHECK
    if known is not None:
        _refuse(known, clock(), waits=not is_check)

    is_freed = known is not None and not is_check
    left = FAILURES_BEFORE_SET_ASIDE - (known.failures if known is not None else 0)
    try:
        yield min(left, CRASHES_TOLERATED)
    except Unmatchable:
        if is_freed:
            await asyncio.to_thread(_free, store, fetched.sha256)
        raise
    except WorkerLost as error:
        if not is_check:
            failed = _after(error, fetched, known, clock())
            log.warning("image_quarantined", image_url=failed.image_url, reason=failed.detail, attempts=failed.attempts)
            await asyncio.to_thread(_put, store, failed, recipe)
        raise

    if is_freed:
        await asyncio.to_thread(_free, store, fetched.sha256)


def _refuse(known: QuarantinedImage, now: datetime, *, waits: bool) -> None:
    """Raise WorkerLost for an image that is set aside or, if `waits`, is to be tried again later only."""
    if known.is_set_aside:
        detail = f"{known.detail}; set aside, `guardian quarantine free {known.sha256[:12]}` has it tried again"
        raise WorkerLost(SkipReason.SET_ASIDE, detail)

    # A clock that was set back must not make the pause longer than it was meant.
    if waits and known.failed_at <= now < known.retry_at:
        detail = f"{known.detail}; tried again at the first scan after {minute_text(known.retry_at)}"
        raise WorkerLost(known.reason, detail)


def _after(error: WorkerLost, fetched: Fetched, before: QuarantinedImage | None, now: datetime) -> QuarantinedImage:
    """Return what is known of an image after another attempt that failed."""
    attempts = 1 + (before.attempts if before is not None else 0)
    return QuarantinedImage(
        sha256=fetched.sha256,
        image_url=fetched.sighting.image_url or "data:",
        reason=error.reason,
        detail=str(error),
        attempts=attempts,
        failures=error.failures + (before.failures if before is not None else 0),
        failed_at=now,
        retry_at=now + _PAUSES[min(attempts, len(_PAUSES)) - 1],
    )


def _put(store: Store, failed: QuarantinedImage, recipe: str) -> None:
    with store.begin() as tx:
        tx.quarantine.put(failed, recipe)


def _free(store: Store, sha256: str) -> None:
    with store.begin() as tx:
        tx.quarantine.free([sha256])
