"""Reads Retry-After: how long a server wants to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_YEAR_SECONDS = 365 * 86_400


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return what a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or a date), at most about a year.

    None when it says nothing sensible; nothing at all (zero) when its date is over. How much of a wish is granted is
    for the caller to decide.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Absurd numbers overflow timedelta; whatever is more than a year is a year.
        return timedelta(seconds=min(int(text[:12]), _YEAR_SECONDS))

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    # Dates of HTTP are in GMT, also in the old form that does not say so.
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(date - now, timedelta(0))
