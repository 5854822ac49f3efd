"""What may be set about sources, and what is refused in which words."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from guardian.sources.kinds import open_source

WEB = {"url": "https://a.example/x"}


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "page", **WEB}, {"kind": "site", **WEB}, {"kind": "sitemap", **WEB}, {"kind": "feed", **WEB},
        {"kind": "listing", "path": "x"}, {"kind": "folder", "path": "x"},
    ],
)  # fmt: skip
def test_every_kind_opens(values: dict[str, Any], settings_of: Callable[..., Any]) -> None:
    assert type(open_source(settings_of(**values))).__name__.lower() == values["kind"] + "source"


@pytest.mark.parametrize("url", ["HTTPS://Shop.example:8443/a%20b?c", "http://[::1]:80/", "http://💩.example/ü"])
def test_odd_but_legal_addresses_are_taken(url: str, settings_of: Callable[..., Any]) -> None:
    assert settings_of(kind="page", url=url).url == url


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "page", "url": "a.example/x"}, "write it whole"),
        ({"kind": "page", "url": "ftp://a.example/"}, "not a web address"),
        ({"kind": "page", "url": "https://a.example/my page"}, "browsers write it as %20"),
        ({"kind": "page", "url": "https://a.example:99999/"}, "its port is not a number from 1 to 65535"),
        ({"kind": "page", "url": "https://a.example:0/"}, "its port is not a number from 1 to 65535"),
        ({"kind": "page", "url": "http://[::1/"}, "not a web address"),
        ({"kind": "page", "url": "http://1.2.3.4.5/"}, "not a web address"),
        ({"kind": "page", **WEB, "every": "9000y"}, "1000y is the most"),
        ({"kind": "page", **WEB, "every": "0s"}, "more often than every second"),
        ({"kind": "page", **WEB, "cron": "* * *"}, "not five cron fields"),
        ({"kind": "page", **WEB, "cron": "99 * * * *"}, "the minute '99' is not understood"),
        ({"kind": "page", **WEB, "cron": "0 3 31 2 *"}, "'0 3 31 2 \\*' never fires"),
        ({"kind": "page", **WEB, "cron": "0 3 * * *", "timezone": "Berlin"}, "there is no time zone 'Berlin'"),
        ({"kind": "page", **WEB, "cron": "0 3 * * *", "timezone": "../etc"}, "there is no time zone"),
        ({"kind": "page", **WEB, "timezone": "Europe/Berlin"}, "`timezone` is that of `cron`"),
        ({"kind": "page", **WEB, "cron": "0 * * * *", "every": "1h"}, "keep one"),
        ({"kind": "page", **WEB, "depth": 9}, "less than or equal to 5"),
        ({"kind": "site", **WEB, "below": "x"}, "pattern"),
        ({"kind": "site", **WEB, "max_pages": 0}, "greater than or equal to 1"),
        ({"kind": "pages", **WEB}, "'page', 'site', 'sitemap', 'feed', 'listing', 'folder'"),
        ({"kind": "page", **WEB, "name": " x"}, "pattern"),
    ],
)
def test_mistakes_are_refused(values: dict[str, Any], words: str, settings_of: Callable[..., Any]) -> None:
    with pytest.raises(ValidationError, match=words):
        settings_of(**values)
