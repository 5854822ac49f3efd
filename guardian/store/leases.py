"""When a lease is over: counted by one clock for all processes, with an answer for a clock that is set back."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select

LONGEST_LEASE = timedelta(hours=1)
"""No lease is given for longer."""

CLOCK_SLACK = timedelta(hours=1)
"""Clocks of several machines differ by less than this; a clock that was set back differs by more."""


def lease_clock(connection: Connection) -> datetime:
    """Return the time by which the leases of processes and scans are counted.

    On PostgreSQL that is the server's, so that machines whose clocks differ agree. Processes on one SQLite file
    share a machine, and so its clock.
    """
    if connection.dialect.name == "postgresql":
        # Not now(), which stands still within a transaction: one that waited for a lock would lease the past.
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def is_over(leased_until: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Return the condition that a lease has ended at `now`, a moment of `lease_clock`.

    One that ends later than any given now could was given before the clock was set back: it is over too, or the
    work of a dead process would wait until the old time comes again.
    """
    return or_(leased_until.is_(None), leased_until <= now, leased_until > now + LONGEST_LEASE + CLOCK_SLACK)
