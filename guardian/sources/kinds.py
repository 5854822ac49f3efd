"""The kinds of sources, listed by hand: settings in, source out."""

from collections.abc import AsyncIterator
from typing import Protocol

from guardian.model import Omission, Sighting
from guardian.sources.folder import FolderSource
from guardian.sources.listing import ListingSource
from guardian.sources.page import PageSource
from guardian.sources.settings import FolderSettings, ListingSettings, PageSettings, SourceSettings
from guardian.sources.visit import Visit


class Source(Protocol):
    """A place where pictures are seen."""

    def discover(self, visit: Visit) -> AsyncIterator[Sighting | Omission]:
        """One pass: every picture seen, and everything left out with its reason.

        Raises FetchRefused, FetchFailed or UsageError when the place itself cannot be read.
        """
        ...


def open_source(settings: SourceSettings) -> Source:
    """The source that these settings describe."""
    match settings:
        case PageSettings():
            return PageSource(settings)
        case ListingSettings():
            return ListingSource(settings)
        case FolderSettings():
            return FolderSource(settings)
