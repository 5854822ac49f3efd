"""Who is behind an address."""

from collections.abc import Callable

import pytest

from guardian.cases import RecordedUse, operator, record
from guardian.model import Audience, TaskKind
from guardian.store import Store
from guardian.urls.accounts import Platform

Use = Callable[..., RecordedUse]


@pytest.mark.parametrize(
    ("page_url", "image_url", "expected"),
    [
        ("https://www.shop.example.co.uk/p", "https://cdn.other.example/i.jpg", "example.co.uk"),
        (None, "https://i.cdn.example/i.jpg", "cdn.example"),
        ("https://alice.github.io/", None, "alice.github.io"),
        ("http://203.0.113.9:8080/p", None, "203.0.113.9"),
        ("http://[2001:db8::1]:8080/p", None, "2001:db8::1"),
        ("http://0xcb.0.0x71.9/", None, "203.0.113.9"),
        ("http://localhost:8000/", None, "localhost"),
        ("file:///site/index.html", "https://cdn.example/i.jpg", "folder:src"),
        (None, "file:///a.jpg", "folder:src"),
        (None, None, "folder:src"),
    ],
)
def test_operator(page_url: str | None, image_url: str | None, expected: str) -> None:
    assert operator(page_url, image_url, "src") == expected


def test_accounts_of_a_platform_are_operators_of_their_own(store: Store, use: Use) -> None:
    with store.begin() as tx:
        for page in ("https://instagram.com/alice/1", "https://instagram.com/alice/2", "https://instagram.com/bob/1"):
            record(tx, use(page), Audience(("legal",)))
        record(
            tx,
            use("https://art.example/by/carol/1"),
            Audience(("legal",)),
            (Platform("art.example", ("/by/{account}",)),),
        )
        found = {case.operator: case.finding_count for case in tx.cases.list()}
    assert found == {"instagram.com/alice": 2, "instagram.com/bob": 1, "art.example/by/carol": 1}


def test_an_account_known_from_before_accounts_were_told_apart_stays_in_its_case(store: Store, use: Use) -> None:
    with store.begin() as tx:
        first = record(tx, use("https://shop.example/sellers/alice/1"), Audience(("legal",)))
        more = (Platform("shop.example", ("/sellers/{account}",)),)
        same = record(tx, use("https://shop.example/sellers/alice/2"), Audience(("legal",)), more)
        other = record(tx, use("https://shop.example/sellers/bob/1"), Audience(("legal",)), more)
        assert same.case_id == first.case_id != other.case_id
        assert len(tx.tasks.list(TaskKind.DELIVER)) == 2
