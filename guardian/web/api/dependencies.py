"""What operations need beside the database: rules, the matcher, the catalogue. 503 where they are not opened."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from guardian.cases.rejudging import Judging
from guardian.scan.lookalikes import Archive
from guardian.scan.services import Services
from guardian.web.desk import Desk

if TYPE_CHECKING:
    from guardian.catalog.catalog import Catalog

_NOT_OPENED = HTTPException(503, "the matcher and the rules are not opened here; ask the daemon (`guardian run`)")


def services_of(desk: Desk) -> Services:
    """Return what pictures are checked with. Raises 503."""
    if desk.services is None:
        raise _NOT_OPENED
    return desk.services


def judging_of(desk: Desk) -> Judging:
    """Return what recorded uses are judged by. Raises 503."""
    judging = desk.judging
    if judging is None:
        raise _NOT_OPENED
    return judging


def catalog_of(desk: Desk) -> "Catalog":
    """Return the catalogue. Raises 503."""
    if desk.catalog is None:
        raise HTTPException(503, "the catalogue is not opened here; ask the daemon (`guardian run`)")
    return desk.catalog()


def archive_of(desk: Desk) -> Archive:
    """Return where the pictures of cases are looked for and compared. Raises 503."""
    return Archive(desk.store, desk.vault, desk.originals, services_of(desk).workers)
