"""Scans that people have asked for, as rows: who wants which source to be scanned now.

A request is derived to be open: no scan of its source has begun since. So nothing has to be ticked off, and nothing is
lost when a process ends between the asking and the scan.
"""

from sqlalchemy import BigInteger, Column, Connection, Table, Text, func, select

from guardian.model import ScanRequest
from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.scan_tables import scans
from guardian.store.tables import metadata

scan_requests = Table(
    "scan_requests",
    metadata,
    Column("source", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    # The id of the source's last scan when it was asked for, 0 for none: a later one is the answer.
    Column("after_scan", BigInteger, nullable=False),
)


class ScanRequests:
    """The scan_requests table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, request: ScanRequest) -> None:
        """Ask for a scan of a source; whoever asked for one before is forgotten."""
        last = select(func.coalesce(func.max(scans.c.id), 0)).where(scans.c.source == request.source)
        after_scan: int = self._connection.execute(last).scalar_one()
        values = {"at": request.at, "by": request.by, "after_scan": after_scan}
        statement = insert_into(self._connection, scan_requests).values(source=request.source, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))

    def open(self) -> dict[str, ScanRequest]:
        """Return the requests that no scan has answered yet, by source."""
        is_answered = (
            select(scans.c.id)
            .where(scans.c.source == scan_requests.c.source, scans.c.id > scan_requests.c.after_scan)
            .exists()
        )
        query = select(scan_requests).where(~is_answered).order_by(scan_requests.c.source)
        rows = self._connection.execute(query)
        return {row.source: ScanRequest(row.source, row.at, row.by) for row in rows}
