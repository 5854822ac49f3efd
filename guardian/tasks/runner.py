"""Claims due tasks for this process, lets the consumer of their kind do them, and settles each one afterwards.

After a crash between doing and settling, a task is done once more when its lease is over: consumers do only what is
safe to do twice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from guardian.concurrency import run_all
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, internal_error_text
from guardian.model import Task, TaskKind
from guardian.store import Store
from guardian.tasks.outcomes import Consumer, Dead, Done, Postponed, Settled, TaskOutcome

TURN = timedelta(seconds=10)
"""A lane takes no further task after so long, so that one with many tasks does not hold up the next pass for long."""

RENEWALS_PER_LEASE = 3

_AFTER_A_FAULT = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""Before a task is tried again that met a fault of a disk or of guardian's own; the last one is repeated.

The same fault is likely, and what leads to it may ask a site for something each time.
"""

log = structlog.get_logger(__name__)

Settlements = Mapping[TaskKind, Counter[Settled]]
"""What one pass came to: how many tasks of each kind were settled, and how."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Does what is due. `owner` is the id under which this process claims; `consumers` says who does which kind."""

    store: Store
    owner: str
    clock: Callable[[], datetime]
    consumers: Mapping[TaskKind, Consumer]

    async def run_due(self, limit: int = 1000) -> Settlements:
        """Do what is due of every kind, the kinds concurrently. An error of one kind is logged; the others go on.

        Returns when every turn has ended; call it again until nothing was settled.
        """

        async def run_kind(kind: TaskKind) -> Counter[Settled]:
            try:
                return await self.run_due_of(kind, limit)
            except GuardianError as error:
                # The database is away for a moment: said plainly, a traceback would add nothing.
                log.warning("tasks_failed", kind=kind.value, reason=str(error))
            except Exception:
                log.exception("tasks_failed", kind=kind.value)
            return Counter()

        kinds = list(self.consumers)
        return dict(zip(kinds, await run_all(run_kind(kind) for kind in kinds), strict=True))

    async def run_due_of(self, kind: TaskKind, limit: int = 1000) -> Counter[Settled]:
        """Do what is due of one kind: lanes concurrently, each lane one task at a time in order of due time.

        A lane's turn ends at the first task that is not done, after `limit` tasks, or after TURN. Raises what the
        consumer's `lanes` raises.
        """
        consumer = self.consumers[kind]
        lanes = await asyncio.to_thread(consumer.lanes)
        turns = await run_all(_Turn(self, kind, consumer, lane).run(limit) for lane in lanes)
        return sum(turns, Counter[Settled]())


@dataclass(frozen=True, slots=True)
class _Turn:
    """One lane's turn within one pass."""

    runner: Runner
    kind: TaskKind
    consumer: Consumer
    lane: str | None

    async def run(self, limit: int) -> Counter[Settled]:
        """Do one task after the other until the turn ends; return the results.

        Logs any error and raises none, so that other lanes go on.
        """
        counts: Counter[Settled] = Counter()
        # By a clock that nobody sets.
        elapsed = asyncio.get_running_loop().time
        ends_at = elapsed() + TURN.total_seconds()
        try:
            while counts.total() < limit and elapsed() < ends_at:
                task = await asyncio.to_thread(self._claim)
                if task is None:
                    break

                outcome = await self._outcome_of(task)
                if outcome is None:
                    break

                await self._settle(task, outcome)
                self.consumer.tell(task, outcome)
                counts[outcome.settled] += 1
                if outcome.settled is not Settled.DONE:
                    break
        # What was claimed stays claimed until its lease ends, and is tried again then.
        except GuardianError as error:
            log.warning("turn_failed", kind=self.kind.value, lane=self.lane, reason=str(error))
        except Exception:
            log.exception("turn_failed", kind=self.kind.value, lane=self.lane)

        return counts

    def _claim(self) -> Task | None:
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

    async def _outcome_of(self, task: Task) -> TaskOutcome | None:
        """Do a task as `_perform` does; one that meets a fault of a disk, or of guardian's own, is postponed."""
        try:
            return await self._perform(task)
        except GuardianError:
            raise
        except OSError as error:
            reason = disk_error_text(error)
            log.warning("task_failed", kind=self.kind.value, lane=self.lane, task=task.id, reason=reason)
        except Exception as error:
            reason = internal_error_text(error)
            log.exception("task_crashed", kind=self.kind.value, lane=self.lane, task=task.id)

        pause = _AFTER_A_FAULT[min(task.attempts, len(_AFTER_A_FAULT) - 1)]
        return Postponed(self.runner.clock() + pause, reason)

    async def _perform(self, task: Task) -> TaskOutcome | None:
        """Let the consumer do a task while its lease is renewed; return None when another process has taken it over."""
        lease = self.consumer.lease.total_seconds()
        elapsed = asyncio.get_running_loop().time
        held_until = elapsed() + lease
        doing = asyncio.ensure_future(self.consumer.perform(task))
        try:
            while True:
                finished, _ = await asyncio.wait({doing}, timeout=lease / RENEWALS_PER_LEASE)
                if finished:
                    return doing.result()
                try:
                    is_ours = await asyncio.to_thread(self._renew, task)
                except GuardianError as error:
                    # The database is busy or away. Nobody else takes the task before its lease is over.
                    if elapsed() > held_until:
                        raise
                    log.warning("lease_not_renewed", kind=self.kind.value, task=task.id, reason=str(error))
                    continue
                if not is_ours:
                    log.warning("task_lost", kind=self.kind.value, task=task.id)
                    return None
                held_until = elapsed() + lease
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)

    def _renew(self, task: Task) -> bool:
        runner = self.runner
        with runner.store.begin() as tx:
            return tx.tasks.renew(task.id, runner.owner, runner.clock() + self.consumer.lease)

    async def _settle(self, task: Task, outcome: TaskOutcome) -> None:
        settling = asyncio.create_task(asyncio.to_thread(self._write, task, outcome))
        try:
            await asyncio.shield(settling)
        except asyncio.CancelledError:
            # The task was done: record that before giving way, or it is done once more for nothing.
            await settling
            raise

    def _write(self, task: Task, outcome: TaskOutcome) -> None:
        runner = self.runner
        with runner.store.begin() as tx:
            match outcome:
                case Done():
                    tx.tasks.done(task.id, runner.clock())
                case Postponed(due_at, error):
                    tx.tasks.postpone(task.id, due_at, error, runner.owner)
                case Dead(error):
                    tx.tasks.bury(task.id, error, runner.owner)
