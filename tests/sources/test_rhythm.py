"""A source's rhythm in words, and its next time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guardian.sources.rhythm import next_time, rhythm_text

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PAGE = {"kind": "page", "url": "https://a.example/x"}


@pytest.mark.parametrize(
    ("values", "words", "following"),
    [
        ({"every": "6h"}, "every 6h", NOW + timedelta(hours=6)),
        ({"every": "90m", "jitter": "10m"}, "every 90m, up to 10m later", NOW + timedelta(minutes=90)),
        ({"cron": "0 3 * * 7"}, "at 03:00 on Sunday (UTC)", datetime(2026, 11, 29, 3, 0, tzinfo=UTC)),
        (
            {"cron": "0 3 * * 1-5", "timezone": "Europe/Berlin"},
            "at 03:00 on Monday through Friday (Europe/Berlin)",
            datetime(2026, 11, 25, 2, 0, tzinfo=UTC),
        ),
    ],
)
def test_a_rhythm_is_said_in_words_and_its_next_time_follows(
    values: dict[str, str], words: str, following: datetime, settings_of: Callable[..., Any]
) -> None:
    source = settings_of(**PAGE, **values)
    assert rhythm_text(source) == words
    assert next_time(source, NOW) == following
