"""Points in time as each medium writes them: one function for each."""

from datetime import UTC, datetime

from guardian.views.counting import counted


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


def page_timestamp(at: datetime) -> str:
    """Return an aware UTC time as the pages of the desk write it: 2026-11-24 12:00 UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def second_text(at: datetime) -> str:
    """Return an aware UTC time for people where the order within a minute matters: 2026-11-24 12:00:00Z."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# From so many seconds on a time is told in this unit: "47 hours ago" says more than "1 day ago".
_UNITS = (
    (2 * 365 * _DAY, 365 * _DAY, "year"),
    (60 * _DAY, 30 * _DAY, "month"),
    (2 * _DAY, _DAY, "day"),
    (_HOUR, _HOUR, "hour"),
    (_MINUTE, _MINUTE, "minute"),
)


def ago_text(at: datetime, now: datetime) -> str:
    """Return an aware time as seen from `now`, rounded down to one unit: "3 hours ago", "in 2 days", "just now"."""
    seconds = int((now - at).total_seconds())
    for least, unit, name in _UNITS:
        if abs(seconds) >= least:
            distance = counted(abs(seconds) // unit, name)
            return f"{distance} ago" if seconds > 0 else f"in {distance}"
    return "just now" if seconds > 0 else "now"
