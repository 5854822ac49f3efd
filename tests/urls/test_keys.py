"""The keys of findings, as stored in every database: a change of any must be wanted, and raise KEY_VERSION."""

import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.urls.addresses import canonical_url
from guardian.urls.keys import KEY_VERSION, LONGEST_KEY, place_keys

with (Path(__file__).parent / "keys.csv").open(newline="", encoding="utf-8") as table:
    ROWS = list(csv.DictReader(table))

DIGESTS = {
    1: "87b351855d40edac67e83b7bd5210f57954d0264041226a20b965425092235a9",
}
"""Of keys.csv by KEY_VERSION. A row that changed needs a new version: append a line, and leave those above as they are.

Rows that were only added give the newest line another digest.
"""

PAGE, IMAGE = "https://blog.example/post", "https://cdn.example/u/cat.jpg"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['page_url']} {row['image_url']}"[:100])
def test_every_address_of_the_table_has_its_key(row: dict[str, str]) -> None:
    keys = place_keys(row["page_url"], row["image_url"])
    assert (keys.page, keys.picture) == (row["page_key"], row["picture_key"]), (
        "databases hold this key: if the change is wanted, raise KEY_VERSION, write the new key into keys.csv "
        "and append the digest of the table to DIGESTS"
    )


def test_a_changed_expectation_raises_the_version() -> None:
    lines = sorted("\n".join(row.values()) for row in ROWS)
    digest = hashlib.sha256("\n\n".join(lines).encode()).hexdigest()
    assert list(DIGESTS) == list(range(1, KEY_VERSION + 1))
    assert len(set(DIGESTS.values())) == len(DIGESTS)
    assert DIGESTS[KEY_VERSION] == digest, f"the table changed: see what DIGESTS says; its digest is now {digest}"


def test_the_table_holds_a_hundred_addresses_and_each_once() -> None:
    places = {(row["page_url"], row["image_url"]) for row in ROWS}
    assert len(places) == len(ROWS) >= 100


@pytest.mark.parametrize(
    ("page", "image"),
    [
        ("https://blog.example/post?PHPSESSID=44", "https://cdn.example/u/cat.jpg?Expires=2&Signature=b"),
        ("http://blog.example/post", "https://cdn.example/u/cat-300x200.jpg"),
    ],
)
def test_sessions_signatures_and_renditions_are_one_place(page: str, image: str) -> None:
    assert place_keys(page, image) == place_keys(PAGE, IMAGE)
    assert place_keys(page, "https://cdn.example/u/dog.jpg") != place_keys(PAGE, IMAGE)


def test_a_picture_without_a_page_is_named_like_one() -> None:
    first, second = f"{IMAGE}?Expires=1&Signature=a", f"{IMAGE}?Expires=2&Signature=b"
    assert place_keys(first, first) == place_keys(second, second)


def test_a_proxy_is_another_user_than_the_host_it_asks() -> None:
    proxied = f"https://proxy.example/fetch/{IMAGE}"
    assert place_keys(IMAGE, IMAGE) != place_keys(proxied, proxied)
    assert place_keys(PAGE, IMAGE) == place_keys(PAGE, proxied), "on one page they are one picture"


def test_files_beside_each_other_are_places_of_their_own() -> None:
    first, second = "file:///inbox/i.jpg", "file:///inbox/i-300x200.jpg"
    assert place_keys(first, first) != place_keys(second, second)


def test_long_addresses_that_differ_at_their_end_have_other_keys() -> None:
    one, other = (f"https://cdn.example/{'a' * 5_000}/{name}.jpg" for name in ("one", "other"))
    assert place_keys(PAGE, one) != place_keys(PAGE, other)


@given(st.text(max_size=100), st.text(max_size=800))
def test_any_text_has_keys_that_an_index_takes(page: str, image: str) -> None:
    keys = place_keys(f"https://a.example/{page}", f"https://b.example/{image}")
    assert max(len(keys.page), len(keys.picture)) <= LONGEST_KEY
    assert (keys.page + keys.picture).isascii(), "so that characters are bytes, and the same in every database"


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_addresses_that_are_stored_have_the_keys_of_those_that_were_seen(page: str, image: str) -> None:
    seen = f"http://a.example/{page}", f"http://b.example/{image}"
    assert place_keys(*(canonical_url(url) for url in seen)) == place_keys(*seen)
