"""Sites that never end are left, ordinary large sites are not."""

from datetime import date

import pytest

from guardian.crawl.traps import MAX_DATED, MAX_QUERIES, Traps

TODAY = date(2026, 11, 24)


def followed(urls: list[str]) -> int:
    traps = Traps(TODAY)
    return sum(traps.reason(url) is None for url in urls)


def test_ordinary_large_sites_are_followed() -> None:
    shop = [f"https://a.example/product/{number}" for number in range(20_000)]
    blog = [f"https://a.example/{year}/{month:02}/post" for year in range(2010, 2027) for month in range(1, 13)]
    pages = [f"https://a.example/list?page={number}" for number in range(MAX_QUERIES)]
    for urls in (shop, blog, pages):
        assert followed(urls) == len(urls)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a.example/calendar/2031/05/", "2031"),
        ("https://a.example/events?month=2199-01", "2199"),
        ("https://a.example/" + "x/y/z/" * 3 + "x/", "the same part"),
        ("https://a.example/" + "/".join(map(str, range(40))), "a path of more than"),
    ],
)
def test_one_address_that_tells(url: str, words: str) -> None:
    assert words in (Traps(TODAY).reason(url) or "")


def test_filters_in_every_combination_and_calendars_backwards_end() -> None:
    filters = [f"https://a.example/shop?colour={a}&size={b}" for a in range(40) for b in range(40)]
    assert followed(filters) == MAX_QUERIES
    days = [
        f"https://a.example/day/{y}-{m:02}-{d:02}"
        for y in range(1990, 2020)
        for m in range(1, 13)
        for d in range(1, 29)
    ]
    assert followed(days) == MAX_DATED
