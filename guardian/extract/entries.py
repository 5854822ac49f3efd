"""What a list of addresses (a sitemap, a feed) names: pages with their images, and further lists."""

from dataclasses import dataclass

from guardian.model import PageImage, Skipped


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One entry of a list. `page_url` is the page that it names, where its `images` are shown."""

    page_url: str | None
    images: tuple[PageImage, ...] = ()


@dataclass(frozen=True, slots=True)
class ListEntries:
    """The entries of one list. `sitemaps` are the addresses of lists that it names, `skipped` what was left out."""

    entries: tuple[ListEntry, ...] = ()
    sitemaps: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
