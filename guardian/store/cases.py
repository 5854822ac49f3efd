"""Cases and their histories as rows. When a case changes is decided in guardian.cases."""

from datetime import datetime

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from guardian.model import Action, Case, CaseEvent, CaseState, Severity
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.tables import case_events, cases, findings


class Cases:
    """The cases table and the cases' histories."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, asset_id: str, operator: str) -> Case | None:
        """Return the case of this asset and operator; None when there is none."""
        return self._first(_select().where(cases.c.asset_id == asset_id, cases.c.operator == operator))

    def lock(self, id_: str) -> Case | None:
        """Return the case of this id, its row locked until the transaction ends; None when there is none."""
        return self._first(_select().where(cases.c.id == id_).with_for_update(of=cases))

    def insert(
        self, asset_id: str, operator: str, action: Action, severity: Severity | None, at: datetime
    ) -> tuple[Case, bool]:
        """Write a new open case, about which there is no message yet; return it, and whether it is new.

        When this asset and operator have a case already, that one is returned, its row locked and unchanged.
        """
        statement = insert_into(self._connection, cases).values(
            id=new_id("case"),
            asset_id=asset_id,
            operator=operator,
            state=CaseState.OPEN,
            action=action,
            severity=severity,
            opened_at=at,
            updated_at=at,
            message_count=0,
        )
        # Insert first and look afterwards: looking first would race with another process that sees the same use.
        wanted = statement.on_conflict_do_nothing(index_elements=["asset_id", "operator"]).returning(cases.c.id)
        inserted = self._connection.execute(wanted).first()
        same = (cases.c.asset_id == asset_id, cases.c.operator == operator)
        case = self._first(_select().where(*same).with_for_update(of=cases))
        if case is None:
            raise LookupError(f"a case that was just written is gone: {asset_id} {operator}")
        return case, inserted is not None

    def update(self, case: Case) -> Case:
        """Write all fields of a case that may change; return the case as it now stands.

        Its finding count is not written but counted at each reading. Raises LookupError when there is no such case.
        """
        self._connection.execute(
            update(cases)
            .where(cases.c.id == case.id)
            .values(
                state=case.state,
                action=case.action,
                severity=case.severity,
                updated_at=case.updated_at,
                alerted_at=case.alerted_at,
                message_count=case.message_count,
                reviewed_by=case.reviewed_by,
                review_note=case.review_note,
            )
        )
        written = self.get(case.id)
        if written is None:
            raise LookupError(f"no case {case.id}")
        return written

    def get(self, id_: str) -> Case | None:
        """Return the case of this id; None when there is none."""
        return self._first(_select().where(cases.c.id == id_))

    def count(self, state: CaseState) -> int:
        """Return how many cases are in this state."""
        query = select(func.count()).select_from(cases).where(cases.c.state == state)
        return self._connection.execute(query).scalar_one()

    def starting_with(self, prefix: str) -> list[Case]:
        """Return the cases whose id begins with `prefix`, by id; people type the first few characters."""
        # autoescape: % and _ in what a person typed are characters, not wildcards.
        query = _select().where(cases.c.id.startswith(prefix, autoescape=True)).order_by(cases.c.id)
        return [_case(row) for row in self._connection.execute(query)]

    def note(self, event: CaseEvent) -> None:
        """Add a line to a case's history."""
        self._connection.execute(
            insert(case_events).values(
                case_id=event.case_id,
                at=event.at,
                kind=event.kind,
                by=event.by,
                note=event.note,
                message_id=event.message_id,
            )
        )

    def history(self, id_: str) -> list[CaseEvent]:
        """Return a case's history, oldest first."""
        # By row number, since two events of one transaction have the same time.
        query = select(case_events).where(case_events.c.case_id == id_).order_by(case_events.c.id)
        return [
            CaseEvent(row.case_id, row.at, row.kind, row.by, row.note, row.message_id)
            for row in self._connection.execute(query)
        ]

    def list(self, state: CaseState | None = None, asset_id: str | None = None, limit: int | None = None) -> list[Case]:
        """Return cases, those last changed first."""
        query = _select().order_by(cases.c.updated_at.desc(), cases.c.id)
        if state is not None:
            query = query.where(cases.c.state == state)
        if asset_id is not None:
            query = query.where(cases.c.asset_id == asset_id)
        if limit is not None:
            query = query.limit(limit)
        return [_case(row) for row in self._connection.execute(query)]

    def _first(self, query: Select[tuple[object, ...]]) -> Case | None:
        row = self._connection.execute(query).first()
        return None if row is None else _case(row)


def _select() -> Select[tuple[object, ...]]:
    # Counted and not stored: findings also leave a case by being merged, and a stored number would drift.
    counted = select(func.count()).where(findings.c.case_id == cases.c.id).correlate(cases).scalar_subquery()
    return select(cases, counted.label("finding_count"))


def _case(row: Row[tuple[object, ...]]) -> Case:
    return Case(**row._mapping)
