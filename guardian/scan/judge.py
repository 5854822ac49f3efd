"""Applies licences and rules to the matches of a picture."""

from collections.abc import Sequence

from guardian.cases.judging import Judge, JudgedPlace
from guardian.model import JudgedMatch, MatchReport, Sighting
from guardian.rules import Rules, is_at_own_host
from guardian.store import Store


def judge(
    store: Store, rules: Rules, own_hosts: Sequence[str], sighting: Sighting, report: MatchReport
) -> tuple[JudgedMatch, ...]:
    """Return each matched work with its licence status and the decision of the rules, in the order of the report.

    A work is answered once, by the match with the strongest decision; of several such the most probable one. Assets
    that were withdrawn since they were compared are left out at once.
    """
    if not report.matches:
        return ()

    place = JudgedPlace(sighting.page_url, sighting.image_url, sighting.source, sighting.seen_at.date())
    with store.read() as tx:
        licences = tx.licences.for_host(place.host)
        # Nearly every picture of the web matches a few works a little: they are read together.
        works = tx.works.of_assets(match.asset_id for match in report.matches)
    return Judge(rules, own_hosts, licences, works.get).judged(place, report.matches)


def is_own(sighting: Sighting, own_hosts: Sequence[str]) -> bool:
    """Return whether a picture was seen on one of the owner's own hosts."""
    return is_at_own_host(sighting.page_url, sighting.image_url, own_hosts)
