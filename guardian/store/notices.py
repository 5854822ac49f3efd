"""Notices with their histories, and rechecks of the places that they name, as rows."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, and_, insert, or_, select

from guardian.model.notices import Notice, NoticeLine, NoticeState, NoticeStep, Recheck, step_to
from guardian.store.chunks import in_chunks
from guardian.store.notice_tables import notice_cases, notice_lines, notices, rechecks
from guardian.store.paging import comes_after
from guardian.store.tables import case_aliases

_FACTS = tuple(notices.c)


class Notices:
    """The tables of notices. A notice never changes once it is written; its history grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, notice: Notice) -> None:
        """Write a new notice. Its history is written line by line, see `note`."""
        values = {column.name: getattr(notice, column.name) for column in _FACTS}
        self._connection.execute(insert(notices).values(**values))
        rows = [{"notice_id": notice.id, "case_id": case_id} for case_id in notice.case_ids]
        self._connection.execute(insert(notice_cases), rows)

    def note(self, line: NoticeLine) -> None:
        """Add a line to the history of a notice."""
        values = {
            "notice_id": line.notice_id,
            "at": line.at,
            "step": line.step,
            "by": line.by,
            "note": line.note,
            "detail": dict(line.detail),
        }
        self._connection.execute(insert(notice_lines).values(**values))

    def get(self, id_: str) -> Notice | None:
        """Return a notice with its history; None when there is none of this id."""
        found = self._read(select(*_FACTS).where(notices.c.id == id_))
        return found[0] if found else None

    def lock(self, id_: str) -> Notice | None:
        """Return a notice as `get` does, locked until the transaction ends."""
        found = self._read(select(*_FACTS).where(notices.c.id == id_).with_for_update())
        return found[0] if found else None

    def starting_with(self, prefix: str) -> list[Notice]:
        """Return the notices whose id begins with `prefix`."""
        begins = notices.c.id.startswith(prefix, autoescape=True)
        return self._read(select(*_FACTS).where(begins).order_by(notices.c.id))

    def of_case(self, case_id: str) -> list[Notice]:
        """Return the notices about a case, and about those that were merged into it, the oldest first."""
        about = select(*_FACTS).where(notices.c.id.in_(_about(case_id)))
        return self._read(about.order_by(notices.c.drafted_at, notices.c.id))

    def copies(self) -> dict[str, str]:
        """Return the digests of all copies of what was sent, each with the id of its notice."""
        sent = select(notice_lines.c.notice_id, notice_lines.c.detail).where(notice_lines.c.step == NoticeStep.SENT)
        rows = self._connection.execute(sent).all()
        return {row.detail["copy_sha256"]: row.notice_id for row in rows if "copy_sha256" in row.detail}

    def add_recheck(self, recheck: Recheck) -> None:
        """Write what one recheck has shown."""
        values = {column.name: getattr(recheck, column.name) for column in rechecks.c}
        self._connection.execute(insert(rechecks).values(**values))

    def rechecks_of(self, case_id: str) -> list[Recheck]:
        """Return the rechecks of a case, and of those that were merged into it, the oldest first."""
        about = _is_about(rechecks.c.case_id, case_id)
        query = select(rechecks).where(about).order_by(rechecks.c.at, rechecks.c.id)
        return [_recheck(row) for row in self._connection.execute(query)]

    def _read(self, query: Select[Any]) -> list[Notice]:
        rows = self._connection.execute(query).all()
        histories: dict[str, list[NoticeLine]] = {row.id: [] for row in rows}
        ids = sorted(histories)
        for chunk in in_chunks(ids):
            some = notice_lines.c.notice_id.in_(chunk)
            for row in self._connection.execute(select(notice_lines).where(some).order_by(notice_lines.c.id)):
                histories[row.notice_id].append(_line(row))
        return [replace(_notice(row), history=tuple(histories[row.id])) for row in rows]

    def with_days_after(self, since: date) -> list[Notice]:
        """Return the notices that were sent and ask for an answer by `since` or later, and all that were countered."""
        sent = select(notice_lines.c.notice_id).where(notice_lines.c.step == NoticeStep.SENT)
        countered = select(notice_lines.c.notice_id).where(notice_lines.c.step == NoticeStep.COUNTERED)
        waits = and_(notices.c.id.in_(sent), notices.c.answer_by >= since)
        wanted = or_(waits, notices.c.id.in_(countered))
        return self._read(select(*_FACTS).where(wanted).order_by(notices.c.drafted_at, notices.c.id))

    def list(
        self,
        *,
        operator: str | None = None,
        case_id: str | None = None,
        state: NoticeState | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Notice]:
        """Return notices with their histories, the newest first; `after` is the id of the one after which they come."""
        query = select(*_FACTS).order_by(notices.c.drafted_at.desc(), notices.c.id)
        if operator is not None:
            query = query.where(notices.c.operator == operator)
        if case_id is not None:
            query = query.where(notices.c.id.in_(_about(case_id)))
        if state is not None:
            query = query.where(_last_step() == step_to(state))
        if after is not None:
            at = select(notices.c.drafted_at).where(notices.c.id == after).scalar_subquery()
            query = query.where(comes_after((at, after), notices.c.drafted_at, notices.c.id))
        return self._read(query if limit is None else query.limit(limit))


def _about(case_id: str) -> Select[tuple[str]]:
    """Return the query for the ids of the notices about a case, and about those that were merged into it."""
    return select(notice_cases.c.notice_id).where(_is_about(notice_cases.c.case_id, case_id))


def _last_step() -> ScalarSelect[NoticeStep]:
    """Return the last step of a notice that changed its state, as a query within another one."""
    deciding = [step_to(state) for state in NoticeState]
    is_it = (notice_lines.c.notice_id == notices.c.id, notice_lines.c.step.in_(deciding))
    return select(notice_lines.c.step).where(*is_it).order_by(notice_lines.c.id.desc()).limit(1).scalar_subquery()


def _is_about(column: ColumnElement[str], case_id: str) -> ColumnElement[bool]:
    merged = select(case_aliases.c.id).where(case_aliases.c.case_id == case_id)
    return or_(column == case_id, column.in_(merged))


def _notice(row: Row[Any]) -> Notice:
    return Notice(**{column.name: getattr(row, column.name) for column in _FACTS})


def _line(row: Row[Any]) -> NoticeLine:
    return NoticeLine(row.notice_id, row.at, row.step, row.by, row.note, row.detail, row.id)


def _recheck(row: Row[Any]) -> Recheck:
    return Recheck(**{column.name: getattr(row, column.name) for column in rechecks.c})
