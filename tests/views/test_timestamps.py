"""One point in time, as each medium writes it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from guardian.views.timestamps import ago_text, json_timestamp, message_timestamp, minute_text, second_text

AT = datetime(2026, 11, 24, 12, 0, 5, 123987, tzinfo=UTC)


def test_each_medium_has_one_form() -> None:
    assert json_timestamp(AT) == "2026-11-24T12:00:05.123987+00:00"
    assert message_timestamp(AT) == "2026-11-24T12:00:05.123Z"
    assert minute_text(AT) == "2026-11-24 12:00Z"
    assert second_text(AT) == "2026-11-24 12:00:05Z"


def test_messages_are_in_utc_whatever_the_clock() -> None:
    assert message_timestamp(AT.astimezone(timezone(timedelta(hours=5)))) == "2026-11-24T12:00:05.123Z"


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ({"seconds": 0}, "now"),
        ({"seconds": 59}, "just now"),
        ({"seconds": -59}, "now"),
        ({"minutes": 1}, "1 minute ago"),
        ({"minutes": 59, "seconds": 59}, "59 minutes ago"),
        ({"hours": 1}, "1 hour ago"),
        ({"hours": 47}, "47 hours ago"),
        ({"days": 2}, "2 days ago"),
        ({"days": 60}, "2 months ago"),
        ({"days": 729}, "24 months ago"),
        ({"days": 730}, "2 years ago"),
        ({"hours": -3}, "in 3 hours"),
        ({"days": -30}, "in 30 days"),
    ],
)
def test_people_speak_of_a_time_as_seen_from_now(gone: dict[str, float], words: str) -> None:
    assert ago_text(AT - timedelta(**gone), AT) == words
