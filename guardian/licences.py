"""Works out whether the licences cover a use: licensed, lapsed, not_yet, out_of_scope or none. Pure functions."""

from collections.abc import Sequence
from datetime import date

from guardian.model import Licence, LicenceStatus, Standing, Work
from guardian.urls.addresses import host_is_under

__all__ = ["host_is_under", "licence_status", "standing_of", "status_of"]


def licence_status(work: Work, host: str, on: date, licences: Sequence[Licence]) -> LicenceStatus:
    """Return the status of a use of this work on this host and day; see `standing_of`."""
    return standing_of(work, host, on, licences).status


def standing_of(work: Work, host: str, on: date, licences: Sequence[Licence]) -> Standing:
    """Return the standing of a use of this work on this host and day: the best that any licence gives.

    A licence for any asset of the work, or for a collection that holds one, covers the use, also when that asset has
    been withdrawn since: what was granted is the picture, in whichever of its versions it is used.
    `out_of_scope`: the host has a licence, but for other images. Both dates of a licence are inclusive.
    """
    of_host = [licence for licence in licences if host_is_under(host, licence.host)]
    # Several licences may cover the work, an old one beside its renewal for instance. The one that ends last comes
    # first, so that the same licence is named as long as it holds.
    covering = sorted(
        (licence for licence in of_host if _covers(licence, work)),
        key=lambda licence: (licence.valid_until or date.max, licence.id),
        reverse=True,
    )
    for best in (LicenceStatus.LICENSED, LicenceStatus.LAPSED, LicenceStatus.NOT_YET):
        giving = next((licence for licence in covering if status_of(licence, on) is best), None)
        if giving is not None:
            return Standing(best, giving)

    return Standing(LicenceStatus.OUT_OF_SCOPE if of_host else LicenceStatus.NONE)


def _covers(licence: Licence, work: Work) -> bool:
    if licence.asset_id is not None:
        return any(asset.id == licence.asset_id for asset in work.assets)
    return any(asset.collection == licence.collection for asset in work.assets)


def status_of(licence: Licence, on: date) -> LicenceStatus:
    """Return the status of what a licence covers on this day: licensed, lapsed or not_yet."""
    if licence.valid_until is not None and on > licence.valid_until:
        return LicenceStatus.LAPSED
    if licence.valid_from is not None and on < licence.valid_from:
        return LicenceStatus.NOT_YET
    return LicenceStatus.LICENSED
