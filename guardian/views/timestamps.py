"""Points in time as each medium writes them: one function for each."""

from datetime import UTC, datetime


def json_timestamp(at: datetime) -> str:
    """Return an aware UTC time as the command line's JSON and /coverage write it: 2026-11-24T12:00:00+00:00.

    Microseconds appear when there are any.
    """
    return at.isoformat()


def message_timestamp(at: datetime) -> str:
    """Return an aware time as messages write it, in UTC, cut to milliseconds: 2026-11-24T12:00:00.000Z."""
    # isoformat writes +00:00; receivers' parsers more often know Z.
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minute_text(at: datetime) -> str:
    """Return an aware UTC time for people: 2026-11-24 12:00Z."""
    return f"{at:%Y-%m-%d %H:%M}Z"


def second_text(at: datetime) -> str:
    """Return an aware UTC time for people where the order within a minute matters: 2026-11-24 12:00:00Z."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
