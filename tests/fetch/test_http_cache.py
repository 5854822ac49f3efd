"""How long sites want their answers to stand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.fetch.http_cache import fresh_for, may_be_remembered, to_remember
from guardian.model import Response

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def answer(*headers: tuple[str, str]) -> Response:
    return Response("http://a.example/", "http://a.example/", 200, headers, b"", NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0),
        ([("cache-control", "max-age=60")], 60),
        ([("Cache-Control", 'public, max-age="60"')], 60),
        ([("cache-control", "public"), ("cache-control", "MAX-AGE=60")], 60),
        ([("cache-control", "max-age=60"), ("age", "45")], 15),
        ([("cache-control", "max-age=60"), ("age", "90")], 0),
        ([("cache-control", "max-age=60, max-age=999")], 60),
        ([("cache-control", "max-age=60, no-cache")], 0),
        ([("cache-control", "max-age=60, no-store")], 0),
        ([("cache-control", "max-age=soon")], 0),
        ([("cache-control", "max-age=-5")], 0),
        ([("cache-control", "s-maxage=60")], 0),
        ([("cache-control", "max-age=99999999999999999999")], 2**31),
        ([("expires", "Tue, 24 Nov 2026 08:01:00 GMT")], 60),
        ([("expires", "Tue, 24 Nov 2026 08:01:00 GMT"), ("date", "Tue, 24 Nov 2026 08:00:30 GMT")], 30),
        ([("expires", "Tue, 24 Nov 2026 08:01:00 GMT"), ("cache-control", "max-age=5")], 5),
        ([("expires", "0")], 0),
        ([("expires", "Fri, 31 Dec 9999 23:59:59 GMT")], 2**31),
        ([("expires", "Fri, 31 Dec 9999 23:59:59 GMT"), ("date", "Mon, 01 Jan 0001 00:00:00 GMT")], 2**31),
        ([("expires", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT")], 0),
        ([("expires", "Tue, 24 Nov 2020 08:01:00 GMT")], 0),
        ([("last-modified", "Tue, 24 Nov 2020 08:01:00 GMT")], 0),
    ],
)
def test_an_answer_is_fresh_only_as_long_as_its_site_said(headers: list[tuple[str, str]], seconds: int) -> None:
    assert fresh_for(answer(*headers)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ([], True),
        ([("cache-control", "no-cache")], True),
        ([("cache-control", "private, no-store")], False),
        ([("vary", "accept")], True),
        ([("vary", "*")], False),
        ([("vary", "accept"), ("vary", "cookie, *")], False),
    ],
)
def test_what_sites_want_forgotten_is_forgotten(headers: list[tuple[str, str]], may: bool) -> None:
    assert may_be_remembered(answer(*headers)) is may


def test_validators_stand_where_the_answer_lies_and_a_pointer_where_it_was_asked_for() -> None:
    cache_status = answer(("etag", '"one"'), ("last-modified", "Tue, 24 Nov 2026 07:00:00 GMT\x9b"))
    [alone] = to_remember(cache_status, "a" * 64, {"note": 1}, {})
    assert (alone.etag, alone.last_modified, alone.extract) == ('"one"', None, '{"note": 1}')
    there, here = to_remember(
        replace(cache_status, final_url="http://a.example/moved"), "a" * 64, {"note": 1}, {"to": 2}
    )
    assert (there.url, there.etag, there.extract) == ("http://a.example/moved", '"one"', '{"note": 1}')
    assert (here.url, here.etag, here.extract) == ("http://a.example/", None, '{"to": 2}')


@pytest.mark.parametrize(
    ("modified", "date", "is_kept"),
    [
        ("Tue, 24 Nov 2026 07:59:59 GMT", "Tue, 24 Nov 2026 08:00:00 GMT", True),
        ("Tue, 24 Nov 2026 08:00:00 GMT", "Tue, 24 Nov 2026 08:00:00 GMT", False),
        ("Tue, 24 Nov 2026 08:00:05 GMT", "Tue, 24 Nov 2026 08:00:00 GMT", False),
        ("Tue, 24 Nov 2026 07:00:00 GMT", "no date", True),
        ("whenever", "Tue, 24 Nov 2026 08:00:00 GMT", True),
    ],
)
def test_what_changed_in_the_second_of_its_answer_is_not_asked_for_by_that_second(
    modified: str, date: str, is_kept: bool
) -> None:
    """It may change again within that second: a 304 would call the later change the same."""
    [remembered] = to_remember(answer(("last-modified", modified), ("date", date)), "a" * 64, {}, {})
    assert remembered.last_modified == (modified if is_kept else None)
