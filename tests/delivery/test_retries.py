"""When a message is tried again: quickly at first, about three days in all."""

import random
import statistics
from datetime import UTC, datetime, timedelta

from guardian.delivery.retries import retry_at
from guardian.delivery.settings import DeliverySettings
from guardian.errors import DeliveryFailed

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = DeliverySettings()
FAILED = DeliveryFailed("no")


def waits(seed: int) -> list[timedelta]:
    """All pauses of one message that is never accepted."""
    chance, pauses = random.Random(seed), []
    while due := retry_at(len(pauses) + 1, NOW, FAILED, SETTINGS, chance):
        pauses.append(due - NOW)
    return pauses


def test_a_message_is_tried_for_about_three_days() -> None:
    totals = [sum(waits(seed), timedelta()) / timedelta(days=1) for seed in range(300)]
    assert 2.7 < statistics.median(totals) < 3.7
    assert len(waits(1)) == SETTINGS.attempts - 1


def test_the_first_tries_come_quickly_and_no_two_messages_in_step() -> None:
    many = [waits(seed) for seed in range(200)]
    assert max(pauses[0] for pauses in many) <= timedelta(seconds=5)
    assert max(pauses[1] for pauses in many) <= timedelta(seconds=20)
    assert max(pause for pauses in many for pause in pauses) <= SETTINGS.longest_delay
    assert len({pauses[0] for pauses in many}) == 200


def test_a_permanent_failure_and_the_last_attempt_are_dead() -> None:
    chance = random.Random(0)
    assert retry_at(1, NOW, DeliveryFailed("gone", permanent=True), SETTINGS, chance) is None
    assert retry_at(SETTINGS.attempts - 1, NOW, FAILED, SETTINGS, chance) is not None
    assert retry_at(SETTINGS.attempts, NOW, FAILED, SETTINGS, chance) is None


def test_the_receivers_wish_is_a_lower_bound_with_a_cap() -> None:
    chance = random.Random(0)
    wish = DeliveryFailed("later", retry_after=timedelta(minutes=10))
    assert retry_at(1, NOW, wish, SETTINGS, chance) == NOW + timedelta(minutes=10)
    absurd = DeliveryFailed("later", retry_after=timedelta(days=300))
    assert retry_at(1, NOW, absurd, SETTINGS, chance) == NOW + SETTINGS.longest_delay


def test_very_many_attempts_do_not_overflow() -> None:
    settings = DeliverySettings(attempts=100)
    assert retry_at(99, NOW, FAILED, settings, random.Random(3)) <= NOW + settings.longest_delay
