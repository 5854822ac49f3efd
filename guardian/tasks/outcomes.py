"""Declares the outcomes of a task that was tried, and the interface of a consumer, which does one kind of task."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from guardian.model import Task


class Settled(StrEnum):
    """How a task was settled: it was done, will be tried again, or waits for a person."""

    DONE = "done"
    POSTPONED = "postponed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Done:
    """The task has been done."""

    settled = Settled.DONE


@dataclass(frozen=True, slots=True)
class Postponed:
    """The task could not be done now; it is due again at `due_at`."""

    due_at: datetime
    error: str

    settled = Settled.POSTPONED


@dataclass(frozen=True, slots=True)
class Dead:
    """The task is given up and waits for a person, who may revive it."""

    error: str

    settled = Settled.DEAD


Outcome = Done | Postponed | Dead


class Consumer(Protocol):
    """Does the tasks of one kind. Tasks of one lane are done one after the other, lanes at the same time.

    `lease`: how long a task stays claimed without renewal. The runner renews it while the task is being done.
    """

    lease: timedelta

    def lanes(self) -> list[str | None]:
        """Return the lanes in which tasks may be done now, such as destinations; [None] is one lane for all tasks."""
        ...

    async def perform(self, task: Task) -> Outcome:
        """Do one task and return its outcome. An exception counts as a bug: it ends the lane's turn and is logged."""
        ...

    def tell(self, task: Task, outcome: Outcome) -> None:
        """Log the outcome of a task, after it was written to the database."""
        ...
