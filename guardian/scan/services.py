"""Declares the opened objects and settings that all scans and checks of a process share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guardian.cases.rejudging import Judging
from guardian.evidence import Vault
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.model import Audience
from guardian.rules import Rules
from guardian.store import Store
from guardian.urls.accounts import Platform


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The settings that scans and checks need."""

    own_hosts: tuple[str, ...]
    """The owner's own sites, where a match is no copy."""

    audience: Audience
    """Who may be told of cases."""

    max_image_bytes: int
    """The largest local file that is read; `fetch` bounds remote ones."""

    longest_freshness: timedelta = timedelta()
    """How long a site's own statement counts that a picture need not be requested again, at most."""

    platforms: tuple[Platform, ...] = ()
    """Platforms, beside the usual ones, whose accounts are operators of their own."""


@dataclass(frozen=True, slots=True)
class Services:
    """The objects that were opened for one configuration.

    `memory` is None where nothing is to be remembered. `environment` has the secrets that sources name.
    """

    web: WebClient
    workers: Workers
    store: Store
    rules: Rules
    vault: Vault
    clock: Callable[[], datetime]
    settings: ScanSettings
    memory: Memory | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def judging(self) -> Judging:
        """What recorded uses are judged by."""
        settings = self.settings
        return Judging(self.rules, settings.own_hosts, settings.audience, settings.platforms)
