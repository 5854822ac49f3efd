"""When a source is due. The daemon at work is in test_walkthrough."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.daemon import first_due, trigger_of
from guardian.sources.settings import PageSettings
from guardian.strict_yaml import duration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def page(**rhythm: object) -> PageSettings:
    return PageSettings.model_validate({"name": "one", "kind": "page", "url": "https://a.example/", **rhythm})


def test_a_source_never_scanned_is_due_at_once() -> None:
    assert first_due(trigger_of(page(every="1h")), None, NOW) == NOW


def test_a_source_is_due_an_interval_after_its_last_scan() -> None:
    trigger = trigger_of(page(every="1h"))
    assert first_due(trigger, NOW - timedelta(minutes=20), NOW) == NOW + timedelta(minutes=40)


def test_what_was_missed_while_the_daemon_was_down_is_due_at_once_and_once() -> None:
    assert first_due(trigger_of(page(every="1h")), NOW - timedelta(days=3), NOW) == NOW


def test_a_clock_turned_back_does_not_silence_a_source() -> None:
    assert first_due(trigger_of(page(every="1h")), NOW + timedelta(days=30), NOW) == NOW


def test_cron_lines_are_read_in_utc() -> None:
    trigger = trigger_of(page(cron="30 3 * * *"))
    due = first_due(trigger, NOW - timedelta(hours=1), NOW)
    assert due == datetime(2026, 11, 25, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0, 90])
def test_jitter_only_delays(seconds: int) -> None:
    settings = page(every="1h", jitter=f"{seconds}s")
    assert settings.jitter == duration(f"{seconds}s")
    trigger = trigger_of(settings)
    planned = [trigger.get_next_fire_time(NOW, NOW) for _ in range(40)]
    assert all(timedelta(hours=1) <= at - NOW <= timedelta(hours=1, seconds=seconds) for at in planned)
