"""Tells which account of a platform an address belongs to, by a table of patterns that users extend. No I/O.

Who sells on a marketplace or posts on a network is an operator of their own; the platform only hosts them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from guardian.urls.addresses import canonical_url, domain_is_under, host_of, registrable_domain

ACCOUNT = "{account}"
"""What stands for the name of the account in a pattern."""

ANY_HOST = "*"

_NO_ACCOUNTS = {
    "about", "accounts", "account", "admin", "ads", "api", "app", "apps", "archive", "assets", "auth", "blog",
    "cart", "category", "categories", "channel", "channels", "checkout", "collections", "contact", "cookies",
    "create", "dashboard", "developers", "directory", "discover", "download", "edit", "events", "explore", "faq",
    "feed", "forgot", "forum", "gallery", "group", "groups", "hashtag", "help", "home", "i", "ideas", "images",
    "img", "index", "intent", "jobs", "join", "legal", "list", "listing", "live", "login", "logout", "market",
    "marketplace", "me", "media", "messages", "new", "news", "notifications", "offers", "p", "page", "pages",
    "password", "permalink.php", "photo", "photos", "pin", "pins", "plans", "policies", "policy", "post", "posts",
    "premium", "press", "pricing", "privacy", "product", "products", "profile", "profile.php", "profiles", "public",
    "reel", "reels", "register", "rss", "s", "search", "settings", "share", "sharer", "sharer.php", "shop", "shops",
    "sign_in", "sign_up", "signin", "signup", "static", "status", "store", "stories", "story", "support", "tag",
    "tags", "terms", "today", "topic", "topics", "tos", "trending", "tv", "upload", "user", "users", "video",
    "videos", "watch", "web", "wiki", "www",
}  # fmt: skip
"""Names that are no accounts of anybody: pages of the platforms themselves, and their single posts."""

_FILE = re.compile(r"\.(?:php|aspx?|jsp|html?|xml|txt|json|js|css|jpe?g|png|gif|webp|svg|ico|pdf)$")
_LANGUAGE = r"(?:/[a-z]{2}(?:[-_][a-z]{2})?)?"


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the accounts of a platform are.

    `host` is its domain, names below it included; `pinterest.*` is the name below any suffix, `*` any host. `patterns`
    say where the account stands: in the path ("/shop/{account}") or in the host ("{account}.etsy.com"). What they find
    is written as the first of them says. `no_accounts`: names that stand there and are none.
    """

    host: str
    patterns: tuple[str, ...]
    no_accounts: frozenset[str] = frozenset()


def _platforms(text: str) -> tuple[Platform, ...]:
    return tuple(
        Platform(host, tuple(patterns)) for host, *patterns in (line.split() for line in text.split("\n") if line)
    )


PLATFORMS = _platforms(
    """500px.com /p/{account}
alibaba.com {account}.en.alibaba.com
aliexpress.* /store/{account}
artstation.com /{account} {account}.artstation.com
behance.net /{account}
bsky.app /profile/{account}
carousell.* /u/{account}
depop.com /{account}
deviantart.com /{account} {account}.deviantart.com
displate.com /{account}
dribbble.com /{account}
ebay.* /usr/{account} /str/{account}
ebay.co.uk /usr/{account} /str/{account}
ebay.com.au /usr/{account} /str/{account}
etsy.com /shop/{account} {account}.etsy.com
facebook.com /{account}
fineartamerica.com /profiles/{account}
flickr.com /photos/{account} /people/{account}
github.com /{account}
instagram.com /{account}
ko-fi.com /{account}
linkedin.com /in/{account} /company/{account}
medium.com /@{account} {account}.medium.com
patreon.com /{account}
pinterest.* /{account}
pinterest.co.uk /{account}
pixabay.com /users/{account}
poshmark.com /closet/{account}
redbubble.com /people/{account} {account}.redbubble.com
reddit.com /user/{account} /u/{account} /r/{account}
saatchiart.com /{account}
shutterstock.com /g/{account}
society6.com /{account}
soundcloud.com /{account}
teepublic.com /user/{account}
threads.net /@{account}
tiktok.com /@{account}
tumblr.com /{account} {account}.tumblr.com
twitter.com /{account}
unsplash.com /@{account}
vinted.* /member/{account}
vk.com /{account}
x.com /{account}
youtube.com /@{account} /channel/{account} /c/{account} /user/{account}
zazzle.com /store/{account}
* /user/{account} /users/{account} /u/{account} /@{account} /~{account}
"""
)
"""The platforms that guardian knows; the last row is how many others write it."""

_BY_HOST = {platform.host: platform for platform in PLATFORMS}


def account_of(page_url: str, more: Sequence[Platform] = ()) -> str | None:
    """Return the account that a page belongs to, as "etsy.com/shop/name" in lower case; None for no known one.

    `more` are platforms that the user names; they come first.
    """
    address = canonical_url(page_url)
    host = host_of(address)
    if not host:
        return None

    path, domain = unquote(urlsplit(address).path), registrable_domain(host)
    named = (one for one in more if domain_is_under(host, one.host))
    known = (_BY_HOST[key] for key in (domain, f"{domain.partition('.')[0]}.*", ANY_HOST) if key in _BY_HOST)
    for platform in (*named, *known):
        for pattern in platform.patterns:
            found = _expression(pattern).match(host if _is_in_host(pattern) else path)
            name = found[1].lower() if found else ""
            if name and not _is_none(name, platform):
                return _written(domain, platform.patterns, pattern, name)
    return None


def _written(domain: str, patterns: Sequence[str], pattern: str, name: str) -> str:
    """Return an account as it is written whichever of a platform's patterns found it in the host."""
    in_path = next((one for one in patterns if not _is_in_host(one)), None)
    shown = in_path if _is_in_host(pattern) and in_path is not None else pattern
    text = shown.replace(ACCOUNT, name).lower()
    return text if _is_in_host(shown) else domain + text


def _is_in_host(pattern: str) -> bool:
    return not pattern.startswith("/")


def _is_none(name: str, platform: Platform) -> bool:
    return name in _NO_ACCOUNTS or name in platform.no_accounts or _FILE.search(name) is not None


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern, for a host or for the beginning of a path."""
    before, _, after = pattern.partition(ACCOUNT)
    if _is_in_host(pattern):
        return re.compile(rf"{re.escape(before)}([^./]+){re.escape(after)}$", re.IGNORECASE)
    # A language may stand before a fixed part of the path, but it might itself be taken for an account.
    language = _LANGUAGE if before.strip("/") else ""
    return re.compile(rf"{language}{re.escape(before)}([^/]+){re.escape(after)}(?:/|$)", re.IGNORECASE)
