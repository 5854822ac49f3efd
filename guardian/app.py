"""Opens the services that a Config describes, in the order they need each other, and closes them again.

The one place where settings become opened objects; everything below gets those as arguments.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from guardian import rules
from guardian.cases.rejudging import Judging
from guardian.config import Config
from guardian.delivery.channels.channel import Pictures, no_pictures
from guardian.delivery.delivery import Delivery
from guardian.delivery.secrets import Secrets
from guardian.errors import StoreUnusable
from guardian.evidence.vaults import evidence_in, originals_in
from guardian.fetch.browser import Browser
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.throttle import InMemory, Take
from guardian.fetch.trusted import TrustedClient
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Audience, Routing
from guardian.notices.timeline import timeline_of
from guardian.processes import Heartbeat, registered
from guardian.scan.context import context_of_place
from guardian.scan.lookalikes import Archive
from guardian.scan.message_pictures import pictures_of
from guardian.scan.services import ScanSettings, Services
from guardian.store import Store, open_store
from guardian.urls.accounts import Platform

if TYPE_CHECKING:
    from guardian.catalog.catalog import Catalog
    from guardian.evidence.capturing import CaptureServices
    from guardian.evidence.exporting import Exporting
    from guardian.search.search import Search

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """Everything that was opened for one configuration."""

    config: Config
    store: Store
    services: Services

    @property
    def catalog(self) -> "Catalog":
        """The catalogue, made on each access: most checks never need it."""
        return make_catalog(self.config, self.store, self.services.workers)

    @property
    def search(self) -> "Search":
        """The search over assets and remembered pictures, made on each access."""
        return make_search(self.config, self.store, self.services.workers)


@dataclass(frozen=True, slots=True)
class SearchServices:
    """What was opened for one configuration to search, compare and label pictures: no rules, since none is asked.

    `memory` is None where nothing is to be remembered.
    """

    config: Config
    store: Store
    workers: Workers
    web: WebClient
    memory: Memory | None

    @property
    def catalog(self) -> "Catalog":
        """The catalogue, made on each access."""
        return make_catalog(self.config, self.store, self.workers)

    @property
    def search(self) -> "Search":
        """The search over assets and remembered pictures, made on each access."""
        return make_search(self.config, self.store, self.workers)


def utc_now() -> datetime:
    """Return the current time in UTC. This is the clock that all services are given."""
    return datetime.now(UTC)


@contextmanager
def opened_store(config: Config) -> Iterator[Store]:
    """Open the database of this configuration, migrated to the newest schema. Raises StoreUnusable."""
    store = open_store(config.store, config.data_dir)
    try:
        yield store
    finally:
        store.close()


def open_rules(config: Config) -> rules.Rules:
    """Return the rule files, checked against the configured destinations. Raises ConfigError."""
    return rules.load(config.rules_dir, [destination.name for destination in config.destinations])


def make_workers(config: Config) -> Workers:
    """Return worker processes over this configuration's index; log a warning when its descriptor cannot be used."""
    workers = Workers(config.matching, config.embedding, config.data_dir / "index")
    if workers.without_descriptor is not None:
        log.warning("without_descriptor", reason=workers.without_descriptor)
    return workers


def archive_of(config: Config, store: Store, workers: Workers) -> Archive:
    """Return where the pictures of cases are looked for and compared. No worker is started before one is needed."""
    evidence = evidence_in(config.data_dir, config.evidence)
    return Archive(store, evidence, originals_in(config.data_dir), workers)


def exporting_of(config: Config, store: Store, workers: Workers, client: TrustedClient) -> "Exporting":
    """Return what the export of a bundle needs."""
    # Imported late: what signs and stamps takes its time to load, and most commands need neither.
    from guardian.evidence.exporting import Exporting

    archive = archive_of(config, store, workers)
    return Exporting(
        store=store,
        vault=archive.vault,
        originals=archive.originals,
        workers=workers,
        client=client,
        settings=config.evidence,
        data_dir=config.data_dir,
        time_line_of=timeline_of,
    )


def capture_services_of(app: App) -> "CaptureServices":
    """Return what captures need. Sources are visited with the credentials that their scans use."""
    # Imported late: most commands capture nothing.
    from guardian.evidence.capturing import CaptureServices

    config, services = app.config, app.services
    sources = {source.name: source for source in config.sources}

    def fetcher_of(source: str) -> Fetcher:
        return context_of_place(services, sources, source).fetcher

    return CaptureServices(
        store=app.store,
        vault=services.vault,
        originals=originals_in(config.data_dir),
        workers=services.workers,
        data_dir=config.data_dir,
        clock=services.clock,
        settings=config.evidence,
        fetcher_of=fetcher_of,
        rules=services.rules,
        own_hosts=services.settings.own_hosts,
        browser=Browser(config.evidence.browser, services.clock, config.fetch.networks),
        web=services.web,
    )


