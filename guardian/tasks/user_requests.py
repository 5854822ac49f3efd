"""Requests of people at the desk that may take longer than a page: owed as tasks, then done by the daemon."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardian.errors import GuardianError
from guardian.model import Actor, Task, TaskKind
from guardian.model.people import ActorKind
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.tasks.outcomes import Postponed

_PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Before it is tried again; the last one is repeated."""


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What somebody asks for: about which case or notice (its id), who, and what they choose besides, by name."""

    about: str
    by: Actor
    options: frozenset[str] = frozenset()


def owe_request(tx: Transaction, kind: TaskKind, asked: UserRequest, at: datetime) -> Task:
    """Owe what somebody asks for, and return its task.

    When the same is owed already, that one is the answer, and one that waits to be tried again is due at once. The
    caller has locked what it is about, so that two who ask at the same moment do so one after the other.
    """
    for owed in tx.tasks.owed(kind, asked.about):
        if request_of(owed).options == asked.options:
            tx.tasks.hurry(owed.id, at)
            return owed

    by = asked.by
    body = {
        "about": asked.about,
        "by": {"kind": by.kind.value, "name": by.name, "address": by.address},
        # The key of earlier versions, whose tasks may still wait.
        "wishes": sorted(asked.options),
    }
    key = f"{asked.about} {new_id('ask')}"
    task = tx.tasks.add(kind, key, json.dumps(body).encode(), due_at=at, at=at, destination=asked.about)
    if task is None:
        raise LookupError("a new task was owed before")
    return task


def request_of(task: Task) -> UserRequest:
    """Return what a task asks for."""
    body = json.loads(task.body or b"{}")
    by = body["by"]
    # What they may do was looked at when they asked.
    actor = Actor(ActorKind(by["kind"]), by["name"], frozenset(), by["address"])
    return UserRequest(body["about"], actor, frozenset(body["wishes"]))


def may_ask_again(owed: Sequence[Task]) -> bool:
    """Return whether asking has an effect: nothing is owed yet, or what is owed failed and waits to be tried again."""
    return all(task.last_error is not None for task in owed)


def owed_text(task: Task, what: str) -> str:
    """Return that something is still owed, and why it could not be done when it was tried."""
    if task.last_error is None:
        return f"{what}: asked for by {request_of(task).by.name}; guardian does it as soon as it can"
    return f"{what}: it could not be done yet and is tried again: {task.last_error}"


def postponed(task: Task, error: GuardianError, now: datetime) -> Postponed:
    """Return that a task is tried again, later each time."""
    return Postponed(now + _PAUSES[min(task.attempts, len(_PAUSES) - 1)], str(error))
