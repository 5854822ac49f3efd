"""Declares what belongs to one scan or check: its source, its start and its fetcher."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from guardian.crawl.context import CrawlContext
from guardian.fetch.credentials import read_credentials
from guardian.fetch.fetcher import Fetcher
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings

CHECK = "check"
"""The source of sightings that a person asked about; sources of the configuration have other names."""


@dataclass(frozen=True, slots=True)
class ScanContext:
    """One scan of one source, or one check. The fetcher carries the policy and credentials of its requests.

    An image that was requested since `started_at` is not requested again.
    """

    source: str
    started_at: datetime
    fetcher: Fetcher

    @property
    def asked_by_person(self) -> bool:
        """Whether a person waits for these answers, so that no cache may be used instead of the site."""
        return self.fetcher.asked_by_person


def context_of_scan(services: Services, settings: SourceSettings) -> ScanContext:
    """Return the context of a scan that begins now. Raises UsageError when the source's credentials cannot be read."""
    credentials = None
    if settings.credentials is not None:
        credentials = read_credentials(settings.credentials, services.environment)
    return ScanContext(settings.name, services.clock(), Fetcher.for_scan(services.web, credentials))


def context_of_check(services: Services) -> ScanContext:
    """Return the context of a check that begins now. Its few requests are a person's, so robots.txt does not apply."""
    return ScanContext(CHECK, services.clock(), Fetcher.for_person(services.web))


def context_of_place(
    services: Services, sources: Mapping[str, SourceSettings], source: str, started_at: datetime | None = None
) -> ScanContext:
    """Return the context of a visit, as a scan visits, to a place that a source once led to.

    It has the source's credentials while the source is configured (`sources`, by name). Raises as `context_of_scan`.
    """
    settings = sources.get(source)
    if settings is None:
        context = ScanContext(source, services.clock(), Fetcher.for_scan(services.web))
    else:
        context = context_of_scan(services, settings)
    return context if started_at is None else replace(context, started_at=started_at)


def context_of_person(services: Services, source: str, started_at: datetime) -> ScanContext:
    """Return the context of a visit to a source's place that a person waits for: made as `check` makes its own."""
    return ScanContext(source, started_at, Fetcher.for_person(services.web))


def crawl_context_of(services: Services, context: ScanContext) -> CrawlContext:
    """Return what the crawler works with in a scan or check."""
    return CrawlContext(context.fetcher, services.store, services.clock)
