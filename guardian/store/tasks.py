"""The one durable queue of duties: claimed with a lease, done, then marked."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from guardian.model import Task, TaskKind, TaskState
from guardian.store.inserting import insert_into
from guardian.store.tables import tasks

# Clocks of several machines differ by less than this; a clock that was set back differs by more.
_CLOCK_SLACK = timedelta(hours=1)


class Tasks:
    """The tasks table."""

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
        """Promise a duty; None when the same (kind, key) was promised before, which changes nothing.

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
        """Take up to `limit` due tasks (of one destination, if named) for the time of the lease, the longest due first.

        No task is handed out twice while its lease lasts, whoever asks from wherever. A lease that ends
        later than any given now could (the clock was turned back) counts as over.
        """
        waiting = (
            select(tasks.c.id)
            .where(
                tasks.c.state == TaskState.DUE,
                tasks.c.kind.in_(list(kinds)),
                _is_due(now),
                or_(
                    tasks.c.leased_until.is_(None),
                    tasks.c.leased_until <= now,
                    tasks.c.leased_until > now + lease + _CLOCK_SLACK,
                ),
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

    def done(self, id_: int, at: datetime) -> None:
        """Mark a duty as done. Only after it was."""
        self._finish(id_, state=TaskState.DONE, done_at=at, last_error=None)

    def postpone(self, id_: int, due_at: datetime, error: str) -> None:
        """A try failed: again at `due_at`."""
        self._finish(id_, due_at=due_at, last_error=_text(error))

    def bury(self, id_: int, error: str) -> None:
        """Give a duty up; it waits for a person, who may revive it."""
        self._finish(id_, state=TaskState.DEAD, last_error=_text(error))

    def revive(self, id_: int, now: datetime) -> bool:
        """Make a dead duty due at once, its attempts counted anew; False when it is not dead."""
        changed = self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_, tasks.c.state == TaskState.DEAD)
            .values(state=TaskState.DUE, due_at=now, attempts=0, leased_until=None, owner=None)
            .returning(tasks.c.id)
        )
        return changed.first() is not None

    def forget_done(self, before: datetime, limit: int) -> int:
        """Drop up to `limit` duties that were done before then; returns how many were dropped."""
        old = select(tasks.c.id).where(tasks.c.state == TaskState.DONE, tasks.c.done_at < before).limit(limit)
        return self._connection.execute(delete(tasks).where(tasks.c.id.in_(old))).rowcount

    def free_leases(self, owner: str | None = None) -> int:
        """End all leases, or one owner's: for the new holder of a role, whose predecessor is dead."""
        statement = update(tasks).where(tasks.c.state == TaskState.DUE, tasks.c.leased_until.is_not(None))
        if owner is not None:
            statement = statement.where(tasks.c.owner == owner)
        freed = self._connection.execute(statement.values(leased_until=None, owner=None).returning(tasks.c.id))
        return len(freed.all())

    def destinations_due(self, now: datetime) -> list[str]:
        """Destinations for which a delivery is due, configured or not, the longest waiting first."""
        query = (
            select(tasks.c.destination)
            .where(
                tasks.c.state == TaskState.DUE,
                tasks.c.kind == TaskKind.DELIVER,
                tasks.c.destination.is_not(None),
                _is_due(now),
            )
            .group_by(tasks.c.destination)
            .order_by(func.min(tasks.c.due_at), tasks.c.destination)
        )
        return list(self._connection.execute(query).scalars())

    def get(self, id_: int) -> Task | None:
        """The task of this id."""
        row = self._connection.execute(select(tasks).where(tasks.c.id == id_)).first()
        return None if row is None else _task(row)

    def due_count(self, now: datetime) -> int:
        """How many duties are due, leased ones included."""
        query = select(func.count()).select_from(tasks).where(tasks.c.state == TaskState.DUE, _is_due(now))
        return self._connection.execute(query).scalar_one()

    def counts(self) -> dict[TaskState, int]:
        """How many tasks there are in each state."""
        query = select(tasks.c.state, func.count()).group_by(tasks.c.state)
        return dict.fromkeys(TaskState, 0) | {row[0]: row[1] for row in self._connection.execute(query)}

    def list(
        self, kind: TaskKind | None = None, state: TaskState | None = None, limit: int | None = None
    ) -> list[Task]:
        """Tasks, the newest first."""
        query = select(tasks).order_by(tasks.c.id.desc())
        if kind is not None:
            query = query.where(tasks.c.kind == kind)
        if state is not None:
            query = query.where(tasks.c.state == state)
        if limit is not None:
            query = query.limit(limit)
        return [_task(row) for row in self._connection.execute(query)]

    def _finish(self, id_: int, **changes: object) -> None:
        self._connection.execute(
            update(tasks)
            .where(tasks.c.id == id_)
            .values(leased_until=None, owner=None, attempts=tasks.c.attempts + 1, **changes)
        )


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or promised in what is the future now that the clock was turned back: then nobody knows, so now.

    Once only: what was tried since then waits as postponed, or its attempts would be used up in moments.
    """
    return or_(tasks.c.due_at <= now, and_(tasks.c.created_at > now + _CLOCK_SLACK, tasks.c.attempts == 0))


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
    )
