"""What servers write into Retry-After, and what it means."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.fetch.retry_after import parse_retry_after

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        (" 0 ", timedelta(0)),
        ("99999999999999999999", timedelta(days=365)),
        ("Tue, 24 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Tue, 24 Nov 2026 14:05:00 +0200", timedelta(minutes=5)),
        ("Fri, 24 Nov 2028 12:00:00 GMT", timedelta(days=365)),
        ("Fri, 31 Dec 9999 23:59:59 -2300", timedelta(days=365)),
        ("Tuesday, 24-Nov-26 12:00:30 GMT", timedelta(seconds=30)),
        # The oldest of the three forms does not say GMT, and means it.
        ("Tue Nov 24 12:01:00 2026", timedelta(minutes=1)),
        ("Tue, 24 Nov 2026 12:01:00", timedelta(minutes=1)),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, wish: timedelta) -> None:
    assert parse_retry_after(header, NOON) == wish


@pytest.mark.parametrize(
    "header",
    [
        "-5",
        "1.5",
        "\u0663",
        "²",
        "soon",
        "",
        None,
        "Tue, 99 Nov 2026 12:01:00 GMT",
        "Tue, 24 Nov 99999999 12:01:00 GMT",
        "Tue, 24 Nov 99999999999999999999 12:01:00 GMT",
        "Tue, 24 Nov 2026 12:01:00 +99999999999999999999",
    ],
)
def test_what_makes_no_sense_is_no_wish(header: str | None) -> None:
    assert parse_retry_after(header, NOON) is None
