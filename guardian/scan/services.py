"""The opened objects and settings that scans and checks work with, opened once for a process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guardian.evidence import Vault
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.rules import Rules
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The settings that the walk of an image needs.

    `own_hosts` are the owner's own; what lies there is no copy. `destinations` are the names that a case may be
    told to. `max_image_bytes` bounds local files as `fetch` bounds remote ones. `longest_freshness`: how long a
    site's word is taken that a picture need not be asked for again.
    """

    own_hosts: tuple[str, ...]
    destinations: tuple[str, ...]
    max_image_bytes: int
    longest_freshness: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Services:
    """What was opened for one configuration. `environment` holds the secrets that sources name."""

    web: WebClient
    workers: Workers
    store: Store
    rules: Rules
    vault: Vault
    clock: Callable[[], datetime]
    settings: ScanSettings
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
