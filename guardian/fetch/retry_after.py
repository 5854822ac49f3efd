"""Reads the Retry-After header: how long a server wants to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_YEAR = timedelta(days=365)


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait (RFC 9110, 10.2.3: seconds, or a date), at most a year.

    None when it is missing or invalid; zero when its date has passed. The caller decides how much of it to grant.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Absurd numbers overflow timedelta; whatever is more than a year is a year.
        return min(timedelta(seconds=int(text[:12])), _YEAR)

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # Dates of HTTP are in GMT, also in the old form that does not say so.
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return min(max(date - now, timedelta(0)), _YEAR)
