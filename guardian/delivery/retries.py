"""Retry times of messages that were not accepted."""

import random
from datetime import datetime

from guardian.delivery.settings import DeliverySettings
from guardian.errors import DeliveryFailed

GROWTH = 4
"""How many times longer each pause may be than the one before: 14 attempts then span about three days."""


def retry_at(
    attempts: int, now: datetime, failure: DeliveryFailed, settings: DeliverySettings, chance: random.Random
) -> datetime | None:
    """Return when to try again after `attempts` failed tries (at least 1); None when the message is dead.

    Exponential back-off with full jitter: uniform between 0 and `first_delay` * 4^(attempts - 1), at most
    `longest_delay`. The receiver's Retry-After is a lower bound, itself capped by `longest_delay`.
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
