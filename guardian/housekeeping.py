"""Keeps database and data folder in order: takes over lost work, prunes, repairs, labels, tells of what is due.

The daemon does all of it regularly, `guardian scan` some of it before its scan. Everything here is safe to repeat.
"""

import asyncio
from datetime import timedelta

import structlog

from guardian.app import App
from guardian.cases.rejudging import Rejudged, judge_again, uses_in_waiting
from guardian.cases.updates import tell_digests, tell_of_changes, tell_of_licences
from guardian.config import Config
from guardian.coverage.alerts import tell_of_trouble
from guardian.coverage.coverage import coverages
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, IndexNotReady
from guardian.evidence.retention import delete_aged
from guardian.evidence.vaults import search_pictures_in
from guardian.matching.workers import Workers
from guardian.model import Scan
from guardian.notices.deadlines import tell_of_deadlines
from guardian.processes import Heartbeat, take_over_lost
from guardian.retention import prune_daily
from guardian.scan.runs import Listener, scan_source
from guardian.sources.settings import SourceSettings
from guardian.store import Store, Transaction
from guardian.store.leases import CLOCK_SLACK

CRAWLS_KEPT_FOR = timedelta(days=30)
"""How long an interrupted crawl can be continued; after that its source is crawled from the start."""

CASES_AT_ONCE = 2_000
"""How many cases are indexed for the text search in one call; after an upgrade the others follow in later calls."""

_CASES_A_STEP = 100

LONGEST_PAUSE = timedelta(days=3)
"""Before a task that failed is tried again; no kind of task but a delivery waits longer."""

LABELLING_SECONDS = 60.0
"""How long one call makes labels, in seconds; what is left waits for the next call."""

log = structlog.get_logger(__name__)


async def prepare(app: App) -> None:
    """Take over from processes that were lost, forget what is no longer needed, and repair and tidy the index.

    What living processes work on is left alone. Raises GuardianError when the index cannot be repaired.
    """
    await take_over(app)
    await asyncio.to_thread(_hurry_misdated_retries, app)
    await prune_old_rows(app)
    await index_case_words(app)
    await judge_due_uses(app)
    await asyncio.to_thread(tell_of_ending_licences, app)
    await asyncio.to_thread(tell_of_notice_deadlines, app)
    forgotten = await asyncio.to_thread(_clear_abandoned_crawls, app)

    repaired = await app.catalog.repair()
    await app.catalog.erase_withdrawn()
    if forgotten or repaired:
        log.info("made_ready", addresses_forgotten=forgotten, assets_indexed_again=repaired)


def _hurry_misdated_retries(app: App) -> None:
    """Have what failed while the clock was ahead tried at once: it waits for longer than any pause lasts."""
    longest = max(app.config.delivery.longest_delay, LONGEST_PAUSE) + CLOCK_SLACK
    with app.store.begin() as tx:
        hurried = tx.tasks.hurry_retries(app.services.clock(), longest)
    if hurried:
        log.warning("clock_was_ahead", retries_due_at_once=hurried)


def _clear_abandoned_crawls(app: App) -> int:
    """Forget crawls that nobody goes on with; return how many addresses they had left in the frontier."""
    watched = [source.name for source in app.config.sources]
    with app.store.begin() as tx:
        return tx.frontier.clear_abandoned(watched, app.services.clock() - CRAWLS_KEPT_FOR)


async def take_over(app: App) -> None:
    """Free the leases and scans that lost processes had claimed, so that others may go on with them."""
    taken = await asyncio.to_thread(take_over_lost, app.store, app.config.data_dir, app.services.clock())
    if taken.processes:
        log.info("took_over", processes=taken.processes, leases_freed=taken.leases, scans_cut_off=taken.scans)


