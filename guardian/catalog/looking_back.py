"""Looks for new assets in what was seen before they were protected.

What the memory finds is written down as an earlier use, and a task is owed for each that looks at its place again: what
is still there becomes a finding by the same rules as any other, what is gone is history of the asset.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from guardian.catalog.context import CatalogContext
from guardian.errors import GuardianError
from guardian.memory.copies import WORTH_A_LOOK, CopiesFound, RememberedCopy, find_copies
from guardian.model import Asset, AssetState, EarlierUse, SeenAddress, SeenPicture, Task, TaskKind
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.tasks.outcomes import Dead, Done, Postponed, TaskOutcome

_LEFT_TO_DAEMON_AFTER = timedelta(minutes=10)
_TRIED_AGAIN_AFTER = timedelta(hours=1)
_MOST_TRIES = 8

log = structlog.get_logger(__name__)


def owe_look_back(tx: Transaction, asset_id: str, at: datetime) -> None:
    """Note that an asset is to be looked for in the memory, so that it is also when this process ends before."""
    tx.tasks.add(TaskKind.LOOK_BACK, asset_id, due_at=at + _LEFT_TO_DAEMON_AFTER, at=at)


async def look_back(context: CatalogContext, asset_id: str) -> tuple[EarlierUse, ...]:
    """Look in the memory for an asset; return the places where it was seen that were not known before.

    They are written down, with a task for each that looks at the place again. Raises Unmatchable, WorkerLost,
    IndexNotReady, and GuardianError where the asset's original is lost.
    """
    memory = context.memory
    if memory is None:
        return ()
    asset = await asyncio.to_thread(_asset, context, asset_id)
    if asset is None or asset.state is AssetState.WITHDRAWN or asset.by_bytes_only:
        return ()

    # What waits in the database is asked, too.
    await asyncio.to_thread(memory.write_waiting)
    content = await asyncio.to_thread(context.originals.get, asset.sha256)
    (found,) = await context.workers.run_with_matcher(find_copies, memory.folder, memory.recipe, (content,))
    if not found.is_complete:
        log.warning("memory_searched_in_part", asset=asset_id, reason="a segment of the memory is damaged")
    return await asyncio.to_thread(_note, context, asset_id, found)


def _asset(context: CatalogContext, asset_id: str) -> Asset | None:
    with context.store.read() as tx:
        return tx.assets.get(asset_id)


def _note(context: CatalogContext, asset_id: str, found: CopiesFound) -> tuple[EarlierUse, ...]:
    """Write down where copies of an asset were seen, and owe a look at each place; return what is new."""
    copies = {one.number: one for one in found.copies if one.probability >= WORTH_A_LOOK}
    at = context.clock()
    with context.store.begin() as tx:
        pictures = tx.seen.pictures(copies)
        like = tx.seen.like([one.id for one in pictures.values()])
        uses = []
        for number, picture in pictures.items():
            for one in (picture, *like[picture.id]):
                places = tx.seen.places_of(one.id)
                uses += [_earlier_use(asset_id, one, place, copies[number]) for place in places]
        new = tx.earlier_uses.note(uses)
        for use in new:
            tx.tasks.add(TaskKind.RECHECK, use.id, due_at=at, at=at)
        tx.tasks.finish(TaskKind.LOOK_BACK, asset_id, at)
    return tuple(sorted(new, key=lambda use: use.first_seen_at))


def _earlier_use(asset_id: str, picture: SeenPicture, place: SeenAddress, copy: RememberedCopy) -> EarlierUse:
    return EarlierUse(
        id=new_id("use"),
        asset_id=asset_id,
        sha256=picture.sha256,
        image_url=place.image_url,
        page_url=place.page_url,
        source=place.source,
        context=place.context,
        first_seen_at=place.first_seen_at,
        last_seen_at=place.last_seen_at,
        probability=copy.probability,
        description=copy.description,
    )


class LookBackConsumer:
    """The consumer of tasks of the kind `look_back`: what an `asset add` that was interrupted left undone.

    `find` looks for an asset in the memory, as `Catalog.look_back` does.
    """

    lease = timedelta(minutes=5)

    def __init__(self, find: Callable[[str], Awaitable[tuple[EarlierUse, ...]]], clock: Callable[[], datetime]) -> None:
        self._find, self._clock = find, clock

    def lanes(self) -> list[str | None]:
        """Return one lane for all: each asset keeps a worker busy."""
        return [None]

    async def perform(self, task: Task) -> TaskOutcome:
        """Look for one asset; try again later where that cannot be done now."""
        try:
            await self._find(task.key)
            return Done()
        except (GuardianError, OSError) as error:
            if task.attempts + 1 >= _MOST_TRIES:
                return Dead(str(error))
            return Postponed(self._clock() + _TRIED_AGAIN_AFTER, str(error))

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one task."""
        log.info("looked_back", asset=task.key, outcome=outcome.settled.value)
