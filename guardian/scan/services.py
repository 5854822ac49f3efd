"""The opened rooms that an image walks through, handed on as one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guardian.evidence import Vault
from guardian.fetch.session import ScanSession
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.rules import Rules
from guardian.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The opened rooms that an image walks through.

    `recipe` names how fingerprints are made: what was matched under another recipe is matched again.
    `destinations` are the names that a case may be told to. `asked_by_person`: somebody waits for just these
    answers. `max_image_bytes` bounds local files as `fetch` bounds remote ones. `longest_freshness`: how long
    a site's word is taken that a picture need not be asked for again. `asked_since`: when the scan began; what it
    asked for it does not ask for again. `environment` holds the secrets that sources
    name.
    """

    web: WebClient | ScanSession
    workers: Workers
    store: Store
    rules: Rules
    vault: Vault
    recipe: str
    own_hosts: tuple[str, ...]
    destinations: tuple[str, ...]
    clock: Callable[[], datetime]
    max_image_bytes: int
    longest_freshness: timedelta = timedelta()
    asked_since: datetime | None = None
    asked_by_person: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
