"""The keys by which the place of a finding is recognised again, and the version of the rules that make them.

Keys follow heuristics (which parameters are sessions, which names are sizes) that are improved all the time. So they
are stored beside their version, are recomputed when it rises, and never become part of an id.
"""

import hashlib
from dataclasses import dataclass

from guardian.urls.addresses import address_key, host_of
from guardian.urls.renditions import picture_key

KEY_VERSION = 1
"""Raise it with every change that gives any address another key; tests/urls/keys.csv notices such changes.

Rows with keys of an earlier version are brought forward when the database is opened (guardian/store/rekeying.py).
"""

LONGEST_KEY = 500
"""Characters. PostgreSQL indexes rows of at most 2,700 bytes, and two keys and an asset's id must fit in one."""


@dataclass(frozen=True, slots=True)
class PlaceKeys:
    """Where a picture was seen: two sightings of one asset with equal keys are one finding.

    Keys of different versions say nothing about each other.
    """

    page: str
    picture: str
    version: int


def place_keys(page_url: str, image_url: str) -> PlaceKeys:
    """Return the keys of a page and of the picture on it.

    A picture that was seen on no page has its own address as `page_url`. Renditions of one picture, the next signature
    of its address and the session ids of its page make no other keys.
    """
    # Files beside each other are files of their own, whatever their names.
    picture = picture_key(image_url) if host_of(image_url) else image_url
    # A picture without a page is used by its host, and a proxy is another host than the one it asks.
    page = _bounded(f"{host_of(image_url)} {picture}") if page_url == image_url else page_key(page_url)
    return PlaceKeys(page, _bounded(picture), KEY_VERSION)


def page_key(page_url: str) -> str:
    """Return the key of a page, which all pictures on it share."""
    return _bounded(address_key(page_url))


def _bounded(key: str) -> str:
    """Return the key, or its digest where it is longer than an index takes."""
    if len(key) <= LONGEST_KEY:
        return key
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
