"""Works out whether the licences cover a use: licensed, lapsed, not_yet, out_of_scope or none. Pure functions."""

from collections.abc import Sequence
from datetime import date

from guardian.model import Asset, Licence, LicenceStatus
from guardian.urls.addresses import host_is_under

__all__ = ["host_is_under", "licence_status", "status_of"]


def licence_status(asset: Asset, host: str, on: date, licences: Sequence[Licence]) -> LicenceStatus:
    """Return the status of a use of this asset on this host and day: the best that any licence gives.

    `out_of_scope`: the host has a licence, but for other images. Both dates of a licence are inclusive.
    """
    of_host = [licence for licence in licences if host_is_under(host, licence.host)]
    found = {status_of(licence, on) for licence in of_host if _covers(licence, asset)}
    # Several licences may cover the asset, an old one beside its renewal for instance.
    for best in (LicenceStatus.LICENSED, LicenceStatus.LAPSED, LicenceStatus.NOT_YET):
        if best in found:
            return best

    return LicenceStatus.OUT_OF_SCOPE if of_host else LicenceStatus.NONE


def _covers(licence: Licence, asset: Asset) -> bool:
    if licence.asset_id is not None:
        return licence.asset_id == asset.id
    return licence.collection == asset.collection


def status_of(licence: Licence, on: date) -> LicenceStatus:
    """Return the status of what a licence covers on this day: licensed, lapsed or not_yet."""
    if licence.valid_until is not None and on > licence.valid_until:
        return LicenceStatus.LAPSED
    if licence.valid_from is not None and on < licence.valid_from:
        return LicenceStatus.NOT_YET
    return LicenceStatus.LICENSED
