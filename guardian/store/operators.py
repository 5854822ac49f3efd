"""Operators: who shows works of yours, put together from the cases that each has."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Row, func, select

from guardian.model import PURSUED_STATES, OperatorSummary
from guardian.store.chunks import in_chunks
from guardian.store.paging import comes_after
from guardian.store.tables import cases

LEAST_RANK = -1e9
"""The rank of an operator none of whose cases is pursued."""


class Operators:
    """The operators that have cases. They have no rows of their own: they are names in the cases table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count_cases(self, operator: str) -> int:
        """Return how many cases an operator has: as many as works of yours it uses."""
        query = select(func.count()).select_from(cases).where(cases.c.operator == operator)
        return self._connection.execute(query).scalar_one()

    def summaries(
        self,
        operator: str | None = None,
        limit: int | None = None,
        *,
        words: str = "",
        after: tuple[float, str] | None = None,
    ) -> Sequence[OperatorSummary]:
        """Return the operators that have cases, those with the most urgent case first; or the one of this name.

        At most `limit` of those whose name has these words; `after`: rank and name of the one after which they come.
        """
        if operator is not None:
            return self._summaries([operator])
        if limit is None and after is None and not words:
            return self._summaries(None)
        # The names first: most of what is to be known of an operator is not in the index that chooses.
        urgency = func.coalesce(func.max(cases.c.rank).filter(cases.c.state.in_(PURSUED_STATES)), LEAST_RANK)
        query = select(cases.c.operator).where(*_is_named_like(words)).group_by(cases.c.operator)
        if after is not None:
            query = query.having(comes_after(after, urgency, cases.c.operator))
        names = self._connection.execute(query.order_by(urgency.desc(), cases.c.operator).limit(limit)).scalars()
        # The names and the summaries are in the same order, so the parts of both can follow each other.
        return [summary for part in in_chunks(names) for summary in self._summaries(part)]

    def _summaries(self, operators: Sequence[str] | None) -> Sequence[OperatorSummary]:
        """Return what is known of these operators, the one with the most urgent case first; None: of all."""
        count, rank, changed = func.count(), func.max(cases.c.rank), func.max(cases.c.updated_at)
        grouped = select(cases.c.operator, cases.c.state, count.label("cases"), rank.label("rank"), changed.label("at"))
        if operators is not None:
            grouped = grouped.where(cases.c.operator.in_(operators))
        rows: dict[str, list[Row[tuple[object, ...]]]] = {}
        for row in self._connection.execute(grouped.group_by(cases.c.operator, cases.c.state)):
            rows.setdefault(row.operator, []).append(row)

        places = self._places(operators)
        summaries = [
            OperatorSummary(
                operator=name,
                states=tuple(sorted((row.state, row.cases) for row in its)),
                findings=places.get(name, 0),
                # What is dealt with does not make an operator urgent.
                rank=max((row.rank for row in its if row.state in PURSUED_STATES), default=LEAST_RANK),
                changed_at=max(row.at for row in its),
            )
            for name, its in rows.items()
        ]
        return sorted(summaries, key=lambda one: (-one.rank, one.operator))

    def _places(self, operators: Sequence[str] | None) -> dict[str, int]:
        """Return how many findings the cases of each of these operators have; None: of all."""
        query = select(cases.c.operator, func.sum(cases.c.finding_count).label("places")).group_by(cases.c.operator)
        if operators is not None:
            query = query.where(cases.c.operator.in_(operators))
        return {row.operator: row.places for row in self._connection.execute(query)}

    def most_used(self, limit: int) -> Sequence[OperatorSummary]:
        """Return the operators that show works in most places, the one with most first, at most `limit`."""
        total = func.sum(cases.c.finding_count)
        query = select(cases.c.operator).group_by(cases.c.operator).having(total > 0)
        names = list(self._connection.execute(query.order_by(total.desc(), cases.c.operator).limit(limit)).scalars())
        found = {summary.operator: summary for summary in self._summaries(names)}
        return [found[name] for name in names]

    def count(self, words: str) -> int:
        """Return how many operators have cases, of those whose name has these words; "" counts all."""
        query = select(func.count(cases.c.operator.distinct())).where(*_is_named_like(words))
        return self._connection.execute(query).scalar_one()


def _is_named_like(words: str) -> list[ColumnElement[bool]]:
    return [cases.c.operator.icontains(words, autoescape=True)] if words else []
