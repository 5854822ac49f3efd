"""The facts that conditions may name: one match at one address, as numbers and words by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Literal

from guardian.model import MEASURED_FACTS, Asset, Comparison, Finding, LicenceStatus, Work
from guardian.urls.addresses import host_is_under, host_of

Fact = float | str | tuple[str, ...] | None
"""A number, a word, several words (any may fit), or None: not measured."""

Ownership = Literal["own", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Use:
    """One match at one address. `place` is "own" on the owner's own hosts."""

    comparison: Comparison
    asset: Asset
    licence_status: LicenceStatus
    place: Ownership
    host: str
    source: str


def ownership_of(page_url: str | None, image_url: str | None, own_hosts: Iterable[str]) -> Ownership:
    """Return "own" when the page or the picture lies on one of the owner's own hosts, "elsewhere" otherwise."""
    return "own" if is_at_own_host(page_url, image_url, own_hosts) else "elsewhere"


def is_at_own_host(page_url: str | None, image_url: str | None, own_hosts: Iterable[str]) -> bool:
    """Return whether the page or the picture lies on one of the owner's own hosts."""
    hosts = [host_of(url) for url in (page_url, image_url) if url]
    return any(host_is_under(host, own) for host in hosts for own in own_hosts)


def uses_of(finding: Finding, work: Work, licence: LicenceStatus, own_hosts: Iterable[str]) -> list[Use]:
    """Return what was found as a use of each version of a work, under a licence status.

    The matched asset comes first, also when it was withdrawn since.
    """
    place = ownership_of(finding.page_url, finding.image_url, own_hosts)
    host = host_of(finding.page_url)
    matched = [asset for asset in work.assets if asset.id == finding.asset_id]
    others = [asset for asset in work.protected if asset.id != finding.asset_id]
    return [Use(finding.comparison, one, licence, place, host, finding.source) for one in (*matched, *others)]


def facts_of(use: Use) -> dict[str, Fact]:
    """Return the facts of a use under the names that rule files use."""
    comparison, transform = use.comparison, use.comparison.transform
    return {
        **comparison.measured,
        "scale": transform.scale if transform else None,
        "mirrored": None if transform is None else ("yes" if transform.mirrored else "no"),
        "licence": use.licence_status.value,
        "collection": use.asset.collection,
        "asset_tag": use.asset.tags,
        "label": use.asset.terms,
        "sibling": "no" if use.asset.shoot is None else "yes",
        "host": use.host,
        "place": use.place,
        "source": use.source,
    }


RANGES = {fact.name: (fact.least, fact.greatest) for fact in MEASURED_FACTS} | {"scale": (0, inf)}
"""The numeric facts, and the least and greatest value of each. The scale is that of the transform."""

WORDS = ("mirrored", "licence", "collection", "asset_tag", "label", "sibling", "host", "place", "source")
CLOSED_WORDS = {
    "mirrored": ("yes", "no"),
    "sibling": ("yes", "no"),
    "licence": tuple(licence_status.value for licence_status in LicenceStatus),
    "place": ("own", "elsewhere"),
}
"""Facts that take no other words than these; another word in a rule file is an error."""
