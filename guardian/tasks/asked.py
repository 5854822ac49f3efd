"""Work that a person asks for at the desk and that may take longer than a page: owed, then done by the daemon."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardian.errors import GuardianError, UsageError
from guardian.model import Actor, Task, TaskKind
from guardian.model.people import ActorKind
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.tasks.outcomes import Postponed

_PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Before it is tried again; the last one is repeated."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: about which case or notice (its id), who, and what they wish besides, by name."""

    about: str
    by: Actor
    wishes: frozenset[str] = frozenset()


def ask(tx: Transaction, kind: TaskKind, asked: Asked, at: datetime) -> Task:
    """Owe what somebody asks for, and return its task. Raises UsageError when the same is owed already."""
    if any(asked_of(task).wishes == asked.wishes for task in tx.tasks.owed(kind, asked.about)):
        raise UsageError("somebody has asked for it already; the daemon does it as soon as it can")
    by = asked.by
    body = {
        "about": asked.about,
        "by": {"kind": by.kind.value, "name": by.name, "address": by.address},
        "wishes": sorted(asked.wishes),
    }
    key = f"{asked.about} {new_id('ask')}"
    task = tx.tasks.add(kind, key, json.dumps(body).encode(), due_at=at, at=at, destination=asked.about)
    if task is None:
        raise LookupError("a new task was owed before")
    return task


def asked_of(task: Task) -> Asked:
    """Return what a task asks for."""
    body = json.loads(task.body or b"{}")
    by = body["by"]
    # What they may do was looked at when they asked.
    actor = Actor(ActorKind(by["kind"]), by["name"], frozenset(), by["address"])
    return Asked(body["about"], actor, frozenset(body["wishes"]))


def owed_text(task: Task, what: str) -> str:
    """Return that something is still owed, and why it could not be done when it was tried."""
    if task.last_error is None:
        return f"{what}: asked for by {asked_of(task).by.name}; the daemon does it as soon as it can. Reload this page."
    return f"{what}: it could not be done yet and is tried again: {task.last_error}"


def postponed(task: Task, error: GuardianError, now: datetime) -> Postponed:
    """Return that a task is tried again, later each time."""
    return Postponed(now + _PAUSES[min(task.attempts, len(_PAUSES) - 1)], str(error))
