"""The audit log as rows, each chained to the one before by its digest, and the check of the chain.

A line's digest covers the digest before it, so that a change shows in every line after it. Each line that is added to
the history of a case leaves a line here with the digest of its content, so that histories are covered too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, func, insert, select

from guardian.model import Actor, AuditHead, AuditLine
from guardian.model.people import BY_GUARDIAN
from guardian.store.counters import Counters
from guardian.store.people_tables import audit
from guardian.store.tables import case_events

BEFORE_THE_FIRST = "0" * 64
"""Stands in for the digest before the first line."""

HISTORY = "case.history"
"""The action of lines that anchor a line of a case's history."""

BEGUN = "audit.begun"
"""The action of the first line: how many lines of history there were before the log, and a digest over all of them."""

DELIVERED = "delivery.accepted"
"""The action of lines that name a message a receiver has accepted, and the digest of its bytes."""

AUDIT_HEAD = "audit_head"
"""The key of a message under which it carries the head as NUMBER:DIGEST."""

_COUNTER = "audit"
_AT_A_TIME = 1_000

_NOT_OF_CONTENT = {"id", "case_id", "undoes", "before", "told"}
"""Columns of a line of history that change when cases are merged, which writes the lines of both anew, what undoing
needs to know, and whether somebody was told of the line."""


