"""What a list of addresses (a sitemap, a feed) names: pictures, and leads to pages and further lists."""

from dataclasses import dataclass

from guardian.model import CrawlRequest, Sighting, Skipped


@dataclass(frozen=True, slots=True)
class ListEntries:
    """`seen` are pictures that the list names itself; `leads` what it leads to."""

    seen: tuple[Sighting | Skipped, ...] = ()
    leads: tuple[CrawlRequest, ...] = ()
