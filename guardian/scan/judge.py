"""Applies licences and rules to the matches of a picture."""

from collections.abc import Sequence

from guardian.cases.judging import Judge, JudgedPlace
from guardian.model import JudgedMatch, MatchReport, Sighting
from guardian.rules import Rules, ownership_of
from guardian.store import Store


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

    place = JudgedPlace(sighting.page_url, sighting.image_url, sighting.source, sighting.seen_at.date())
    with store.read() as tx:
        return Judge(rules, own_hosts, tx.licences.for_host(place.host), tx.works.of_asset).judged(
            place, report.matches
        )


def is_own(sighting: Sighting, own_hosts: Sequence[str]) -> bool:
    """Return whether a picture was seen on one of the owner's own hosts."""
    return ownership_of(sighting.page_url, sighting.image_url, own_hosts) == "own"
