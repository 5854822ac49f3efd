"""Declares what belongs to one scan or check: its source, its start and its fetcher."""

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
