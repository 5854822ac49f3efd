"""Sends the messages that are due: the consumer that the task runner calls for tasks of the kind `deliver`.

After a crash between a post and its settlement, the same id and the same bytes are sent again once the lease is over.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from guardian.delivery.delivery import Delivery
from guardian.delivery.retries import retry_at
from guardian.errors import DeliveryFailed, GuardianError, StoreUnusable, internal_error_text
from guardian.model import Actor, Message, Task, TaskKind
from guardian.model.people import BY_GUARDIAN
from guardian.store import Store, Transaction
from guardian.store.audit import DELIVERED
from guardian.tasks.outcomes import Dead, Done, Postponed, Settled, TaskOutcome
from guardian.tasks.runner import Settlements
from guardian.views.deliveries import Subject, subject_of

LEASE = timedelta(seconds=45)
"""Longer than the longest time-out of a post (30 s), with room to settle it."""

_LONGEST_REASON = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many messages one pass tried, and what became of them."""

    delivered: int = 0
    postponed: int = 0
    dead: int = 0


def deliveries_of(settlements: Settlements) -> Deliveries:
    """Return the deliveries among what one pass of the runner settled."""
    counts = settlements.get(TaskKind.DELIVER, Counter[Settled]())
    return Deliveries(counts[Settled.DONE], counts[Settled.POSTPONED], counts[Settled.DEAD])


def delivery_numbered(tx: Transaction, number: int) -> Task | None:
    """Return the delivery of this number; None when there is none, or when it is another kind of task."""
    task = tx.tasks.get(number) if 0 < number < 2**63 else None
    return task if task is not None and task.kind is TaskKind.DELIVER else None


def retry_now(tx: Transaction, actor: Actor, task: Task, at: datetime) -> bool:
    """Try a delivery again at once that was given up or waits; return whether it did either."""
    is_due = tx.tasks.revive(task.id, at) or tx.tasks.hurry(task.id, at)
    if is_due:
        tx.audit.add(actor, "delivery.retried", str(task.id), at, {"destination": task.destination or ""})
    return is_due


class DeliveryConsumer:
    """The consumer of tasks of the kind `deliver`. Their lanes are destinations."""

    lease = LEASE

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        clock: Callable[[], datetime],
        owner: str,
        chance: random.Random | None = None,
    ) -> None:
        self._store, self._delivery, self._clock, self._owner = store, delivery, clock, owner
        self._chance = chance or random.Random()
        self._subjects: dict[int, Subject] = {}

    def lanes(self) -> list[str | None]:
        """Return the destinations with something due that are neither disabled nor resting.

        A destination that is not configured here may be known to another process on this database. While other
        processes live, its messages wait; without any, they are claimed here and found dead.
        """
        with self._store.read() as tx:
            disabled = tx.destinations.disabled()
            due = [name for name in tx.tasks.destinations_due(self._clock()) if name not in disabled]
            is_alone = not any(process.id != self._owner for process in tx.processes.living())

        lanes: list[str | None] = []
        for name in due:
            is_ours = is_alone or name in self._delivery.names
            if is_ours and not self._delivery.is_resting(name):
                lanes.append(name)

        return lanes

    async def perform(self, task: Task) -> TaskOutcome:
        """Post one message: done, due again later, or dead. A receiver that answers 410 is disabled.

        Raises StoreUnusable: the same message is posted again when the lease is over.
        """
        try:
            message = await asyncio.to_thread(self._message_of, task)
            if message is None or task.destination is None:
                raise DeliveryFailed("its message is not in the database", permanent=True)

            self._subjects[task.id] = subject_of(message)
            await self._delivery.deliver(message, task.destination)
            await asyncio.to_thread(self._note_accepted, task, message)
            return Done()
        except DeliveryFailed as error:
            failure = error
        except StoreUnusable:
            # No attempt is counted for that, and nothing given up: the receiver may even have accepted the message.
            raise
        except GuardianError as error:
            failure = DeliveryFailed(str(error))
        except Exception as error:
            log.exception("delivery_crashed", task=task.id, destination=task.destination)
            failure = DeliveryFailed(internal_error_text(error))

        now = self._clock()
        if failure.disable and task.destination is not None:
            # Before the message is settled: nothing more may be posted to a receiver that wants no more messages.
            await asyncio.to_thread(self._disable, task.destination, now, str(failure))
            log.error("destination_disabled", destination=task.destination, task=task.id, reason=str(failure))

        due_at = retry_at(task.attempts + 1, now, failure, self._delivery.settings, self._chance)
        if due_at is not None:
            return Postponed(due_at, str(failure))
        await asyncio.to_thread(self._note_given_up, task, str(failure))
        return Dead(str(failure))

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one message."""
        subject = self._subjects.pop(task.id, None)
        facts = {
            "task": task.id,
            "destination": task.destination,
            "attempts": task.attempts + 1,
            "case": subject.case_id if subject else None,
            "asset": subject.asset_id if subject else None,
        }
        match outcome:
            case Done():
                log.info("delivered", **facts)
            case Postponed(_, error):
                log.warning("delivery_postponed", reason=error, **facts)
            case Dead(error):
                log.error("delivery_dead", reason=error, **facts)

    def _message_of(self, task: Task) -> Message | None:
        if task.message_id is None:
            return None
        with self._store.read() as tx:
            return tx.messages.get(task.message_id)

    def _disable(self, destination: str, now: datetime, reason: str) -> None:
        with self._store.begin() as tx:
            tx.destinations.disable(destination, now, reason)
            tx.audit.add(BY_GUARDIAN, "destination.disabled", destination, now, {"reason": reason[:_LONGEST_REASON]})

    def _note_accepted(self, task: Task, message: Message) -> None:
        """Note in the audit log that a receiver has accepted exactly these bytes.

        Before the task is settled: after a crash in between it is sent and noted once more, and never not noted.
        """
        digest = hashlib.sha256(message.body).hexdigest()
        detail = {"destination": task.destination or "", "sha256": digest}
        with self._store.begin() as tx:
            tx.audit.add(BY_GUARDIAN, DELIVERED, message.id, self._clock(), detail)

    def _note_given_up(self, task: Task, reason: str) -> None:
        detail = {"destination": task.destination or "", "reason": reason[:_LONGEST_REASON]}
        with self._store.begin() as tx:
            tx.audit.add(BY_GUARDIAN, "delivery.given_up", task.message_id, self._clock(), detail)
