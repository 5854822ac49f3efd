"""Sends the messages that are due, and marks each one as delivered after it was sent, never before.

After a crash between the two, the same id and the same bytes are sent once more when the lease has ended.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from guardian.delivery.delivery import Delivery
from guardian.delivery.retries import retry_at
from guardian.delivery.settings import DeliverySettings
from guardian.errors import DeliveryFailed
from guardian.model import Message, Task, TaskKind
from guardian.store import Store, Transaction

LEASE = timedelta(seconds=45)
PASS = timedelta(seconds=10)

log = structlog.get_logger(__name__)


class Settled(StrEnum):
    """What became of a message: it was accepted, will be tried again, or waits for a person."""

    DELIVERED = "delivered"
    POSTPONED = "postponed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many messages one pass tried, and what became of them."""

    delivered: int = 0
    postponed: int = 0
    dead: int = 0

    @property
    def attempted(self) -> int:
        """How many messages were tried."""
        return self.delivered + self.postponed + self.dead


async def deliver_due(
    store: Store,
    delivery: Delivery,
    clock: Callable[[], datetime],
    limit: int = 1000,
    chance: random.Random | None = None,
) -> Deliveries:
    """Send what is due: destinations concurrently, each one message at a time in order of due time.

    A destination's turn ends at its first failure, after `limit` messages, or after ten seconds, so that a slow
    one cannot hold up the next pass for long. Messages to a disabled destination stay due and untouched.
    Returns when every turn has ended; call it again until nothing was attempted.
    """

    def waiting() -> list[str]:
        with store.read() as tx:
            disabled = tx.destinations.disabled()
            return [name for name in tx.tasks.destinations_due(clock()) if name not in disabled]

    names = [name for name in await asyncio.to_thread(waiting) if not delivery.is_resting(name)]
    queue = _DestinationQueue(store, delivery, clock, limit, chance or random.Random())
    counts = await asyncio.gather(*(queue.run(name) for name in names))
    total = sum(counts, Counter[Settled]())
    return Deliveries(total[Settled.DELIVERED], total[Settled.POSTPONED], total[Settled.DEAD])


def settle(
    tx: Transaction,
    task: Task,
    failure: DeliveryFailed | None,
    now: datetime,
    settings: DeliverySettings,
    chance: random.Random,
) -> Settled:
    """Record the result of one attempt: done, due again later, or dead; 410 also disables the destination.

    Call it in a transaction of its own, after the attempt.
    """
    if failure is None:
        tx.tasks.done(task.id, now)
        return Settled.DELIVERED
    if failure.disable and task.destination is not None:
        tx.destinations.disable(task.destination, now, str(failure))
    due_at = retry_at(task.attempts + 1, now, failure, settings, chance)
    if due_at is None:
        tx.tasks.bury(task.id, str(failure))
        return Settled.DEAD

    tx.tasks.postpone(task.id, due_at, str(failure))
    return Settled.POSTPONED


@dataclass(frozen=True, slots=True)
class _DestinationQueue:
    """One destination's turn within one pass."""

    store: Store
    delivery: Delivery
    clock: Callable[[], datetime]
    limit: int
    chance: random.Random

    async def run(self, destination: str) -> Counter[Settled]:
        """Send one message after the other until the turn ends; return the results. Logs any error, raises none."""
        counts: Counter[Settled] = Counter()
        ends_at = self.clock() + PASS
        try:
            while counts.total() < self.limit and self.clock() < ends_at:
                claimed = await asyncio.to_thread(self._claim, destination)
                if claimed is None:
                    break

                settled = await self._send(*claimed, destination)
                counts[settled] += 1
                if settled is not Settled.DELIVERED:
                    break
        except Exception:
            log.exception("delivery_turn_failed", destination=destination)

        return counts

    def _claim(self, destination: str) -> tuple[Task, Message | None] | None:
        """Return the next delivery and the message that is owed by it; None when nothing is due."""
        with self.store.begin() as tx:
            claimed = tx.tasks.claim(
                [TaskKind.DELIVER], self.clock(), LEASE, limit=1, owner="deliver", destination=destination
            )
            if not claimed:
                return None

            task = claimed[0]
            return task, tx.messages.get(task.message_id) if task.message_id is not None else None

    async def _send(self, task: Task, message: Message | None, destination: str) -> Settled:
        failure: DeliveryFailed | None = None
        try:
            if message is None:
                raise DeliveryFailed("its message is not in the database", permanent=True)
            await self.delivery.deliver(message, destination)
        except DeliveryFailed as error:
            failure = error
        except Exception as error:
            log.exception("delivery_crashed", task=task.id, destination=task.destination)
            failure = DeliveryFailed(f"internal error: {error!r}")

        settling = asyncio.create_task(asyncio.to_thread(self._settle, task, failure))
        try:
            settled = await asyncio.shield(settling)
        except asyncio.CancelledError:
            # The message was sent: record that before giving way, or it is sent once more for nothing.
            await settling
            raise

        _tell(task, settled, failure)
        return settled

    def _settle(self, task: Task, failure: DeliveryFailed | None) -> Settled:
        with self.store.begin() as tx:
            return settle(tx, task, failure, self.clock(), self.delivery.settings, self.chance)


def _tell(task: Task, settled: Settled, failure: DeliveryFailed | None) -> None:
    facts = {"task": task.id, "destination": task.destination, "attempts": task.attempts + 1}
    if failure is None:
        log.info("delivered", **facts)
    elif failure.disable:
        log.error("destination_disabled", reason=str(failure), **facts)
    elif settled is Settled.DEAD:
        log.error("delivery_dead", reason=str(failure), **facts)
    else:
        log.warning("delivery_postponed", reason=str(failure), **facts)
