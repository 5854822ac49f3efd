"""One scan or one check: what is its own, beside the services that all share."""

from dataclasses import dataclass
from datetime import datetime

from guardian.fetch.credentials import read_credentials
from guardian.fetch.fetcher import Fetcher
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings

CHECK = "check"
"""The source of sightings that a person asked about; sources of the configuration have other names."""


@dataclass(frozen=True, slots=True)
class ScanContext:
    """One scan of one source, or one check. The fetcher knows who asks, and with whose credentials.

    What was asked for since `started_at` is not asked for again.
    """

    source: str
    started_at: datetime
    fetcher: Fetcher

    @property
    def asked_by_person(self) -> bool:
        """Whether a person waits for these answers, so that memory must not stand in for the site."""
        return self.fetcher.asked_by_person


def context_of_scan(services: Services, settings: SourceSettings) -> ScanContext:
    """Return the context of a scan that begins now. Raises UsageError when the source's credentials cannot be read."""
    credentials = None
    if settings.credentials is not None:
        credentials = read_credentials(settings.credentials, services.environment)
    return ScanContext(settings.name, services.clock(), Fetcher.for_scan(services.web, credentials))


def context_of_check(services: Services) -> ScanContext:
    """Return the context of a check that begins now: a person asks, so robots.txt does not stop these few requests."""
    return ScanContext(CHECK, services.clock(), Fetcher.for_person(services.web))
