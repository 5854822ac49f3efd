"""The kinds of sources, listed by hand: settings in, source out."""

from collections.abc import AsyncIterator
from typing import Protocol

from guardian.crawl.context import CrawlContext, Seen
from guardian.sources.feed import FeedSource
from guardian.sources.folder import FolderSource
from guardian.sources.listing import ListingSource
from guardian.sources.page import PageSource
from guardian.sources.settings import (
    FeedSettings,
    FolderSettings,
    ListingSettings,
    PageSettings,
    SitemapSettings,
    SiteSettings,
    SourceSettings,
)
from guardian.sources.site import SiteSource
from guardian.sources.sitemap import SitemapSource


class Source(Protocol):
    """A place where pictures are seen."""

    def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Return an iterator over one scan: every picture seen, and everything left out with its reason.

        Raises FetchRefused, FetchFailed or UsageError when the place itself cannot be read.
        """
        ...


def open_source(settings: SourceSettings) -> Source:
    """Return the source that these settings describe."""
    match settings:
        case PageSettings():
            return PageSource(settings)
        case SiteSettings():
            return SiteSource(settings)
        case SitemapSettings():
            return SitemapSource(settings)
        case FeedSettings():
            return FeedSource(settings)
        case ListingSettings():
            return ListingSource(settings)
        case FolderSettings():
            return FolderSource(settings)
