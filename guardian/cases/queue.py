"""Reads the queue: the cases that a filter wants, the most urgent first, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guardian.cases.priority import points_of_rank
from guardian.errors import UsageError
from guardian.model import Asset, Case, CaseFilter, CaseGrouping, Finding
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


def queue_page(tx: Transaction, wanted: CaseFilter, now: datetime, limit: int, cursor: str | None) -> QueuePage:
    """Return one page of the queue, the first for no cursor. Raises UsageError for what is no cursor.

    Cases whose rank changes meanwhile may come again on a later page or be passed over; no case hides others.
    """
    # One more than is shown tells whether there is another page.
    after = _place_of(cursor) if cursor else None
    if wanted.words is not None or wanted.label is not None:
        found, total = tx.cases.queue_with_count(wanted, limit + 1, after)
    else:
        found, total = tx.cases.queue(wanted, limit + 1, after), tx.cases.count_matching(wanted)

    shown, more = found[:limit], found[limit:]
    following = f"{shown[-1].rank!r}~{shown[-1].id}" if more else None
    return QueuePage(queued(tx, shown, now), total, following)


@dataclass(frozen=True, slots=True)
class QueuedGroup:
    """An operator or a work with the most urgent of its cases, and how many there are in all."""

    key: str
    total: int
    cases: tuple[QueuedCase, ...]


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One page of the queue in groups. `total` and `groups`: how many cases and groups there are in all."""

    shown: tuple[QueuedGroup, ...]
    total: int
    groups: int
    following: str | None


def group_page(
    tx: Transaction, wanted: CaseFilter, by: CaseGrouping, now: datetime, limit: int, each: int, cursor: str | None
) -> GroupPage:
    """Return one page of the queue in groups, of each its `each` most urgent cases. Raises as `queue_page`."""
    found = tx.cases.groups(wanted, by, limit + 1, _place_of(cursor) if cursor else None)
    shown, more = found.shown[:limit], found.shown[limit:]
    cases = queued(tx, tx.cases.foremost(wanted, by, [group.key for group in shown], each), now)

    def key(one: QueuedCase) -> str:
        return one.case.operator if by is CaseGrouping.OPERATOR else one.case.work_id

    return GroupPage(
        tuple(
            QueuedGroup(group.key, group.cases, tuple(one for one in cases if key(one) == group.key)) for group in shown
        ),
        found.cases,
        found.groups,
        f"{shown[-1].rank!r}~{shown[-1].key}" if more else None,
    )


def queued(tx: Transaction, cases: Sequence[Case], now: datetime) -> tuple[QueuedCase, ...]:
    """Return cases with what a queue shows of each."""
    seen = tx.findings.foremost([case.id for case in cases])
    assets = tx.assets.of_ids({case.asset_id for case in cases})
    return tuple(
        QueuedCase(case, assets.get(case.asset_id), seen.get(case.id), points_of_rank(case.rank, now)) for case in cases
    )


def _place_of(cursor: str) -> tuple[float, str]:
    rank, _, id_ = cursor.partition("~")
    try:
        return float(rank), id_
    except ValueError as error:
        raise UsageError("this is no cursor of the queue; begin without one") from error
