"""Says which page a request names as the one that led to it (Referer), as browsers do (W3C Referrer Policy)."""

from contextlib import suppress

import httpx

from guardian.model import Referrer, ReferrerPolicy

_LONGEST = 4096
"""Bytes; of a longer address browsers name only the origin."""

_SENDS_ORIGIN_ACROSS = frozenset(
    [
        ReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
        ReferrerPolicy.ORIGIN_WHEN_CROSS_ORIGIN,
        ReferrerPolicy.ORIGIN,
        ReferrerPolicy.STRICT_ORIGIN,
    ]
)
_SENDS_WHOLE_ACROSS = frozenset([ReferrerPolicy.NO_REFERRER_WHEN_DOWNGRADE, ReferrerPolicy.UNSAFE_URL])
_SENDS_ONLY_ORIGIN = frozenset([ReferrerPolicy.ORIGIN, ReferrerPolicy.STRICT_ORIGIN])


def referer(referrer: Referrer | None, url: str) -> str | None:
    """Return the Referer header for a request of `url`; None when none is sent.

    It never has a fragment, a user name or a password, and is never sent from https to http, whatever the page allows.
    To be asked again at each redirect.
    """
    if referrer is None or referrer.policy is ReferrerPolicy.NO_REFERRER:
        return None
    page, target = _read(referrer.url), _read(url)
    if page is None or target is None or (page.scheme == "https" and target.scheme == "http"):
        return None

    whole, origin = str(page.copy_with(userinfo=b"", fragment=None)), _origin(page)
    sent: str | None
    if _origin(target) == origin:
        sent = origin if referrer.policy in _SENDS_ONLY_ORIGIN else whole
    elif referrer.policy in _SENDS_WHOLE_ACROSS:
        sent = whole
    else:
        sent = origin if referrer.policy in _SENDS_ORIGIN_ACROSS else None
    return origin if sent is not None and len(sent) > _LONGEST else sent


def referring_origin(referrer: Referrer | None, url: str) -> str | None:
    """Return the origin that the Referer header for a request of `url` names; None when none is sent.

    Sites that answer by the Referer look at its host alone.
    """
    sent = referer(referrer, url)
    return _origin(httpx.URL(sent)) if sent is not None else None


def _read(url: str) -> httpx.URL | None:
    """Return a web address in the ASCII form of the wire; None for anything else."""
    with suppress(httpx.InvalidURL, ValueError):
        read = httpx.URL(url.strip())
        return read if read.scheme in ("http", "https") and read.host else None
    return None


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}/"
