"""What a list of addresses (a sitemap, a feed) names: pictures, and leads to pages and further lists."""

from dataclasses import dataclass

from guardian.model import Lead, Omission, Sighting


@dataclass(frozen=True, slots=True)
class Listed:
    """`seen` are pictures that the list names itself; `leads` what it leads to."""

    seen: tuple[Sighting | Omission, ...] = ()
    leads: tuple[Lead, ...] = ()
