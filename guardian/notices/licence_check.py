"""What the recorded licences say of the places that a notice names.

A licence may be of a subdomain, or of a part of a site, so each place is asked about by its own host: what holds for
the operator as a whole says nothing of them.
"""

from collections.abc import Iterable
from datetime import date

from guardian.licences import standing_of
from guardian.model import Licence, LicenceStatus
from guardian.model.notices import Notice
from guardian.store import Transaction
from guardian.urls.addresses import host_in


def licences_at(tx: Transaction, places: Iterable[str]) -> list[Licence]:
    """Return the licences that speak about the hosts of some places (pages or hosts), each once."""
    hosts = sorted({host for place in places if (host := host_in(place))})
    return list({licence.id: licence for host in hosts for licence in tx.licences.for_host(host)}.values())


def licensed_places(tx: Transaction, notice: Notice, on: date) -> dict[str, str]:
    """Return the pages of a notice whose use is licensed on this day, each with the id of its licence."""
    licences = licences_at(tx, (place.address for place in notice.places if place.address is not None))
    found: dict[str, str] = {}
    for item in notice.items if licences else ():
        work = tx.works.of_asset(item.asset_id)
        for place in item.places:
            if work is None or place.address is None:
                continue
            standing = standing_of(work, place.address, on, licences)
            if standing.status is LicenceStatus.LICENSED and standing.licence_id is not None:
                found[place.address] = standing.licence_id
    return found
