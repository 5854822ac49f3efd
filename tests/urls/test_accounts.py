"""The account of a platform that an address belongs to."""

import pytest

from guardian.urls.accounts import Platform, account_of


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://www.instagram.com/Alice.Art/", "instagram.com/alice.art"),
        ("https://www.instagram.com/alice/p/Cx1/", "instagram.com/alice"),
        ("https://www.instagram.com/p/Cx1/", None),
        ("https://www.instagram.com/explore/tags/x/", None),
        ("https://www.instagram.com/", None),
        ("https://www.etsy.com/de/shop/DuneArt?ref=x", "etsy.com/shop/duneart"),
        ("https://duneart.etsy.com/listing/1", "etsy.com/shop/duneart"),
        ("https://www.etsy.com/listing/1/dune", None),
        ("https://www.etsy.com/", None),
        ("https://alice.wordpress.com/2026/", None),
        ("https://www.pinterest.de/bob/dunes/", "pinterest.de/bob"),
        ("https://www.pinterest.de/pin/12/", None),
        ("https://www.facebook.com/permalink.php?id=1", None),
        ("https://www.ebay.co.uk/usr/seller-1", "ebay.co.uk/usr/seller-1"),
        ("https://old.reddit.com/r/Pics/comments/1", "reddit.com/r/pics"),
        ("https://m.youtube.com/@Dunes", "youtube.com/@dunes"),
        ("https://forum.example/user/alice/pictures", "forum.example/user/alice"),
        ("https://forum.example/users/bob", "forum.example/users/bob"),
        ("https://forum.example/users/sign_in", None),
        ("https://uni.example/~carol/x.html", "uni.example/~carol"),
        ("http://127.0.0.1:8000/user/dave", "127.0.0.1/user/dave"),
        ("https://shop.example/alice", None),
        ("https://notinstagram.com/alice", None),
        ("file:///user/alice", None),
    ],
)
def test_the_account_of_an_address_is_told(url: str, account: str | None) -> None:
    assert account_of(url) == account


def test_users_name_more_platforms() -> None:
    more = (
        Platform("art.example", ("/artist/{account}",), frozenset({"all"})),
        Platform("shops.example", ("{account}.shops.example",)),
    )
    assert account_of("https://art.example/artist/Ann/1", more) == "art.example/artist/ann"
    assert account_of("https://art.example/artist/all", more) is None
    assert account_of("https://ann.shops.example/", more) == "ann.shops.example"
    assert account_of("https://ann.shops.example/") is None