class Audit:
    """The audit table. Lines are collected, and written when the transaction commits.

    Written earlier, the lock on their numbers would be held while the transaction goes on to lock other rows, and two
    transactions could wait for each other.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[dict[str, object]] = []

    def add(
        self, actor: Actor, action: str, subject: str | None, at: datetime, detail: Mapping[str, str] | None = None
    ) -> None:
        """Add a line when the transaction commits.

        `action` is a noun and what became of it, such as `case.dismissed`; `subject` the id of what it was done to.
        """
        self._waiting.append(
            {
                "at": at,
                "actor_kind": actor.kind,
                # PostgreSQL takes no NUL in a text.
                "actor": actor.name.replace("\x00", ""),
                "action": action,
                "subject": subject,
                "address": actor.address,
                "detail": _canonical(dict(detail or {})),
            }
        )

    def anchor(self, case_id: str, event: Mapping[str, object], at: datetime) -> None:
        """Note the digest of a line that is added to a case's history."""
        self.add(BY_GUARDIAN, HISTORY, case_id, at, {"sha256": event_digest(event)})

    def write(self) -> None:
        """Write the lines that wait. `Store.begin` does so before it commits; until then others wait to add theirs."""
        if not self._waiting:
            return
        # The counter's row is locked until the commit, which makes the order of lines that of their numbers.
        first = Counters(self._connection).take(_COUNTER, len(self._waiting))
        digest = self._digest_before(first)
        lines = []
        for number, values in enumerate(self._waiting, start=first):
            numbered = {"number": number, **values}
            digest = _digest(digest, numbered)
            lines.append({**numbered, "digest": digest})
        self._connection.execute(insert(audit), lines)
        self._waiting.clear()

    def _digest_before(self, number: int) -> str:
        before = self._connection.execute(select(audit.c.digest).where(audit.c.number == number - 1)).scalar()
        return before or BEFORE_THE_FIRST

    def head(self) -> AuditHead | None:
        """Return the number and digest of the last line; None while there is none."""
        row = self._connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).first()
        return None if row is None else AuditHead(row.number, row.digest)

    def counted(self) -> int:
        """Return how many lines were ever added."""
        return Counters(self._connection).value(_COUNTER)

    def lines(
        self, *, subject: str | None = None, since: datetime | None = None, after: int = 0
    ) -> Iterator[AuditLine]:
        """Return the lines in their order, those after the number `after`, read a thousand at a time."""
        last = after
        while True:
            query = select(audit).where(audit.c.number > last).order_by(audit.c.number).limit(_AT_A_TIME)
            if subject is not None:
                query = query.where(audit.c.subject == subject)
            if since is not None:
                query = query.where(audit.c.at >= since)
            rows = self._connection.execute(query).all()
            if not rows:
                return
            yield from map(_line, rows)
            last = rows[-1].number

    def latest(
        self, limit: int, subject: str | None = None, *, actor: str = "", action: str = "", before: int | None = None
    ) -> list[AuditLine]:
        """Return the last lines that people read, the newest first; `before`: only those with a smaller number.

        All but the anchors of histories and of messages, which have lists of their own. `actor` and `action`: words of
        who did it, and of what it is called, where hyphens and underscores are the same.
        """
        is_read = audit.c.action.not_in([HISTORY, DELIVERED])
        query = select(audit).where(is_read).order_by(audit.c.number.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        if actor:
            query = query.where(audit.c.actor.icontains(actor, autoescape=True))
        if action:
            spelt = func.replace(audit.c.action, "-", "_")
            query = query.where(spelt.icontains(action.replace("-", "_"), autoescape=True))
        if before is not None:
            query = query.where(audit.c.number < before)
        return [_line(row) for row in self._connection.execute(query)]

    def histories_after(self, number: int, limit: int) -> list[tuple[int, str, datetime]]:
        """Return the number, the case and the time of lines after `number` that anchor a line of a case's history.

        Numbers are given in the order of commits, so nobody who goes on from the last one misses a change.
        """
        query = (
            select(audit.c.number, audit.c.subject, audit.c.at)
            .where(audit.c.number > number, audit.c.action == HISTORY)
            .order_by(audit.c.number)
            .limit(limit)
        )
        return [(row.number, row.subject, row.at) for row in self._connection.execute(query)]

    def digest_before(self, number: int) -> str:
        """Return the digest of the line before the one with this number, which that line's own digest covers."""
        return self._digest_before(number)

    def history_of(self, case_id: str) -> Iterator[tuple[dict[str, str], str]]:
        """Return each line of a case's history as what its digest covers, and the digest, oldest first."""
        query = select(case_events).where(case_events.c.case_id == case_id).order_by(case_events.c.id)
        for row in self._connection.execute(query):
            content = _event_content(row._asdict())
            yield content, event_digest(row._asdict())

    def history(self) -> Iterator[tuple[str, datetime, str]]:
        """Return for each line of every case's history the case, the time and the digest of its content."""
        for row in self._connection.execute(select(case_events).order_by(case_events.c.id)):
            yield row.case_id, row.at, event_digest(row._asdict())


def line_digest(before: str, line: AuditLine) -> str:
    """Return the digest that a line must have after a line with the digest `before`."""
    values = {
        "number": line.number,
        "at": line.at,
        "actor_kind": line.actor_kind,
        "actor": line.actor,
        "action": line.action,
        "subject": line.subject,
        "address": line.address,
        "detail": _canonical(dict(line.detail)),
    }
    return _digest(before, values)


def event_digest(event: Mapping[str, object]) -> str:
    """Return the SHA-256 of a line of history. Columns without a value do not count, so that new ones may be added."""
    return content_digest(_event_content(event))


def content_digest(content: Mapping[str, str]) -> str:
    """Return the SHA-256 of what is covered of a line of history, as `Audit.history_of` returns it."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _event_content(event: Mapping[str, object]) -> dict[str, str]:
    return {
        name: _moment(value) if isinstance(value, datetime) else str(value)
        for name, value in event.items()
        if value is not None and name not in _NOT_OF_CONTENT
    }


def _digest(before: str, values: Mapping[str, object]) -> str:
    content = {name: _moment(value) if isinstance(value, datetime) else value for name, value in values.items()}
    return hashlib.sha256(f"{before}\n{_canonical(content)}".encode()).hexdigest()


def _canonical(content: Mapping[str, object]) -> str:
    """Return JSON of which there is one form only: keys in order, no blanks, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _moment(at: datetime) -> str:
    # Databases keep microseconds and lose the zone; this form is the same before and after.
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _line(row: Row[tuple[object, ...]]) -> AuditLine:
    return AuditLine(
        number=row.number,
        at=row.at,
        actor_kind=row.actor_kind,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        address=row.address,
        detail=json.loads(row.detail),
        digest=row.digest,
    )
