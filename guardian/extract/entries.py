"""What sitemaps and feeds name: pages with their images, and further sitemaps."""

from dataclasses import dataclass

from guardian.model import PageImage, Skipped


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One entry of a sitemap or feed. `page_url` is the page that it names, on which its `images` are shown."""

    page_url: str | None
    images: tuple[PageImage, ...] = ()


@dataclass(frozen=True, slots=True)
class ListEntries:
    """The entries of one sitemap or feed. `sitemaps` holds the URLs of further ones, `skipped` what was left out."""

    entries: tuple[ListEntry, ...] = ()
    sitemaps: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