def make_memory(config: Config, store: Store, workers: Workers) -> Memory | None:
    """Return the memory of this configuration; None where nothing is to be remembered."""
    return opened_memory(config, store, workers) if config.memory.enabled else None


def opened_memory(config: Config, store: Store, workers: Workers) -> Memory:
    """Return the memory of this configuration, also where nothing more is to be remembered."""
    return Memory(store, config.data_dir / MEMORY_FOLDER, workers.small_recipe, config.memory)


def make_catalog(config: Config, store: Store, workers: Workers) -> "Catalog":
    """Return the catalogue of this configuration."""
    # Imported late: it loads the index and its compiled kernels, which a check leaves to its workers.
    from guardian.catalog.catalog import Catalog

    memory = make_memory(config, store, workers)
    return Catalog(store, workers, config.data_dir, config.catalog, utc_now, config.matching.max_bytes, memory)


def make_search(config: Config, store: Store, workers: Workers) -> "Search":
    """Return the search over assets and remembered pictures of this configuration."""
    # Imported late: most commands search nothing.
    from guardian.search.search import Search

    return Search(store, workers, config.data_dir)


@asynccontextmanager
async def opened_search(
    config: Config, workers: Workers | None = None, *, only_asking: bool = False
) -> AsyncIterator[SearchServices]:
    """Open what a search needs and close it after the body. Needs a running event loop.

    `workers` are used, and closed, instead of new ones. `only_asking`: nothing is recorded, so that requests need not
    be counted where the database cannot be written. Raises StoreUnusable.
    """
    workers = workers or make_workers(config)
    with opened_store(config) as store:
        async with WebClient(config.fetch, clock=utc_now, take=_counted_in(store, only_asking)) as web:
            try:
                yield SearchServices(config, store, workers, web, make_memory(config, store, workers))
            finally:
                await workers.aclose()


@asynccontextmanager
async def opened_app(
    config: Config, workers: Workers | None = None, *, only_asking: bool = False
) -> AsyncIterator[App]:
    """Open all services and close them after the body, as `opened_search` does. Raises ConfigError, StoreUnusable."""
    # First what can be wrong in the configuration: nothing has to be closed again when it is.
    checked = open_rules(config)

    async with opened_search(config, workers, only_asking=only_asking) as opened:
        services = Services(
            web=opened.web,
            workers=opened.workers,
            store=opened.store,
            rules=checked,
            vault=evidence_in(config.data_dir, config.evidence),
            clock=utc_now,
            settings=_scan_settings(config),
            memory=opened.memory,
            environment=os.environ,
        )
        yield App(config, opened.store, services)


def _scan_settings(config: Config) -> ScanSettings:
    """Return the settings that scans and checks need."""
    return ScanSettings(
        own_hosts=config.own_hosts,
        audience=audience_of(config),
        max_image_bytes=config.matching.max_bytes,
        longest_freshness=config.fetch.longest_freshness,
        platforms=platforms_of(config),
    )


def _counted_in(store: Store, only_asking: bool) -> Take:
    """Return a function that counts requests in the database, where restarts and other processes see them."""
    in_memory = InMemory()

    def count(host: str, day: date, number: int, most: int) -> int:
        with store.begin() as tx:
            return tx.requests.take(host, day, number, most)

    async def take(host: str, day: date, number: int, most: int) -> int:
        try:
            return await asyncio.to_thread(count, host, day, number, most)
        except StoreUnusable:
            if not only_asking:
                raise
            return await in_memory.take(host, day, number, most)

    return take


@asynccontextmanager
async def opened_delivery(config: Config, app: App | None = None) -> AsyncIterator[Delivery]:
    """Open the sender of messages. Only commands that send open it, so that no other command reads secrets.

    With an `app` mails and chats have pictures.
    """
    async with TrustedClient(config.delivery.ca_file) as client:
        pictures: Pictures = no_pictures
        if app is not None:
            pictures = partial(pictures_of, archive_of(config, app.store, app.services.workers))
        yield Delivery(config.destinations, config.delivery, client, Secrets(os.environ), utc_now, pictures)


@asynccontextmanager
async def at_work(app: App, command: str) -> AsyncIterator[Heartbeat]:
    """Register this process as running `command` among those that work on this database, while the body runs."""
    async with registered(app.store, app.config.data_dir, app.config.processes.lease, command) as heartbeat:
        yield heartbeat


def judging_of(config: Config) -> Judging:
    """Return what recorded uses are judged by. Raises ConfigError for rules that cannot be read."""
    return Judging(open_rules(config), config.own_hosts, audience_of(config), platforms_of(config))


def audience_of(config: Config) -> Audience:
    """Return all destinations, and which of them wants which message, and how."""
    names = tuple(one.name for one in config.destinations)
    return Audience(names, Routing(tuple(one.subscription for one in config.destinations), config.delivery.flood_limit))


def platforms_of(config: Config) -> tuple[Platform, ...]:
    """Return the platforms that the configuration names."""
    return tuple(one.platform for one in config.platforms)
