"""The durable task queue: a task is claimed with a lease, done, and then marked as done."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, delete, func, not_, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from guardian.model import Task, TaskKind, TaskState
from guardian.store.inserting import insert_into
from guardian.store.leases import CLOCK_SLACK
from guardian.store.retention import is_about_held_case
from guardian.store.tables import messages, processes, tasks

# Another version may have queued kinds that this one has no word for: they wait for that version.
_IS_KNOWN = tasks.c.kind.in_(list(TaskKind))


class Tasks:
    """The tasks table.

    Unlike the leases of processes and scans, those of tasks are counted by the clock of whoever claims them, as is
    what is due. Clocks of several machines differ, so another living process's lease has CLOCK_SLACK to spare.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        kind: TaskKind,
        key: str,
        body: bytes | None = None,
        *,
        due_at: datetime,
        at: datetime,
        destination: str | None = None,
        message_id: str | None = None,
    ) -> Task | None:
        """Add a task and return it; None when there is one of this kind and key already, which stays as it is.

        `message_id` is that of a message already written in this transaction or before.
        """
        statement = insert_into(self._connection, tasks).values(
            kind=kind,
            key=key,
            body=body,
            due_at=due_at,
            created_at=at,
            destination=destination,
            message_id=message_id,
            state=TaskState.DUE,
            attempts=0,
        )
        row = self._connection.execute(
            statement.on_conflict_do_nothing(index_elements=["kind", "key"]).returning(*tasks.c)
        ).first()
        return None if row is None else _task(row)

    def claim(
        self,
        kinds: Collection[TaskKind],
        now: datetime,
        lease: timedelta,
        limit: int,
        owner: str,
        destination: str | None = None,
    ) -> list[Task]:
        """Claim up to `limit` due tasks (of one destination, if named) for the length of a lease, longest due first.

        No task is handed out twice while its lease lasts, whoever asks from wherever, and a named destination is one
        owner's at a time, so that its order holds. A lease that ends later than any given now could (the clock was
        turned back) counts as over. `owner` is the id of a process; when that is lost, `free_leases` ends its leases.
        """
        if destination is not None and self._is_anothers(destination, now, lease, owner):
            return []

        waiting = (
            select(tasks.c.id)
            .where(
                tasks.c.state == TaskState.DUE,
                tasks.c.kind.in_(list(kinds)),
                _is_due(now),
                _is_free(now, lease, owner),
                true() if destination is None else tasks.c.destination == destination,
            )
            .order_by(tasks.c.due_at, tasks.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list(self._connection.execute(waiting).scalars())
        if not ids:
            return []

        taken = self._connection.execute(
            update(tasks).where(tasks.c.id.in_(ids)).values(leased_until=now + lease, owner=owner).returning(*tasks.c)
        )
        return sorted((_task(row) for row in taken), key=lambda task: (task.due_at, task.id))

    def _is_anothers(self, destination: str, now: datetime, lease: timedelta, owner: str) -> bool:
        """Return whether another owner works on a destination; nobody else can begin to until the transaction ends."""
        if self._connection.dialect.name == "postgresql":
            # Two who ask at once would each see nobody. On SQLite a transaction that writes is alone anyway.
            self._connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"destination {destination}"))))

        held = select(tasks.c.id).where(
            tasks.c.state == TaskState.DUE,
            tasks.c.destination == destination,
            tasks.c.owner != owner,
            not_(_is_free(now, lease, owner)),
        )
        return self._connection.execute(held.limit(1)).first() is not None

    def renew(self, id_: int, owner: str, until: datetime) -> bool:
        """Extend a lease for work that takes long; return False when the task is not this owner's any more."""
        renewed = self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_, tasks.c.owner == owner, tasks.c.state == TaskState.DUE)
            .values(leased_until=until)
            .returning(tasks.c.id)
        )
        return renewed.first() is not None

    def done(self, id_: int, at: datetime) -> None:
        """Mark a task as done, after it was. Whoever holds it by then: what was done need not be done again."""
        self._finish(id_, None, state=TaskState.DONE, done_at=at, last_error=None)

    def finish(self, kind: TaskKind, key: str, at: datetime) -> None:
        """Mark the task of this kind and key as done, whoever holds it; nothing when there is none that is due."""
        is_it = (tasks.c.kind == kind, tasks.c.key == key, tasks.c.state == TaskState.DUE)
        values = {"state": TaskState.DONE, "done_at": at, "leased_until": None, "owner": None, "last_error": None}
        self._connection.execute(update(tasks).where(*is_it).values(**values))

    def postpone(self, id_: int, due_at: datetime, error: str, owner: str | None = None) -> None:
        """Make a task that failed due again at `due_at`. With `owner`, only if that owner still holds it."""
        self._finish(id_, owner, due_at=due_at, last_error=_text(error))

    def bury(self, id_: int, error: str, owner: str | None = None) -> None:
        """Give a task up: it waits for a person, who may revive it. `owner` as in `postpone`."""
        self._finish(id_, owner, state=TaskState.DEAD, last_error=_text(error))

    def revive(self, id_: int, now: datetime) -> bool:
        """Make a dead task due at once, its attempts counted anew; return False when it is not dead."""
        changed = self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_, tasks.c.state == TaskState.DEAD)
            .values(state=TaskState.DUE, due_at=now, attempts=0, leased_until=None, owner=None)
            .returning(tasks.c.id)
        )
        return changed.first() is not None

    def hurry(self, id_: int, now: datetime) -> bool:
        """Make a task that waits for a later time due at once; return False when it does not wait."""
        changed = self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_, tasks.c.state == TaskState.DUE, tasks.c.due_at > now)
            .values(due_at=now)
            .returning(tasks.c.id)
        )
        return changed.first() is not None

    def hurry_retries(self, now: datetime, longest: timedelta = timedelta()) -> int:
        """Make tasks that failed before and wait for longer than `longest` due at once; return how many there were."""
        waits = (tasks.c.state == TaskState.DUE, tasks.c.attempts > 0, tasks.c.due_at > now + longest)
        return self._connection.execute(update(tasks).where(*waits).values(due_at=now)).rowcount

    def forget_done(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` tasks that were done before then; return how many.

        Those of an episode's message stay: they alone say which destinations know of the episode.
        """
        is_of_episode = (
            select(messages.c.id).where(messages.c.id == tasks.c.message_id, messages.c.episode.is_not(None)).exists()
        )
        is_old = (tasks.c.state == TaskState.DONE, tasks.c.done_at < before, ~is_about_held_case(tasks.c.message_id))
        old = select(tasks.c.id).where(*is_old, ~is_of_episode).limit(limit)
        return self._connection.execute(delete(tasks).where(tasks.c.id.in_(old))).rowcount

    def free_leases(self, owner: str) -> int:
        """End the leases of a process that ended or is lost; return how many there were."""
        freed = self._connection.execute(
            update(tasks)
            .where(tasks.c.state == TaskState.DUE, tasks.c.owner == owner)
            .values(leased_until=None, owner=None)
            .returning(tasks.c.id)
        )
        return len(freed.all())

    def destinations_due(self, now: datetime, kind: TaskKind = TaskKind.DELIVER, limit: int | None = None) -> list[str]:
        """Return the destinations for which a task is due, configured or not, the longest waiting first."""
        query = (
            select(tasks.c.destination)
            .where(
                tasks.c.state == TaskState.DUE,
                tasks.c.kind == kind,
                tasks.c.destination.is_not(None),
                _is_due(now),
            )
            .group_by(tasks.c.destination)
            .order_by(func.min(tasks.c.due_at), tasks.c.destination)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def get(self, id_: int) -> Task | None:
        """Return the task of this id; None when there is none, or one of a kind that this version does not know."""
        row = self._connection.execute(select(tasks).where(tasks.c.id == id_, _IS_KNOWN)).first()
        return None if row is None else _task(row)

    def of_message(self, start: str) -> list[Task]:
        """Return the tasks that deliver messages whose id begins so, one for each destination, oldest first."""
        begins = tasks.c.message_id.startswith(start, autoescape=True)
        return [
            _task(row) for row in self._connection.execute(select(tasks).where(begins, _IS_KNOWN).order_by(tasks.c.id))
        ]

    def of_keys(self, kind: TaskKind, keys: Sequence[str]) -> list[Task]:
        """Return the tasks of a kind that have one of these keys, those due first before the others."""
        query = select(tasks).where(tasks.c.kind == kind, tasks.c.key.in_(keys)).order_by(tasks.c.due_at, tasks.c.id)
        return [_task(row) for row in self._connection.execute(query)]

    def due_count(self, now: datetime, kind: TaskKind | None = None) -> int:
        """Return how many tasks are due, leased ones included; only those of a kind when one is named."""
        is_due = (tasks.c.state == TaskState.DUE, _IS_KNOWN, _is_due(now), _is_of_kind(kind))
        query = select(func.count()).select_from(tasks).where(*is_due)
        return self._connection.execute(query).scalar_one()

    def counts(self, kind: TaskKind | None = None) -> dict[TaskState, int]:
        """Return how many tasks there are in each state; only those of a kind when one is named."""
        query = select(tasks.c.state, func.count()).where(_is_of_kind(kind)).group_by(tasks.c.state)
        return dict.fromkeys(TaskState, 0) | {row[0]: row[1] for row in self._connection.execute(query)}

    def list(
        self,
        kind: TaskKind | None = None,
        state: TaskState | None = None,
        limit: int | None = None,
        *,
        before: int | None = None,
    ) -> list[Task]:
        """Return tasks, the newest first; `before`: only those with a smaller id."""
        query = select(tasks).where(_IS_KNOWN).order_by(tasks.c.id.desc())
        if kind is not None:
            query = query.where(tasks.c.kind == kind)
        if state is not None:
            query = query.where(tasks.c.state == state)
        if before is not None:
            query = query.where(tasks.c.id < before)
        if limit is not None:
            query = query.limit(limit)
        return [_task(row) for row in self._connection.execute(query)]

    def owed(self, kind: TaskKind, destination: str) -> Sequence[Task]:
        """Return the tasks of a kind that are still to be done for a destination, the newest first."""
        query = select(tasks).where(
            tasks.c.state == TaskState.DUE, tasks.c.kind == kind, tasks.c.destination == destination
        )
        return [_task(row) for row in self._connection.execute(query.order_by(tasks.c.id.desc()))]

    def _finish(self, id_: int, owner: str | None, **changes: object) -> None:
        is_mine = true() if owner is None else tasks.c.owner == owner
        self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_, is_mine)
            .values(leased_until=None, owner=None, attempts=tasks.c.attempts + 1, **changes)
        )


def _is_of_kind(kind: TaskKind | None) -> ColumnElement[bool]:
    return true() if kind is None else tasks.c.kind == kind


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a task is due.

    A task that was added in the future, since the clock was turned back, is due as well; but only until its first
    attempt, since its attempts would otherwise be used up in moments. Looks that are planned for days after a notice
    wait all the same: all of them at once would say nothing of these days.
    """
    was_ahead = (tasks.c.created_at > now + CLOCK_SLACK, tasks.c.attempts == 0)
    return or_(tasks.c.due_at <= now, and_(*was_ahead, tasks.c.kind != TaskKind.RECHECK_NOTICE))


def _is_free(now: datetime, lease: timedelta, owner: str) -> ColumnElement[bool]:
    """Return the condition that nobody but perhaps `owner` itself holds a task at `now`, by that process's clock."""
    living = select(processes.c.id)
    is_mine_or_nobodys = or_(tasks.c.owner == owner, tasks.c.owner.is_(None), not_(tasks.c.owner.in_(living)))
    return or_(
        tasks.c.leased_until.is_(None),
        and_(tasks.c.leased_until <= now, is_mine_or_nobodys),
        tasks.c.leased_until <= now - CLOCK_SLACK,
        tasks.c.leased_until > now + lease + CLOCK_SLACK,
    )


def _text(error: str) -> str:
    return error.replace("\x00", "")[:2000]


def _task(row: Row[tuple[object, ...]]) -> Task:
    return Task(
        id=row.id,
        kind=row.kind,
        key=row.key,
        due_at=row.due_at,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        body=None if row.body is None else bytes(row.body),
        destination=row.destination,
        message_id=row.message_id,
        leased_until=row.leased_until,
        last_error=row.last_error,
        owner=row.owner,
    )
