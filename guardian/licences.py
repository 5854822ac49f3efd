"""What the licences say about one use: licensed, lapsed, not_yet, out_of_scope, none. Pure."""

from collections.abc import Sequence
from datetime import date

from guardian.addresses import host_is_under
from guardian.model import Asset, Licence, Standing

__all__ = ["host_is_under", "standing", "standing_of"]


def standing(asset: Asset, host: str, on: date, licences: Sequence[Licence]) -> Standing:
    """The best that any licence of this host says about this asset on this day.

    `out_of_scope`: the host has a licence, but for other images. Both dates of a licence are inclusive.
    """
    of_host = [licence for licence in licences if host_is_under(host, licence.host)]
    found = {standing_of(licence, on) for licence in of_host if _covers(licence, asset)}
    for best in (Standing.LICENSED, Standing.LAPSED, Standing.NOT_YET):
        if best in found:
            return best
    return Standing.OUT_OF_SCOPE if of_host else Standing.NONE


def _covers(licence: Licence, asset: Asset) -> bool:
    if licence.asset_id is not None:
        return licence.asset_id == asset.id
    return licence.collection == asset.collection


def standing_of(licence: Licence, on: date) -> Standing:
    """What one licence says on a day about what it covers: licensed, lapsed or not_yet."""
    if licence.valid_until is not None and on > licence.valid_until:
        return Standing.LAPSED
    if licence.valid_from is not None and on < licence.valid_from:
        return Standing.NOT_YET
    return Standing.LICENSED
