"""Reads what the overview shows, for the page and the API alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from guardian.model import CaseState, OperatorSummary
from guardian.views.operators import operator_json
from guardian.views.overview import Seen, Week, seen_of, weeks_of
from guardian.web.desk import Desk

_WEEKS = 12
_OPERATORS = 15


@dataclass(frozen=True, slots=True)
class Overview:
    """The last weeks, the oldest first; how long cases waited for a decision in them; the cases of each state now.

    `operators` show works in most places; `seen` begins with the sources that saw least of what there was.
    """

    weeks: list[Week]
    times: list[timedelta]
    states: dict[CaseState, int]
    operators: list[OperatorSummary]
    seen: list[Seen]


def read_overview(desk: Desk, coverage: Iterable[Mapping[str, Any]]) -> Overview:
    """Return the overview as it is now. `coverage`: of each source, as `coverage_json` has it."""
    now = desk.clock()
    since = now - timedelta(weeks=_WEEKS)
    covered = [seen_of(one) for one in coverage]
    with desk.store.read() as tx:
        return Overview(
            weeks_of(tx.statistics.events(since), now, _WEEKS),
            tx.statistics.times_to_decision(since),
            {state: tx.cases.count(state) for state in CaseState if state is not CaseState.RESOLVED},
            list(tx.operators.most_used(_OPERATORS)),
            sorted(covered, key=lambda one: (one.share is not None, one.share or 0.0, one.source)),
        )


def overview_json(overview: Overview) -> dict[str, Any]:
    """Return an overview as JSON values; programs rely on these names."""
    hours = median(one.total_seconds() for one in overview.times) / 3600 if overview.times else None
    return {
        "weeks": [{"monday": week.monday.isoformat(), **week.counts} for week in overview.weeks],
        "median_hours_to_decision": hours,
        "states": {state.value: number for state, number in overview.states.items()},
        "operators": [operator_json(one) for one in overview.operators],
        "coverage": [
            {
                "source": one.source,
                "compared": one.compared,
                "not_seen": one.not_seen,
                "share": one.share,
                "trouble": one.trouble or None,
            }
            for one in overview.seen
        ],
    }
