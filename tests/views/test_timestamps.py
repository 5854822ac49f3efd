"""One point in time, as each medium writes it."""

from datetime import UTC, datetime, timedelta, timezone

from guardian.views.timestamps import json_timestamp, message_timestamp, minute_text, second_text

AT = datetime(2026, 11, 24, 12, 0, 5, 123987, tzinfo=UTC)


def test_each_medium_has_one_form() -> None:
    assert json_timestamp(AT) == "2026-11-24T12:00:05.123987+00:00"
    assert message_timestamp(AT) == "2026-11-24T12:00:05.123Z"
    assert minute_text(AT) == "2026-11-24 12:00Z"
    assert second_text(AT) == "2026-11-24 12:00:05Z"


def test_messages_are_in_utc_whatever_the_clock() -> None:
    assert message_timestamp(AT.astimezone(timezone(timedelta(hours=5)))) == "2026-11-24T12:00:05.123Z"
