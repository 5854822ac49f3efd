"""Works out whether the licences cover a use: licensed, lapsed, not_yet, out_of_scope or none. Pure functions."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from guardian.model import Licence, LicenceStatus, Standing, Work
from guardian.urls.accounts import account_of
from guardian.urls.addresses import host_in, host_is_under, registrable_domain

__all__ = ["days_left", "holds_at", "host_is_under", "licence_status", "speaks_about", "standing_of", "status_of"]


def speaks_about(licence: Licence, host: str) -> bool:
    """Return whether a licence is of this host, of a host above it or of one below it."""
    return host_is_under(host, licence.host) or host_is_under(licence.host, host)


def licence_status(work: Work, place: str, on: date, licences: Sequence[Licence]) -> LicenceStatus:
    """Return the status of a use of this work at this place and day; see `standing_of`."""
    return standing_of(work, place, on, licences).status


def standing_of(work: Work, place: str, on: date, licences: Sequence[Licence]) -> Standing:
    """Return the standing of a use of this work at this place and day: the best that any licence gives.

    `place` is the address of a page, or a host. A licence for any asset of the work, for a collection that holds one,
    or for a tag that one has, covers the use, also when that asset has been withdrawn since: what was granted is the
    picture, in whichever of its versions it is used. `out_of_scope`: the place has a licence, but for other images.
    Both dates of a licence are inclusive.
    """
    of_place = [licence for licence in licences if holds_at(licence, place)]
    # Several licences may cover the work, an old one beside its renewal for instance. The one that ends last comes
    # first, so that the same licence is named as long as it holds.
    covering = sorted(
        (licence for licence in of_place if _covers(licence, work)),
        key=lambda licence: (licence.valid_until or date.max, licence.id),
        reverse=True,
    )
    for best in (LicenceStatus.LICENSED, LicenceStatus.LAPSED, LicenceStatus.NOT_YET):
        giving = next((licence for licence in covering if status_of(licence, on) is best), None)
        if giving is not None:
            return Standing(best, giving)

    return Standing(LicenceStatus.OUT_OF_SCOPE if of_place else LicenceStatus.NONE)


def holds_at(licence: Licence, place: str) -> bool:
    """Return whether a licence speaks about a place: the address of a page, or a host.

    One for an account holds wherever the platform shows the account (etsy.com/shop/name and name.etsy.com); one for a
    part of a site holds for all addresses below that.
    """
    host = host_in(place)
    if licence.path is None or "/" not in place.partition("://")[2]:
        return licence.path is None and host_is_under(host, licence.host)
    if account_of(place) == registrable_domain(licence.host) + licence.path:
        return True
    below = urlsplit(place).path.lower()
    return host_is_under(host, licence.host) and f"{below}/".startswith(f"{licence.path.rstrip('/')}/")


def days_left(licence: Licence, on: date) -> int | None:
    """Return in how many days a licence that holds ends (0: on this day); None for one without end or not holding."""
    if licence.valid_until is None or status_of(licence, on) is not LicenceStatus.LICENSED:
        return None
    return (licence.valid_until - on).days


def _covers(licence: Licence, work: Work) -> bool:
    if licence.asset_id is not None:
        return any(asset.id == licence.asset_id for asset in work.assets)
    if licence.tag is not None:
        return any(licence.tag in asset.tags for asset in work.assets)
    return any(asset.collection == licence.collection for asset in work.assets)


def status_of(licence: Licence, on: date) -> LicenceStatus:
    """Return the status of what a licence covers on this day: licensed, lapsed or not_yet."""
    if licence.valid_until is not None and on > licence.valid_until:
        return LicenceStatus.LAPSED
    if licence.valid_from is not None and on < licence.valid_from:
        return LicenceStatus.NOT_YET
    return LicenceStatus.LICENSED
