"""In which order cases are listed, and where a case stands in it, so that a list can go on where it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement

from guardian.model import Case
from guardian.store.paging import comes_after
from guardian.store.tables import cases


class CaseOrder(StrEnum):
    """What cases are sorted by, the last or largest first. Only when they were opened never changes."""

    OPENED = "opened"
    CHANGED = "changed"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Where a case stands: the value that it is sorted by, and its id."""

    value: datetime | float
    id: str


_COLUMNS = {
    CaseOrder.OPENED: cases.c.opened_at,
    CaseOrder.CHANGED: cases.c.updated_at,
    CaseOrder.PRIORITY: cases.c.rank,
}


def place_of(case: Case, order: CaseOrder) -> CasePlace:
    """Return where a case stands in an order."""
    values: dict[CaseOrder, datetime | float] = {
        CaseOrder.OPENED: case.opened_at,
        CaseOrder.CHANGED: case.updated_at,
        CaseOrder.PRIORITY: case.rank,
    }
    return CasePlace(values[order], case.id)


def sorting(order: CaseOrder) -> tuple[ColumnElement[object], ColumnElement[object]]:
    """Return the SQL terms that an order sorts by."""
    return (_COLUMNS[order].desc(), cases.c.id.asc())


def is_after(order: CaseOrder, place: CasePlace) -> ColumnElement[bool]:
    """Return the SQL condition for cases that come after a place."""
    return comes_after((place.value, place.id), _COLUMNS[order], cases.c.id)
