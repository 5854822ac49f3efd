"""What becomes of a task that was tried, and what whoever does a kind of task must offer."""

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
    """What was owed has been done."""

    settled = Settled.DONE


@dataclass(frozen=True, slots=True)
class Postponed:
    """It could not be done now; it is due again at `due_at`."""

    due_at: datetime
    error: str

    settled = Settled.POSTPONED


@dataclass(frozen=True, slots=True)
class Dead:
    """It is given up and waits for a person, who may revive it."""

    error: str

    settled = Settled.DEAD


Outcome = Done | Postponed | Dead


class Consumer(Protocol):
    """Does the tasks of one kind. Tasks of one lane are done one after the other, lanes side by side.

    `lease`: how long a task is this process's own; it is renewed while the task is being done.
    """

    lease: timedelta

    def lanes(self) -> list[str | None]:
        """Return the lanes in which something may be done now, such as destinations; [None] is all tasks in one."""
        ...

    async def perform(self, task: Task) -> Outcome:
        """Do one task, and say what came of it. An exception is a fault of guardian's own: see `Runner`."""
        ...

    def tell(self, task: Task, outcome: Outcome) -> None:
        """Say in the log what came of a task, once that is written down."""
        ...
