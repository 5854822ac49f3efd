"""When a message that was not accepted is tried again."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from guardian.delivery.settings import DeliverySettings
from guardian.errors import DeliveryFailed

GROWTH = 4


def retry_at(
    attempts: int, now: datetime, failure: DeliveryFailed, settings: DeliverySettings, chance: random.Random
) -> datetime | None:
    """When to try again after `attempts` failed tries (at least 1); None: never, the message is dead.

    Exponential with full jitter: uniform between 0 and `first_delay` * 4^(attempts - 1), at most
    `longest_delay`. A receiver's own wish is a lower bound, itself capped by `longest_delay`.
    """
    if failure.permanent or attempts >= settings.attempts:
        return None
    # The exponent is bounded because timedelta overflows long before the cap would be applied.
    growth: int = GROWTH ** min(attempts - 1, 12)
    ceiling = min(settings.longest_delay, settings.first_delay * growth)
    delay = ceiling * chance.random()
    if failure.retry_after is not None:
        delay = max(delay, min(failure.retry_after, settings.longest_delay))
    return now + delay


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header (RFC 9110, seconds or a date) asks for; None when it says nothing sensible."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Absurd numbers overflow timedelta; whatever is more than a year is a year.
        return timedelta(seconds=min(int(text[:12]), 365 * 86_400))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(date - now, timedelta(0))
