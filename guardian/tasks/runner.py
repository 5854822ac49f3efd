"""Claims due tasks for this process, has the consumer of their kind do them, and settles each one afterwards.

After a crash between doing and settling, a task is done once more when its lease has ended. So consumers only do what
is safe to do twice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from guardian.model import Task, TaskKind
from guardian.store import Store
from guardian.tasks.outcomes import Consumer, Dead, Done, Outcome, Postponed, Settled

TURN = timedelta(seconds=10)
"""A lane's turn ends after so long, so that a slow one cannot hold up the next pass."""

RENEWALS_PER_LEASE = 3
"""More than one, so that a renewal may fail or be late without losing the task."""

log = structlog.get_logger(__name__)

Settlements = Mapping[TaskKind, Counter[Settled]]
"""How many tasks of each kind one pass settled, by how they were settled."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Does due tasks. `owner` is the process id under which it claims them; `consumers` do them, by kind."""

    store: Store
    owner: str
    clock: Callable[[], datetime]
    consumers: Mapping[TaskKind, Consumer]

    async def run_due(self, limit: int = 1000) -> Settlements:
        """Make one pass: all kinds and lanes at the same time, within a lane one task at a time in order of due time.

        A lane's turn ends at the first task that is not done, after `limit` tasks, or after TURN. Returns how many
        tasks were settled once every turn has ended; call it until that is none to finish all due tasks.
        """

        async def run_kind(kind: TaskKind, consumer: Consumer) -> Counter[Settled]:
            lanes = await asyncio.to_thread(consumer.lanes)
            turns = await asyncio.gather(*(_Turn(self, kind, consumer, lane).run(limit) for lane in lanes))
            return sum(turns, Counter[Settled]())

        totals = await asyncio.gather(*(run_kind(kind, consumer) for kind, consumer in self.consumers.items()))
        return dict(zip(self.consumers, totals, strict=True))


@dataclass(frozen=True, slots=True)
class _Turn:
    """One lane's turn within one pass."""

    runner: Runner
    kind: TaskKind
    consumer: Consumer
    lane: str | None

    async def run(self, limit: int) -> Counter[Settled]:
        """Do one task after the other until the turn ends. Supervises the lane: an error in it ends no other lane."""
        counts: Counter[Settled] = Counter()
        clock = self.runner.clock
        ends_at = clock() + TURN
        try:
            while counts.total() < limit and clock() < ends_at:
                task = await asyncio.to_thread(self._claim)
                if task is None:
                    break
                outcome = await self._perform(task)
                if outcome is None:
                    break

                await self._settle(task, outcome)
                self.consumer.tell(task, outcome)
                counts[outcome.settled] += 1
                # What fails for one task of a destination would most likely fail for the next one as well.
                if outcome.settled is not Settled.DONE:
                    break
        except Exception:
            # What was claimed stays claimed until its lease ends, and is tried again then.
            log.exception("turn_failed", kind=self.kind.value, lane=self.lane)
        return counts

    def _claim(self) -> Task | None:
        """Claim the next due task of this lane; None when there is none."""
        runner = self.runner
        with runner.store.begin() as tx:
            claimed = tx.tasks.claim(
                [self.kind],
                runner.clock(),
                self.consumer.lease,
                limit=1,
                owner=runner.owner,
                destination=self.lane,
            )
        return claimed[0] if claimed else None

    async def _perform(self, task: Task) -> Outcome | None:
        """Have a task done while renewing its lease; None when another process has taken it over meanwhile."""
        pause = self.consumer.lease.total_seconds() / RENEWALS_PER_LEASE
        doing = asyncio.ensure_future(self.consumer.perform(task))
        try:
            while True:
                finished, _ = await asyncio.wait({doing}, timeout=pause)
                if finished:
                    return doing.result()
                if not await asyncio.to_thread(self._renew, task):
                    log.warning("task_lost", kind=self.kind.value, task=task.id)
                    return None
        finally:
            # The task was lost, or this runner is being cancelled.
            if not doing.done():
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)

    def _renew(self, task: Task) -> bool:
        runner = self.runner
        with runner.store.begin() as tx:
            return tx.tasks.renew(task.id, runner.owner, runner.clock() + self.consumer.lease)

    async def _settle(self, task: Task, outcome: Outcome) -> None:
        """Write the outcome of a task, even when this runner is cancelled meanwhile."""
        settling = asyncio.create_task(asyncio.to_thread(self._write, task, outcome))
        try:
            await asyncio.shield(settling)
        except asyncio.CancelledError:
            # The task has been done: unless that is written before the end, it is done once more for nothing.
            await settling
            raise

    def _write(self, task: Task, outcome: Outcome) -> None:
        runner = self.runner
        with runner.store.begin() as tx:
            match outcome:
                case Done():
                    tx.tasks.done(task.id, runner.clock())
                case Postponed(due_at, error):
                    tx.tasks.postpone(task.id, due_at, error, runner.owner)
                case Dead(error):
                    tx.tasks.bury(task.id, error, runner.owner)
