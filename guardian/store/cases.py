"""Cases as rows. When a case changes is decided in guardian.cases."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, true, update

from guardian.model import (
    Action,
    Case,
    CaseFilter,
    CaseGroup,
    CaseGrouping,
    CaseGroups,
    CaseState,
    Severity,
)
from guardian.store.case_filters import conditions, is_at_host
from guardian.store.case_history import CaseHistory
from guardian.store.case_order import CaseOrder, CasePlace, is_after, sorting
from guardian.store.chunks import in_chunks
from guardian.store.evidence_tables import evidence_captures
from guardian.store.ids import new_id
from guardian.store.inserting import insert_into
from guardian.store.paging import comes_after
from guardian.store.retention import follow_merged_case
from guardian.store.tables import case_aliases, cases, findings
from guardian.store.works import work_of

_KEYS = {CaseGrouping.OPERATOR: cases.c.operator, CaseGrouping.WORK: cases.c.work_id}
"""What groups of cases share."""


class Cases:
    """The cases table."""

    def __init__(self, connection: Connection, history: CaseHistory) -> None:
        self._connection = connection
        self._history = history

    def find(self, asset_id: str, operator: str) -> Case | None:
        """Return the case of this asset's work and operator; None when there is none."""
        return self._first(_select().where(cases.c.work_id == work_of(asset_id), cases.c.operator == operator))

    def lock(self, id_: str) -> Case | None:
        """Return the case of this id as `get` does, its row locked until the transaction ends."""
        return self._first(_select().where(_is_known_as(id_)).with_for_update(of=cases))

    def lock_all(self, ids: Collection[str]) -> None:
        """Lock the rows of these cases until the transaction ends, in the order of their works, as everybody does.

        Two that decide about the same cases in other orders would else wait for each other.
        """
        found: set[tuple[str, str]] = set()
        for chunk in in_chunks(ids):
            of_works = select(cases.c.work_id, cases.c.id).where(cases.c.id.in_(chunk))
            found |= {(row.work_id, row.id) for row in self._connection.execute(of_works)}
        for chunk in in_chunks([id_ for _, id_ in sorted(found)]):
            ordered = select(cases.c.id).where(cases.c.id.in_(chunk)).order_by(cases.c.work_id, cases.c.id)
            self._connection.execute(ordered.with_for_update())

    def insert(
        self, asset_id: str, operator: str, action: Action, severity: Severity | None, at: datetime
    ) -> tuple[Case, bool]:
        """Write a new open case, about which there is no message yet; return it, and whether it is new.

        When the asset's work and operator have a case already, that one is returned, its row locked and unchanged.
        """
        work_id = self._connection.execute(select(work_of(asset_id))).scalar()
        numbered = {}
        if self._connection.dialect.name == "sqlite":
            # SQLite has one writer at a time, so nobody else takes this number. PostgreSQL numbers by itself.
            highest = select(func.coalesce(func.max(cases.c.number), 0))
            numbered["number"] = highest.scalar_subquery() + 1
        statement = insert_into(self._connection, cases).values(
            **numbered,
            id=new_id("case"),
            asset_id=asset_id,
            work_id=work_id,
            operator=operator,
            state=CaseState.OPEN,
            action=action,
            severity=severity,
            opened_at=at,
            updated_at=at,
            message_count=0,
            version=0,
            labels=(),
            commercial=(),
            rank=0.0,
            finding_count=0,
        )
        # Insert first and look afterwards: looking first would race with another process that sees the same use.
        # No index is named: of two inserts at once the later may meet the earlier one first in that of asset and
        # operator, where PostgreSQL would raise if only that of work and operator were named.
        inserted = self._connection.execute(statement.on_conflict_do_nothing().returning(cases.c.id)).first()
        same = (cases.c.work_id == work_id, cases.c.operator == operator)
        case = self._first(_select().where(*same).with_for_update(of=cases))
        if case is None:
            raise LookupError(f"a case that was just written is gone: {asset_id} {operator}")
        return case, inserted is not None

    def update(self, case: Case) -> Case:
        """Write all fields of a case that may change; return the case as it now stands.

        Its finding count is kept by the database, and its version grows with its history. Raises
        LookupError when there is no such case.
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
                licence_id=case.licence_id,
                licensed_since=case.licensed_since,
                reason=case.reason,
                assignee=case.assignee,
                labels=case.labels,
                due_on=case.due_on,
                untold=case.untold,
            )
        )
        written = self.get(case.id)
        if written is None:
            raise LookupError(f"no case {case.id}")
        return written

    def rank(self, case: Case) -> None:
        """Write what the priority of a case is made of, its rank, and how sure it is."""
        values = {
            "share_used": case.share_used,
            "commercial": case.commercial,
            "rank": case.rank,
            "confidence": case.confidence,
        }
        self._connection.execute(update(cases).where(cases.c.id == case.id).values(**values))

    def get(self, id_: str) -> Case | None:
        """Return the case of this id, or the one that it was merged into; None when there is none."""
        return self._first(_select().where(_is_known_as(id_)))

    def count(self, state: CaseState) -> int:
        """Return how many cases are in this state."""
        query = select(func.count()).select_from(cases).where(cases.c.state == state)
        return self._connection.execute(query).scalar_one()

    def starting_with(self, prefix: str) -> list[Case]:
        """Return the cases whose id, or an id that was merged into theirs, begins with `prefix`, by id.

        People type the first few characters.
        """
        # autoescape: % and _ in what a person typed are characters, not wildcards.
        earlier = select(case_aliases.c.case_id).where(case_aliases.c.id.startswith(prefix, autoescape=True))
        is_meant = cases.c.id.startswith(prefix, autoescape=True) | cases.c.id.in_(earlier)
        query = _select().where(is_meant).order_by(cases.c.id)
        return [_case(row) for row in self._connection.execute(query)]

    def of_work(self, work_id: str) -> list[Case]:
        """Return the cases of a work, the one opened first first, their rows locked until the transaction ends."""
        query = _select().where(cases.c.work_id == work_id).order_by(cases.c.opened_at, cases.c.id)
        return [_case(row) for row in self._connection.execute(query.with_for_update(of=cases))]

    def matching(self, wanted: CaseFilter, limit: int | None = None) -> list[Case]:
        """Return the cases that a filter wants but for its host, at most `limit` of them.

        Those last changed come first, or the most urgent ones.
        """
        order = (cases.c.rank.desc() if wanted.by_priority else cases.c.updated_at.desc(), cases.c.id)
        # Chosen first and read afterwards: whole rows of all that are sorted would take most of the time.
        chosen = select(cases.c.id).where(*self._conditions(wanted)).order_by(*order).limit(limit)
        query = _select().where(cases.c.id.in_(chosen))
        return [_case(row) for row in self._connection.execute(query.order_by(*order))]

    def queue(self, wanted: CaseFilter, limit: int, after: tuple[float, str] | None = None) -> list[Case]:
        """Return the cases that a filter wants, the most urgent first, at most `limit` of them.

        `after`: rank and id of the case after which they come.
        """
        chosen_by = [*self._conditions(wanted), *is_at_host(wanted.host)]
        if after is not None:
            chosen_by.append(comes_after(after, cases.c.rank, cases.c.id))
        order = (cases.c.rank.desc(), cases.c.id)
        chosen = select(cases.c.id).where(*chosen_by).order_by(*order).limit(limit)
        query = _select().where(cases.c.id.in_(chosen))
        return [_case(row) for row in self._connection.execute(query.order_by(*order))]

    def queue_with_count(
        self, wanted: CaseFilter, limit: int, after: tuple[float, str] | None = None
    ) -> tuple[Sequence[Case], int]:
        """Return what `queue` and `count_matching` return, from one look at all cases.

        For what no index of the queue tells, words and labels: to look twice would take twice as long.
        """
        chosen_by = [*self._conditions(wanted), *is_at_host(wanted.host)]
        # Read twice, so either database keeps it: what it costs is to find the words.
        said = select(cases.c.id, cases.c.rank).where(*chosen_by).cte("said")
        total = select(func.count()).select_from(said).scalar_subquery()
        shown = select(said.c.id, total.label("total")).order_by(said.c.rank.desc(), said.c.id).limit(limit)
        if after is not None:
            shown = shown.where(comes_after(after, said.c.rank, said.c.id))
        rows = self._connection.execute(shown).all()
        if not rows:
            return [], self.count_matching(wanted) if after is not None else 0
        query = _select().where(cases.c.id.in_([row.id for row in rows])).order_by(cases.c.rank.desc(), cases.c.id)
        return [_case(row) for row in self._connection.execute(query)], rows[0].total

    def count_matching(self, wanted: CaseFilter) -> int:
        """Return how many cases a filter wants."""
        query = select(func.count()).select_from(cases).where(*self._conditions(wanted), *is_at_host(wanted.host))
        return self._connection.execute(query).scalar_one()

    def groups(
        self, wanted: CaseFilter, by: CaseGrouping, limit: int, after: tuple[float, str] | None = None
    ) -> CaseGroups:
        """Return the cases that a filter wants in groups, the one with the most urgent case first, at most `limit`.

        `after`: rank and key of the group after which they come.
        """
        # The index of operators or works gives the groups sorted, and has what states and words are asked of. For all
        # else SQLite would look up the row of each case: joined with nothing, the key has it read the queue's index.
        is_in_index = replace(wanted, states=(), words=None, by_priority=False) == CaseFilter()
        key = _KEYS[by] if is_in_index else _KEYS[by].concat("")
        rank = func.max(cases.c.rank).label("rank")
        grouped = select(key.label("key"), func.count().label("cases"), rank)
        # Read three times, so either database keeps it, and all cases are looked at once.
        all_groups = grouped.where(*self._conditions(wanted), *is_at_host(wanted.host)).group_by(key).cte("all_groups")
        of_all = select(func.count(), func.coalesce(func.sum(all_groups.c.cases), 0)).select_from(all_groups)
        totals = of_all.subquery()
        groups, total = totals.c
        shown = select(all_groups, groups.label("groups"), total.label("total")).join_from(totals, all_groups, true())
        if after is not None:
            shown = shown.where(comes_after(after, all_groups.c.rank, all_groups.c.key))
        rows = self._connection.execute(shown.order_by(all_groups.c.rank.desc(), all_groups.c.key).limit(limit)).all()
        if not rows:
            number, total_of_all = self._connection.execute(of_all).one()
            return CaseGroups((), number, total_of_all)
        found = tuple(CaseGroup(row.key, row.cases, row.rank) for row in rows)
        return CaseGroups(found, rows[0].groups, rows[0].total)

    def foremost(self, wanted: CaseFilter, by: CaseGrouping, keys: Sequence[str], each: int) -> Sequence[Case]:
        """Return of each of these groups the `each` most urgent cases that a filter wants, the most urgent first."""
        key = _KEYS[by]
        place = func.row_number().over(partition_by=key, order_by=(cases.c.rank.desc(), cases.c.id))
        of_groups = (key.in_(keys), *self._conditions(wanted), *is_at_host(wanted.host))
        placed = select(cases.c.id, place.label("place")).where(*of_groups).subquery()
        query = _select().where(cases.c.id.in_(select(placed.c.id).where(placed.c.place <= each)))
        return [_case(row) for row in self._connection.execute(query.order_by(cases.c.rank.desc(), cases.c.id))]

    def page(self, wanted: CaseFilter, order: CaseOrder, limit: int, after: CasePlace | None = None) -> list[Case]:
        """Return the cases that a filter wants but for its host and its order, those after `after`, at most `limit`."""
        chosen = select(cases.c.id).where(*self._conditions(wanted))
        if after is not None:
            chosen = chosen.where(is_after(order, after))
        # Chosen first and read afterwards, as in `matching`.
        chosen = chosen.order_by(*sorting(order)).limit(limit)
        query = _select().where(cases.c.id.in_(chosen)).order_by(*sorting(order))
        return [_case(row) for row in self._connection.execute(query)]

    def list(self, state: CaseState | None = None, asset_id: str | None = None, limit: int | None = None) -> list[Case]:
        """Return cases, those last changed first. `asset_id`: only those of the work that this asset belongs to."""
        query = _select().order_by(cases.c.updated_at.desc(), cases.c.id)
        if state is not None:
            query = query.where(cases.c.state == state)
        if asset_id is not None:
            query = query.where(cases.c.work_id == work_of(asset_id))
        if limit is not None:
            query = query.limit(limit)
        return [_case(row) for row in self._connection.execute(query)]

    def move(self, id_: str, work_id: str, asset_id: str) -> None:
        """Make a case one of another work, or of another asset of its own work."""
        self._connection.execute(update(cases).where(cases.c.id == id_).values(work_id=work_id, asset_id=asset_id))

    def absorb(self, kept: Case, gone_id: str) -> Case:
        """Merge a case into another one, which becomes as `kept` says; return it as it now stands.

        `kept` has the findings and the history of both. The id that disappears leads to it from now on.
        """
        for column in (findings.c.case_id, case_aliases.c.case_id, evidence_captures.c.case_id):
            self._connection.execute(update(column.table).where(column == gone_id).values(case_id=kept.id))
        follow_merged_case(self._connection, gone_id, kept.id)
        self._history.merge(kept.id, gone_id)
        self._connection.execute(delete(cases).where(cases.c.id == gone_id))
        self._connection.execute(insert(case_aliases).values(id=gone_id, case_id=kept.id))

        first = {"asset_id": kept.asset_id, "work_id": kept.work_id, "opened_at": kept.opened_at}
        self._connection.execute(update(cases).where(cases.c.id == kept.id).values(**first))
        return self.update(kept)

    def _conditions(self, wanted: CaseFilter) -> Sequence[ColumnElement[bool]]:
        return conditions(wanted, is_sqlite=self._connection.dialect.name == "sqlite")

    def _first(self, query: Select[tuple[object, ...]]) -> Case | None:
        row = self._connection.execute(query).first()
        return None if row is None else _case(row)


def _is_known_as(id_: str) -> ColumnElement[bool]:
    """Return the SQL condition that finds a case by its id, or by that of a case that was merged into it."""
    return (cases.c.id == id_) | cases.c.id.in_(select(case_aliases.c.case_id).where(case_aliases.c.id == id_))


def _select() -> Select[tuple[object, ...]]:
    # Its number is for joining tables only.
    return select(*(column for column in cases.c if column is not cases.c.number))


def _case(row: Row[tuple[object, ...]]) -> Case:
    return Case(**row._mapping)
