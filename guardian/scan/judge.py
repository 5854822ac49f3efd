"""Applies licences and rules to the matches of a picture."""

from collections.abc import Sequence

from guardian import licences
from guardian.model import JudgedMatch, MatchReport, Sighting
from guardian.rules import Rules, Use, ownership_of, strength
from guardian.store import Store
from guardian.urls.addresses import host_of


def judge(
    store: Store, rules: Rules, own_hosts: Sequence[str], sighting: Sighting, report: MatchReport
) -> tuple[JudgedMatch, ...]:
    """Return each matched work with its licence status and the decision of the rules, in the order of the report.

    A work is answered once, by the match with the strongest decision; of several such the most probable one. Assets
    that were withdrawn since they were compared are left out at once.
    """
    if not report.matches:
        # Nearly every picture of the web has no match: it costs no query.
        return ()

    place = sighting.page_url or sighting.image_url or ""
    host = host_of(place)
    ownership = ownership_of(sighting.page_url, sighting.image_url, own_hosts)
    judged: dict[str, JudgedMatch] = {}
    with store.read() as tx:
        granted = tx.licences.for_host(host)
        for match in report.matches:
            work = tx.works.of_asset(match.asset_id)
            asset = next((one for one in work.protected if one.id == match.asset_id), None) if work else None
            if work is None or asset is None:
                continue

            standing = licences.standing_of(work, place, sighting.seen_at.date(), granted)
            versions = tuple(one for one in work.protected if one is not asset)
            facts = (standing.status, ownership, host, sighting.source)
            _, decision = rules.decide_versions([Use(match.comparison, one, *facts) for one in (asset, *versions)])
            found = JudgedMatch(asset, match.comparison, standing.status, decision, versions, standing.licence_id)
            # The report begins with the most probable match, and of equals `max` takes the first.
            judged[work.id] = max(judged.get(work.id, found), found, key=lambda one: strength(one.decision))
    return tuple(judged.values())


def is_own(sighting: Sighting, own_hosts: Sequence[str]) -> bool:
    """Return whether a picture was seen on one of the owner's own hosts."""
    return ownership_of(sighting.page_url, sighting.image_url, own_hosts) == "own"
