"""Opens the services that a Config describes, in the order they need each other, and closes them again.

The one place where settings become opened objects; everything below gets those as arguments.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from guardian import rules
from guardian.cases.standing import Judging, Rejudged, judge_again, uses_in_waiting
from guardian.cases.telling import Audience, tell_digests, tell_of_changes, tell_of_licences
from guardian.config import Config
from guardian.coverage.coverage import coverages
from guardian.coverage.telling import tell_of_trouble
from guardian.delivery.channels.channel import Pictures, no_pictures
from guardian.delivery.delivery import Delivery
from guardian.delivery.secrets import Secrets
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, IndexNotReady, StoreUnusable
from guardian.evidence import Vault
from guardian.evidence.retention import delete_aged
from guardian.fetch.browser import Browser
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.throttle import InMemory, Take
from guardian.fetch.trusted import TrustedClient
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.shards import FOLDER as MEMORY_FOLDER
from guardian.model import Routing, Scan
from guardian.notices.telling import tell_of_deadlines
from guardian.notices.timeline import timeline_of
from guardian.processes import Heartbeat, registered, take_over_lost
from guardian.retention import prune_daily
from guardian.scan.context import context_of_scan
from guardian.scan.lookalikes import Archive
from guardian.scan.message_pictures import pictures_of
from guardian.scan.runs import Listener, scan_source
from guardian.scan.services import ScanSettings, Services
from guardian.sources.settings import SourceSettings
from guardian.store import Store, open_store
from guardian.urls.accounts import Platform

if TYPE_CHECKING:
    from guardian.catalog.catalog import Catalog
    from guardian.evidence.capturing import CaptureServices
    from guardian.evidence.exporting import Exporting
    from guardian.search.search import Search

CRAWLS_KEPT_FOR = timedelta(days=30)
"""A crawl that was cut off is gone on with for so long; after that its source is crawled from its start."""

CASES_AT_ONCE = 2_000
"""Of so many cases the words are kept at a time; after an upgrade the others follow the next times."""

_CASES_A_STEP = 100

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
        """The search over assets, made on each access."""
        from guardian.search.search import Search

        return Search(self.store, self.services.workers, self.config.data_dir)


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
    evidence = Vault(config.data_dir / "evidence", config.evidence.max_bytes)
    return Archive(store, evidence, Vault(config.data_dir / "originals", sys.maxsize), workers)


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
        settings = sources.get(source)
        return context_of_scan(services, settings).fetcher if settings is not None else Fetcher.for_scan(services.web)

    return CaptureServices(
        store=app.store,
        vault=services.vault,
        originals=Vault(config.data_dir / "originals", sys.maxsize),
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


def proofs_of(config: Config) -> Vault:
    """Return where the proofs of licences are kept."""
    return Vault(config.data_dir / "proofs", sys.maxsize)


def notice_copies_of(config: Config) -> Vault:
    """Return where copies of notices are kept as they were sent."""
    return Vault(config.data_dir / "notices", sys.maxsize)


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


@asynccontextmanager
async def opened_app(
    config: Config, workers: Workers | None = None, *, only_asking: bool = False
) -> AsyncIterator[App]:
    """Open all services and close them after the body. Needs a running event loop.

    `workers` are used, and closed, instead of new ones. `only_asking`: nothing is recorded, so that requests need not
    be counted where the database cannot be written. Raises ConfigError, StoreUnusable.
    """
    # First what can be wrong in the configuration: nothing has to be closed again when it is.
    checked = open_rules(config)
    workers = workers or make_workers(config)

    with opened_store(config) as store:
        async with WebClient(config.fetch, clock=utc_now, take=_counted_in(store, only_asking)) as web:
            services = Services(
                web=web,
                workers=workers,
                store=store,
                rules=checked,
                vault=Vault(config.data_dir / "evidence", config.evidence.max_bytes),
                clock=utc_now,
                settings=_scan_settings(config),
                memory=make_memory(config, store, workers),
                environment=os.environ,
            )

            try:
                yield App(config, store, services)
            finally:
                await workers.aclose()


def _scan_settings(config: Config) -> ScanSettings:
    """Return the settings that scans and checks need."""
    return ScanSettings(
        own_hosts=config.own_hosts,
        destinations=tuple(destination.name for destination in config.destinations),
        max_image_bytes=config.matching.max_bytes,
        longest_freshness=config.fetch.longest_freshness,
        platforms=platforms_of(config),
        routing=routing_of(config),
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


LABELLING_SECONDS = 60.0
"""For so long labels are made at once; what is left waits for the next call."""


@asynccontextmanager
async def at_work(app: App, command: str) -> AsyncIterator[Heartbeat]:
    """Register this process as running `command` among those that work on this database, while the body runs."""
    async with registered(app.store, app.config.data_dir, app.config.processes.lease, command) as heartbeat:
        yield heartbeat


async def prepare(app: App) -> None:
    """Take over from processes that were lost, forget what is no longer needed, and repair and tidy the index.

    What living processes work on is left alone. Raises GuardianError when the index cannot be repaired.
    """
    await take_over(app)
    await prune_old_rows(app)
    await keep_case_words(app)
    await judge_waiting_uses(app)
    await asyncio.to_thread(tell_of_ending_licences, app)
    await asyncio.to_thread(tell_of_notice_deadlines, app)
    forgotten = await asyncio.to_thread(_clear_abandoned_crawls, app)

    repaired = await app.catalog.repair()
    await app.catalog.erase_withdrawn()
    if forgotten or repaired:
        log.info("made_ready", addresses_forgotten=forgotten, assets_indexed_again=repaired)


def _clear_abandoned_crawls(app: App) -> int:
    """Forget crawls that nobody goes on with; return how many addresses they had left in the frontier."""
    watched = [source.name for source in app.config.sources]
    with app.store.begin() as tx:
        return tx.frontier.clear_abandoned(watched, app.services.clock() - CRAWLS_KEPT_FOR)


def judging_of(config: Config) -> Judging:
    """Return what recorded uses are judged by. Raises ConfigError for rules that cannot be read."""
    names = tuple(one.name for one in config.destinations)
    return Judging(open_rules(config), config.own_hosts, names, platforms_of(config), routing_of(config))


def routing_of(config: Config) -> Routing:
    """Return which destination wants which message, and how."""
    return Routing(tuple(one.subscription for one in config.destinations), config.delivery.flood_limit)


def tell_of_what_changed(app: App) -> None:
    """Queue messages about changes of cases and licences for the destinations that ask for them, and digests."""
    audience = _audience_of(app)
    with app.store.read() as tx:
        is_news, digests = tx.cases.has_untold(), tx.waiting.digests()
    while is_news:
        with app.store.begin() as tx:
            is_news = tell_of_changes(tx, audience) > 0
    if digests:
        with app.store.begin() as tx:
            tell_digests(tx, audience, app.services.clock())


def tell_of_ending_licences(app: App) -> None:
    """Queue a message about each licence that ends within 30 days or has ended, for the destinations that ask."""
    with app.store.begin() as tx:
        told = tell_of_licences(tx, _audience_of(app), app.services.clock())
    if told:
        log.info("told_of_ending_licences", messages=told)


def tell_of_notice_deadlines(app: App) -> None:
    """Queue a message about each day that counts after a notice, for the destinations that ask."""
    with app.store.begin() as tx:
        told = tell_of_deadlines(tx, _audience_of(app), app.services.clock())
    if told:
        log.info("told_of_notice_deadlines", messages=told)


def _audience_of(app: App) -> Audience:
    settings = app.services.settings
    return Audience(settings.destinations, settings.routing)


def platforms_of(config: Config) -> tuple[Platform, ...]:
    """Return the platforms that the configuration names."""
    return tuple(one.platform for one in config.platforms)


async def look_for_watched(app: App) -> None:
    """Have the watches among the named searches look at what was met since they last did, and tell of it."""
    with app.store.read() as tx:
        if not any(named.watch for named in tx.named_searches.list()):
            return
    from guardian.search.watching import look_for_watches, pictures_in

    if app.services.memory is not None:
        await asyncio.to_thread(app.services.memory.fold)
    settings = app.services.settings
    pictures, now = pictures_in(app.config.data_dir), app.services.clock()
    told = await look_for_watches(app.store, app.search, pictures, settings.destinations, settings.routing, now)
    if told:
        log.info("watches_told", pictures=told)


async def keep_labels(app: App, seconds: float = LABELLING_SECONDS) -> bool:
    """Label what has come in or changed, for some seconds at most; return whether it is to be tried again soon.

    What cannot be done now is logged, and done by a later call.
    """
    try:
        while await app.catalog.describe_some():
            pass
    except GuardianError as error:
        log.warning("captions_not_read", reason=str(error))
        return False
    return await label_new(app.config, app.store, app.services.workers, seconds)


async def label_new(config: Config, store: Store, workers: Workers, seconds: float = LABELLING_SECONDS) -> bool:
    """Do what `keep_labels` does, by the vocabulary alone."""
    path = config.labels
    try:
        # Of several processes on one database some may have no vocabulary: the others go on.
        if not path.exists():
            return False
        # Imported late: most installations have no vocabulary.
        from guardian.search.labelling import Labelling
        from guardian.search.vocabulary import read_unchanged

        vocabulary = read_unchanged(path, path.stat().st_mtime_ns, path.stat().st_size)
        return await Labelling(store, workers, config.data_dir, vocabulary).new(seconds)
    except (GuardianError, OSError) as error:
        log.warning("not_labelled", reason=str(error))
        return False


async def judge_waiting_uses(app: App) -> None:
    """Judge recorded uses again whose licence begins today, and those of which an earlier version noted no licence."""
    services = app.services
    settings = services.settings
    judging = Judging(services.rules, settings.own_hosts, settings.destinations, settings.platforms, settings.routing)

    def judge() -> Rejudged:
        with app.store.begin() as tx:
            return judge_again(tx, uses_in_waiting(tx), judging, services.clock())

    rejudged = await asyncio.to_thread(judge)
    if rejudged.uses:
        log.info("uses_judged_again", uses=rejudged.uses, cases_licensed=len(rejudged.licensed))


async def prune_old_rows(app: App) -> None:
    """Forget rows older than `retention` keeps them, once a day over all processes on this database."""
    recipe, now = app.services.workers.report_recipe, app.services.clock()
    pruned = await asyncio.to_thread(prune_daily, app.store, app.config.retention, recipe, now)
    if pruned is not None and pruned.total:
        log.info("pruned", rows=pruned.total)
    if pruned is not None:
        kept_for = app.config.evidence.retention
        await asyncio.to_thread(delete_aged, app.store, app.services.vault, kept_for, now)
    await prune_memory(app)


async def keep_case_words(app: App) -> None:
    """Bring the words by which cases are found up to date, of at most CASES_AT_ONCE that have changed."""

    def keep() -> None:
        with app.store.read() as tx:
            if tx.case_words.are_all_kept():
                return
        # In steps, so that no other writer waits for long.
        for _ in range(0, CASES_AT_ONCE, _CASES_A_STEP):
            with app.store.begin() as tx:
                if tx.case_words.keep(_CASES_A_STEP) < _CASES_A_STEP:
                    return

    await asyncio.to_thread(keep)


async def prune_memory(app: App) -> None:
    """Forget pictures that the memory has no room or time for; log a warning when that cannot be done now."""
    memory = app.services.memory
    if memory is None:
        return
    # Imported late: it loads the index, which a check leaves to its workers.
    from guardian.memory.pruning import prune

    try:
        forgotten = await asyncio.to_thread(prune, app.store, memory, app.services.clock())
    except IndexNotReady as error:
        lost = await asyncio.to_thread(memory.writer.repair)
        log.warning("memory_repaired", reason=str(error), pictures_without_fingerprint=lost)
    except OSError as error:
        log.warning("memory_not_pruned", reason=disk_error_text(error))
    else:
        if forgotten:
            log.info("memory_pruned", pictures=forgotten)


async def take_over(app: App) -> None:
    """Free the leases and scans that lost processes had claimed, so that others may go on with them."""
    taken = await asyncio.to_thread(take_over_lost, app.store, app.config.data_dir, app.services.clock())
    if taken.processes:
        log.info("took_over", processes=taken.processes, leases_freed=taken.leases, scans_cut_off=taken.scans)


async def scan_and_mend(
    app: App, heartbeat: Heartbeat, settings: SourceSettings, listener: Listener, latest_known: int | None = None
) -> Scan:
    """Scan a source as `scan_source` does; when the index turns out to be damaged, repair it and scan once more.

    Raises what `scan_source` raises, IndexNotReady only from the second try.
    """
    try:
        return await scan_source(app.services, heartbeat, settings, listener, latest_known)
    except IndexNotReady as error:
        log.warning("index_damaged", reason=str(error))
        await app.catalog.repair()
        # Without `latest_known`: the scan that failed just now is the latest.
        return await scan_source(app.services, heartbeat, settings, listener)


def tell_of_troubled_sources(app: App) -> None:
    """Queue a message about each source that fails, is silent or shrinks, for `coverage.deliver_to`."""
    config, now = app.config, app.services.clock()
    if not config.coverage.deliver_to:
        return

    # Read first: reading the scans of every source should hold up nobody who writes.
    with app.store.read() as tx:
        found = coverages(tx, config.sources, now, config.coverage, config.fetch.closed)
    if all(coverage.trouble is None for coverage in found):
        return

    with app.store.begin() as tx:
        if told := tell_of_trouble(tx, found, config.coverage.deliver_to, now):
            log.warning("sources_in_trouble", messages=told)
