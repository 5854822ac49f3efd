"""Counts over the histories of cases, for the overview."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from guardian.model import STATES_OF_PEOPLE, CaseState
from guardian.store.tables import case_events, cases

_DECISIONS = tuple(state.value for state in STATES_OF_PEOPLE if state is not CaseState.OPEN)


class Statistics:
    """What happened to cases, read from their histories."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def events(self, since: datetime) -> Iterator[tuple[datetime, str]]:
        """Yield when lines of histories were written since then, and their kinds, the oldest first."""
        query = select(case_events.c.at, case_events.c.kind).where(case_events.c.at >= since)
        for row in self._connection.execute(query.order_by(case_events.c.id)):
            yield row.at, row.kind

    def times_to_decision(self, since: datetime) -> list[timedelta]:
        """Return how long the cases waited, from opening to the first decision, that were first decided since then."""
        first = func.min(case_events.c.at).label("first")
        decided = (
            select(case_events.c.case_id, first)
            .where(case_events.c.kind.in_(_DECISIONS))
            .group_by(case_events.c.case_id)
            .subquery()
        )
        query = select(cases.c.opened_at, decided.c.first).join(decided, decided.c.case_id == cases.c.id)
        rows = self._connection.execute(query.where(decided.c.first >= since))
        return [row.first - row.opened_at for row in rows]
