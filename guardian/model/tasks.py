"""Tasks in the durable queue, and scans of sources."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from guardian.model.scans import ScanCounts


class TaskKind(StrEnum):
    """The kind of work a task asks for. A kind is listed here once it has a consumer (see daemon.py)."""

    DELIVER = "deliver"
    LOOK_BACK = "look_back"
    RECHECK = "recheck"
    CAPTURE = "capture"
    RECHECK_NOTICE = "recheck_notice"
    RECHECK_ASKED = "recheck_asked"
    VERIFY_NOTICE = "verify_notice"
    BUNDLE = "bundle"


class TaskState(StrEnum):
    """due: to be done at `due_at`; done; dead: given up, and waiting for a person."""

    DUE = "due"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the durable queue. (kind, key) is unique, so adding the same work twice makes one task.

    A delivery has a `destination` and the id of the message that is owed to it; other kinds may have a `body`, a JSON
    document. Of one destination one process at a time has tasks in hand; that of a capture is its case. `attempts`
    counts finished tries.
    """

    id: int
    kind: TaskKind
    # Only compared, never parsed: what a task is about stands in fields of its own.
    key: str
    due_at: datetime
    state: TaskState
    attempts: int
    created_at: datetime
    body: bytes | None = field(default=None, repr=False)
    destination: str | None = None
    message_id: str | None = None
    leased_until: datetime | None = None
    last_error: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process that works on the database, as it tells of itself.

    `id` is new at each start. `pid` and `host` are for people to read. `heartbeat_at` and `leased_until` are
    moments of the database's clock; past `leased_until` the process is lost.
    """

    id: str
    host: str
    pid: int
    command: str
    started_at: datetime
    heartbeat_at: datetime
    leased_until: datetime


class ScanOutcome(StrEnum):
    """How a scan ended. interrupted: told to stop, or cut off; failed: the source or guardian could not go on."""

    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a source, and what it counted.

    `outcome`: None while running. `owner`: id of the process that scans or scanned; None for scans of earlier versions.
    """

    id: int
    source: str
    started_at: datetime
    ended_at: datetime | None
    outcome: ScanOutcome | None
    counts: ScanCounts
    error: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """That somebody wants a source to be scanned now, whatever its rhythm says."""

    source: str
    at: datetime
    by: str
