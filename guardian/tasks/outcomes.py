"""The outcomes of a task, and the interface of the consumer of one kind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from guardian.model import Task


class Settled(StrEnum):
    """What became of a task: it was done, will be tried again, or waits for a person."""

    DONE = "done"
    POSTPONED = "postponed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Done:
    """The task was done."""

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


TaskOutcome = Done | Postponed | Dead


class Consumer(Protocol):
    """Does the tasks of one kind: those of one lane one after the other, lanes concurrently.

    `lease`: how long a claimed task belongs to this process; it is renewed while the task is being done.
    """

    lease: timedelta

    def lanes(self) -> list[str | None]:
        """Return the lanes (destinations, for example) with something to do now; [None] is one lane for all tasks."""
        ...

    async def perform(self, task: Task) -> TaskOutcome:
        """Do one task and return its outcome.

        After a GuardianError the task is done again when its lease is over. With any other exception, which is a fault
        of a disk (OSError) or of guardian's own, it is postponed.
        """
        ...

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log the outcome of a task, once it is in the database."""
        ...