async def scan_with_repair(
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


async def prune_old_rows(app: App) -> None:
    """Forget what is older than it is kept, once a day over all processes on this database."""
    recipe, now = app.services.workers.report_recipe, app.services.clock()
    pruned = await asyncio.to_thread(prune_daily, app.store, app.config.retention, recipe, now)
    if pruned is not None and pruned.total:
        log.info("pruned", rows=pruned.total)
    if pruned is not None:
        kept_for = app.config.evidence.retention
        await asyncio.to_thread(delete_aged, app.store, app.services.vault, kept_for, now)
    await prune_memory(app, by_age=pruned is not None)


async def prune_memory(app: App, *, by_age: bool = True) -> None:
    """Forget pictures that the memory has no room for, and with `by_age` those that it has kept for long enough.

    Logs a warning when that cannot be done now.
    """
    memory = app.services.memory
    if memory is None:
        return
    # Imported late: it loads the index, which a check leaves to its workers.
    from guardian.memory.pruning import prune

    now = app.services.clock() if by_age else None
    try:
        forgotten = await asyncio.to_thread(prune, app.store, memory, now)
    except IndexNotReady as error:
        lost = await asyncio.to_thread(memory.writer.repair)
        log.warning("memory_repaired", reason=str(error), pictures_without_fingerprint=lost)
    except OSError as error:
        log.warning("memory_not_pruned", reason=disk_error_text(error))
    else:
        if forgotten:
            log.info("memory_pruned", pictures=forgotten)


async def judge_due_uses(app: App) -> None:
    """Judge recorded uses again whose licence begins today, and those of which an earlier version noted no licence."""
    services = app.services

    def judge(tx: Transaction) -> Rejudged:
        return judge_again(tx, uses_in_waiting(tx), services.judging, services.clock())

    rejudged = await asyncio.to_thread(app.store.run, judge)
    if rejudged.uses:
        log.info("uses_judged_again", uses=rejudged.uses, cases_licensed=len(rejudged.licensed))


async def index_case_words(app: App) -> None:
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


async def keep_labels(app: App) -> bool:
    """Label what has come in or changed, for some seconds at most; return whether it is to be tried again soon.

    What cannot be done now is logged, and done by a later call.
    """
    try:
        while await app.catalog.describe_some():
            pass
    except GuardianError as error:
        log.warning("captions_not_read", reason=str(error))
    return await label_new(app.config, app.store, app.services.workers)


async def label_new(config: Config, store: Store, workers: Workers) -> bool:
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
        return await Labelling(store, workers, config.data_dir, vocabulary).label_new(LABELLING_SECONDS)
    except (GuardianError, OSError) as error:
        log.warning("not_labelled", reason=str(error))
        return False


async def run_watches(app: App) -> None:
    """Have the watches among the named searches look at what was met since they last did, and tell of it."""
    if not await asyncio.to_thread(_has_watches, app.store):
        return
    # Imported late: most installations have no watch.
    from guardian.search.watching import look_for_watches

    if app.services.memory is not None:
        await asyncio.to_thread(app.services.memory.write_waiting)
    pictures, now = search_pictures_in(app.config.data_dir), app.services.clock()
    told = await look_for_watches(app.store, app.search, pictures, app.services.settings.audience, now)
    if told:
        log.info("watches_told", pictures=told)


def _has_watches(store: Store) -> bool:
    with store.read() as tx:
        return any(named.watch for named in tx.named_searches.list())


def tell_of_what_changed(app: App) -> None:
    """Queue messages about changes of cases and licences for the destinations that ask for them, and digests."""
    audience = app.services.settings.audience
    with app.store.read() as tx:
        is_news, digests = tx.case_history.has_untold(), tx.waiting.digests()
    while is_news:
        with app.store.begin() as tx:
            is_news = tell_of_changes(tx, audience) > 0
    if digests:
        with app.store.begin() as tx:
            tell_digests(tx, audience, app.services.clock())


def tell_of_ending_licences(app: App) -> None:
    """Queue a message about each licence that ends within 30 days or has ended, for the destinations that ask."""
    with app.store.begin() as tx:
        told = tell_of_licences(tx, app.services.settings.audience, app.services.clock())
    if told:
        log.info("told_of_ending_licences", messages=told)


def tell_of_notice_deadlines(app: App) -> None:
    """Queue a message about each day that counts after a notice, for the destinations that ask."""
    with app.store.begin() as tx:
        told = tell_of_deadlines(tx, app.services.settings.audience, app.services.clock())
    if told:
        log.info("told_of_notice_deadlines", messages=told)


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
