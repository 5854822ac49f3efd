"""What an address last held leads to what was measured then, or to nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.model import MatchReport, Remembered, Response
from guardian.scan.image_cache import CachedImage, CachePolicy, confirm, recall, remember
from guardian.store import Store

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
URL, MOVED = "https://a.example/1.jpg", "https://cdn.example/1.jpg"
SHA256 = "5" * 64
HOUR = timedelta(hours=1)
REPORT = MatchReport("recipe", (), up_to_number=0, assets_searched=0, width=10, height=10)


def answer(*headers: tuple[str, str], url: str = URL, final_url: str = URL) -> Response:
    return Response(url, final_url, 200, headers, b"bytes", NOW)


def met(store: Store, response: Response, recipe: str = "recipe") -> None:
    with store.begin() as tx:
        remember(tx, response, SHA256)
        tx.candidates.remember(SHA256, recipe, REPORT, NOW)


def recalled(
    store: Store,
    url: str = URL,
    recipe: str = "recipe",
    after: timedelta = timedelta(minutes=5),
    asked_since: datetime | None = None,
) -> CachedImage | None:
    with store.read() as tx:
        return recall(tx, url, recipe, CachePolicy(NOW + after, HOUR, asked_since))


def test_a_picture_with_validators_is_recalled_with_its_report(store: Store) -> None:
    met(store, answer(("ETag", '"one"'), ("Last-Modified", "Tue, 24 Nov 2026 07:00:00 GMT")))
    known = recalled(store)
    assert known is not None
    assert (known.remembered.etag, known.remembered.sha256, known.report) == ('"one"', SHA256, REPORT)
    assert not known.is_fresh


def test_another_recipe_and_an_address_never_met_are_not(store: Store) -> None:
    met(store, answer(("etag", '"one"')))
    assert recalled(store, recipe="another") is None
    assert recalled(store, url=MOVED) is None


@pytest.mark.parametrize("headers", [(), (("cache-control", "no-store"), ("etag", '"one"')), (("etag", '"\u00fc"'),)])
def test_without_a_usable_validator_the_picture_is_needed_whole(
    store: Store, headers: tuple[tuple[str, str], ...]
) -> None:
    met(store, answer(*headers))
    assert recalled(store) is None


def test_a_server_that_says_unchanged_for_ever_is_asked_for_the_whole_picture_after_a_month(store: Store) -> None:
    met(store, answer(("etag", '"one"')))
    known = recalled(store)
    assert known is not None
    with store.begin() as tx:
        confirm(tx, known.remembered, replace(answer(), fetched_at=NOW + timedelta(days=29), not_modified=True))
    assert recalled(store, after=timedelta(days=29, hours=23)) is not None
    assert recalled(store, after=timedelta(days=30)) is None


def test_no_store_forgets_what_was_known_before(store: Store) -> None:
    met(store, answer(("etag", '"one"')))
    met(store, answer(("cache-control", "no-store")))
    assert recalled(store) is None


@pytest.mark.parametrize(
    ("max_age", "minutes", "is_fresh"),
    [(600, 5, True), (600, 10, False), (999_999, 59, True), (999_999, 60, False), (600, -1, False)],
)
def test_a_sites_word_is_taken_for_an_hour_at_most(store: Store, max_age: int, minutes: int, is_fresh: bool) -> None:
    met(store, answer(("etag", '"one"'), ("cache-control", f"max-age={max_age}")))
    known = recalled(store, after=timedelta(minutes=minutes))
    assert known is not None
    assert known.is_fresh is is_fresh


def test_a_picture_that_never_expires_by_a_slow_clock_is_remembered(store: Store) -> None:
    late = ("date", "Tue, 24 Nov 2026 07:59:00 GMT")
    met(store, answer(("etag", '"one"'), late, ("expires", "Fri, 31 Dec 9999 23:59:59 GMT")))
    known = recalled(store)
    assert known is not None
    assert known.is_fresh


def test_a_redirect_leads_to_the_validators_of_where_the_picture_lies(store: Store) -> None:
    met(store, answer(("etag", '"one"'), final_url=MOVED))
    known = recalled(store)
    assert known is not None
    assert (known.remembered.url, known.remembered.etag) == (MOVED, '"one"')
    with store.begin() as tx:
        # Another way led there since, and found other bytes.
        remember(tx, answer(("etag", '"two"'), url=MOVED, final_url=MOVED), "6" * 64)
    assert recalled(store) is None


def test_a_304_confirms_and_may_renew_the_tag(store: Store) -> None:
    met(store, answer(("etag", '"one"')))
    known = recalled(store)
    assert known is not None
    with store.begin() as tx:
        confirm(tx, known.remembered, replace(answer(("etag", '"two"')), status=304, fetched_at=NOW + HOUR))
    again = recalled(store, after=HOUR)
    assert again is not None
    assert (again.remembered.etag, again.remembered.checked_at) == ('"two"', NOW + HOUR)


@pytest.mark.parametrize("extract", [None, "no json", "[]", '{"links": []}', '{"picture": 1, "fresh_until": "x"}'])
def test_notes_of_other_readers_are_passed_over(store: Store, extract: str | None) -> None:
    with store.begin() as tx:
        tx.responses.remember(Remembered(URL, '"one"', None, SHA256, NOW, NOW, extract))
        tx.candidates.remember(SHA256, "recipe", REPORT, NOW)
    known = recalled(store)
    assert known is not None
    assert not known.is_fresh


@pytest.mark.parametrize(("began", "already"), [(timedelta(), True), (timedelta(minutes=1), False)])
def test_what_a_scan_asked_for_it_does_not_ask_for_again(store: Store, began: timedelta, already: bool) -> None:
    met(store, answer(("etag", '"one"')))
    met(store, answer(url=MOVED, final_url=MOVED))
    known = recalled(store, asked_since=NOW + began)
    assert known is not None
    assert known.asked_already is already
    # Without validators it is known within its scan and nowhere else.
    assert (recalled(store, url=MOVED, asked_since=NOW + began) is not None) is already


def test_what_came_with_an_error_or_in_part_holds_for_its_scan_alone(store: Store) -> None:
    fresh = (("ETag", '"one"'), ("Cache-Control", "max-age=3600"))
    for odd in (replace(answer(*fresh), status=404), replace(answer(*fresh), incomplete="cut off")):
        met(store, odd)
        assert recalled(store) is None
        again = recalled(store, asked_since=NOW)
        assert again is not None
        assert (again.status, again.incomplete) == (odd.status, odd.incomplete)


def test_another_sites_page_is_not_answered_for_this_ones(store: Store) -> None:
    def seen_from(origin: str | None) -> CachedImage | None:
        policy = CachePolicy(NOW + timedelta(minutes=5), HOUR, NOW, origin)
        with store.read() as tx:
            return recall(tx, URL, "recipe", policy)

    with store.begin() as tx:
        remember(tx, answer(("ETag", '"one"'), ("Cache-Control", "max-age=3600")), SHA256, "https://shop.example/")
        tx.candidates.remember(SHA256, "recipe", REPORT, NOW)
    own, other, none = (seen_from(one) for one in ("https://shop.example/", "https://blog.example/", None))
    assert own is not None
    assert other is not None
    assert none is not None
    assert [(one.is_fresh, one.asked_already) for one in (own, other, none)] == [
        (True, True),
        (False, False),
        (False, False),
    ]
