"""Applies licences and rules to the matches of a picture."""

from collections.abc import Sequence

from guardian import licences
from guardian.model import AssetState, JudgedMatch, MatchReport, Sighting
from guardian.rules import Rules, Use, ownership_of
from guardian.store import Store
from guardian.urls.addresses import host_of


def judge(
    store: Store, rules: Rules, own_hosts: Sequence[str], sighting: Sighting, report: MatchReport
) -> tuple[JudgedMatch, ...]:
    """Return each match with its licence status and the decision of the rules.

    Assets that were withdrawn since they were compared are left out at once.
    """
    if not report.matches:
        # Nearly every picture of the web has no match: it costs no query.
        return ()

    host = host_of(sighting.page_url or sighting.image_url or "")
    ownership = ownership_of(sighting.page_url, sighting.image_url, own_hosts)
    judged = []
    with store.read() as tx:
        granted = tx.licences.for_host(host)
        for match in report.matches:
            asset = tx.assets.get(match.asset_id)
            if asset is None or asset.state is not AssetState.PROTECTED:
                continue
            status = licences.licence_status(asset, host, sighting.seen_at.date(), granted)
            use = Use(match.comparison, asset, status, ownership, host, sighting.source)
            judged.append(JudgedMatch(asset, match.comparison, status, rules.decide(use)))
    return tuple(judged)


def is_own(sighting: Sighting, own_hosts: Sequence[str]) -> bool:
    """Return whether a picture was seen on one of the owner's own hosts."""
    return ownership_of(sighting.page_url, sighting.image_url, own_hosts) == "own"
