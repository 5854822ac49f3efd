"""Histories of cases as rows: lines that are only added, each with its digest in the audit log."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from guardian.model import CaseEvent
from guardian.store.audit import Audit
from guardian.store.chunks import in_chunks
from guardian.store.columns import Instant
from guardian.store.ids import part_of_batch
from guardian.store.tables import case_events, cases


class CaseHistory:
    """The lines of the cases' histories."""

    def __init__(self, connection: Connection, audit: Audit) -> None:
        self._connection = connection
        self._audit = audit

    def note(self, event: CaseEvent, *, disturbs: bool = True) -> int:
        """Add a line to a case's history, by which its version grows, and its digest to the audit log.

        Return the number of the line.
        """
        number, values = self._write(event, disturbs=disturbs)
        self._audit.anchor(event.case_id, values, event.at)
        return number

    def of(self, id_: str) -> list[CaseEvent]:
        """Return a case's history, oldest first."""
        # By row number, since two events of one transaction have the same time.
        query = select(case_events).where(case_events.c.case_id == id_).order_by(case_events.c.id)
        return [_event(row) for row in self._connection.execute(query)]

    def untold(self, limit: int) -> list[CaseEvent]:
        """Return lines that nobody was told of yet, the oldest first, without those that another process has."""
        query = select(case_events).where(~case_events.c.told).order_by(case_events.c.id).limit(limit)
        return [_event(row) for row in self._connection.execute(query.with_for_update(skip_locked=True))]

    def has_untold(self) -> bool:
        """Return whether there are lines that nobody was told of yet."""
        query = select(case_events.c.id).where(~case_events.c.told).limit(1)
        return self._connection.execute(query).first() is not None

    def mark_told(self, numbers: Sequence[int]) -> None:
        """Note of lines that who asks for such events was told of them."""
        for chunk in in_chunks(numbers):
            some = case_events.c.id.in_(chunk)
            self._connection.execute(update(case_events).where(some).values(told=True))

    def last_of_kind(self, id_: str, kind: str) -> datetime | None:
        """Return when a case's history got its last line of a kind; None without one."""
        query = select(func.max(case_events.c.at, type_=Instant)).where(
            case_events.c.case_id == id_, case_events.c.kind == kind
        )
        return self._connection.execute(query).scalar()

    def lines_of_batch(self, batch: str) -> list[CaseEvent]:
        """Return the lines that one decision about several cases has written, also in its parts, in their order."""
        is_part = case_events.c.batch.startswith(part_of_batch(batch, ""), autoescape=True)
        query = select(case_events).where((case_events.c.batch == batch) | is_part).order_by(case_events.c.id)
        return [_event(row) for row in self._connection.execute(query)]

    def merge(self, kept_id: str, gone_id: str) -> None:
        """Write the histories of two cases as one, by time, each in its own order."""
        # A history is in the order of its rows, so the lines of both are written anew.
        lines = heapq.merge(self.of(kept_id), self.of(gone_id), key=lambda event: event.at)
        merged = [replace(event, case_id=kept_id) for event in lines]
        self._connection.execute(delete(case_events).where(case_events.c.case_id.in_([kept_id, gone_id])))
        numbers: dict[int | None, int] = {}
        for event in merged:
            undoes = numbers.get(event.undoes) if event.undoes is not None else None
            # Their content stays as it is, so the digests in the audit log stand for the new lines too.
            numbers[event.number], _ = self._write(replace(event, undoes=undoes))
        # Destinations are told of the merge alone, and not of each line that was written anew.
        self.mark_told(list(numbers.values()))

    def _write(self, event: CaseEvent, *, disturbs: bool = True) -> tuple[int, Mapping[str, object]]:
        """Insert a line of history; return its number and its columns."""
        values = {
            "case_id": event.case_id,
            "at": event.at,
            "kind": event.kind,
            "by": event.by,
            "note": event.note,
            "message_id": event.message_id,
            "detail": event.detail,
            "before": event.before,
            "undoes": event.undoes,
            "batch": event.batch,
        }
        written = insert(case_events).values(**values, told=False).returning(case_events.c.id)
        number: int = self._connection.execute(written).scalar_one()
        if disturbs:
            of_case = update(cases).where(cases.c.id == event.case_id)
            self._connection.execute(of_case.values(version=cases.c.version + 1))
        return number, values


def _event(row: Row[tuple[object, ...]]) -> CaseEvent:
    return CaseEvent(
        case_id=row.case_id,
        at=row.at,
        kind=row.kind,
        by=row.by,
        note=row.note,
        message_id=row.message_id,
        detail=row.detail,
        before=row.before,
        undoes=row.undoes,
        batch=row.batch,
        number=row.id,
    )
