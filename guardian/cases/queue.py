"""Reads the queue: the cases that a filter wants, the most urgent first, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guardian.cases.priority import points_of_rank
from guardian.errors import UsageError
from guardian.model import Asset, Case, CaseFilter, Finding
from guardian.store import Transaction


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """A case with its asset and the finding that shows it best; None where the database has lost them.

    `points`: its priority now.
    """

    case: Case
    asset: Asset | None
    finding: Finding | None
    points: float


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue. `total`: how many cases the filter wants in all.

    `following`: the cursor of the next page; None on the last one.
    """

    cases: tuple[QueuedCase, ...]
    total: int
    following: str | None


def queue_page(tx: Transaction, wanted: CaseFilter, now: datetime, limit: int, cursor: str | None = None) -> QueuePage:
    """Return one page of the queue. Raises UsageError for what is no cursor.

    Cases whose rank changes meanwhile may come again on a later page or be passed over; no case hides others.
    """
    # One more than is shown tells whether there is another page.
    found = tx.cases.queue(wanted, limit + 1, _place_of(cursor) if cursor else None)
    shown, more = found[:limit], found[limit:]
    following = f"{shown[-1].rank!r}~{shown[-1].id}" if more else None
    return QueuePage(queued(tx, shown, now), tx.cases.count_matching(wanted), following)


def queued(tx: Transaction, cases: Sequence[Case], now: datetime) -> tuple[QueuedCase, ...]:
    """Return cases with what a queue shows of each."""
    seen = tx.findings.foremost([case.id for case in cases])
    return tuple(
        QueuedCase(case, tx.assets.get(case.asset_id), seen.get(case.id), points_of_rank(case.rank, now))
        for case in cases
    )


def _place_of(cursor: str) -> tuple[float, str]:
    rank, _, id_ = cursor.partition("~")
    try:
        return float(rank), id_
    except ValueError as error:
        raise UsageError("this is no cursor of the queue; begin without one") from error
