"""Tells when a lease is over: by one clock for all processes, and even when that clock is set back."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select

LONGEST_LEASE = timedelta(hours=1)
"""No lease is given for longer."""

CLOCK_SLACK = timedelta(hours=1)
"""Clocks of several machines differ by less than this; a clock that was set back differs by more."""


def lease_clock(connection: Connection) -> datetime:
    """Return the current time in UTC by the clock that counts the leases of processes and scans.

    On PostgreSQL that is the server's, so that machines whose clocks differ agree. Processes on one SQLite file
    share a machine, and so its clock.
    """
    if connection.dialect.name == "postgresql":
        # Not now(), which is when the transaction began: after a long wait for a lock its lease would be over at once.
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def is_over(leased_until: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Return the condition that a lease has ended at `now`, a moment of `lease_clock`.

    A lease that ends later than any given now could was given before the clock was set back. It is over too, or the
    work of a dead process would wait until the old time comes again.
    """
    return or_(leased_until.is_(None), leased_until <= now, leased_until > now + LONGEST_LEASE + CLOCK_SLACK)
