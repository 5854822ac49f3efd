"""Applies licences and rules to the matches of a picture at one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from guardian import licences
from guardian.model import JudgedMatch, Licence, Match, Work
from guardian.rules import Rules, Use, ownership_of, strength
from guardian.urls.addresses import host_of


@dataclass(frozen=True, slots=True)
class JudgedPlace:
    """Where and when a picture was seen, as far as rules and licences ask."""

    page_url: str | None
    image_url: str | None
    source: str
    seen_on: date

    @property
    def address(self) -> str:
        """The address of the page, without one that of the picture; "" for a picture that has none."""
        return self.page_url or self.image_url or ""

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.address)


@dataclass(frozen=True, slots=True)
class Judge:
    """What matches are judged by: rules, the owner's own hosts, the licences, and which work an asset belongs to."""

    rules: Rules
    own_hosts: Sequence[str]
    licences: Sequence[Licence]
    work_of: Callable[[str], Work | None]

    def judged(self, place: JudgedPlace, matches: Sequence[Match]) -> tuple[JudgedMatch, ...]:
        """Return each matched work with its licence status and the decision of the rules, in the matches' order.

        A work is answered once, by the match with the strongest decision; of several such the most probable one.
        Assets that were withdrawn since they were compared are left out.
        """
        host = place.host
        ownership = ownership_of(place.page_url, place.image_url, self.own_hosts)
        found: dict[str, JudgedMatch] = {}
        for match in matches:
            work = self.work_of(match.asset_id)
            asset = next((one for one in work.protected if one.id == match.asset_id), None) if work else None
            if work is None or asset is None:
                continue

            standing = licences.standing_of(work, place.address, place.seen_on, self.licences)
            versions = tuple(one for one in work.protected if one is not asset)
            facts = (standing.status, ownership, host, place.source)
            uses = [Use(match.comparison, one, *facts) for one in (asset, *versions)]
            _, decision = self.rules.decide_versions(uses)
            judged = JudgedMatch(asset, match.comparison, standing.status, decision, versions, standing.licence_id)
            # Matches begin with the most probable one, and of equals `max` takes the first.
            found[work.id] = max(found.get(work.id, judged), judged, key=lambda one: strength(one.decision))
        return tuple(found.values())
