"""Runs the daemon until it is told to stop, or every source and task once.

Each configuration is worked by for one WorkPeriod; SIGHUP begins the next period if the new configuration is good,
SIGTERM ends the last one within the grace period.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from guardian.app import App, at_work, open_rules, opened_app, opened_delivery
from guardian.config import Config, LoggingSettings, load_config, require_contact
from guardian.daemon.consumers import make_runner
from guardian.daemon.period import WorkPeriod
from guardian.daemon.signals import SignalRequests
from guardian.errors import ConfigError, GuardianError, SourceClaimed
from guardian.housekeeping import (
    index_case_words,
    keep_labels,
    prepare,
    run_watches,
    scan_with_repair,
    tell_of_troubled_sources,
    tell_of_what_changed,
)
from guardian.model import Scan
from guardian.processes import Heartbeat
from guardian.scan.runs import Listener
from guardian.sources.settings import SourceSettings
from guardian.store import Store

log = structlog.get_logger(__name__)


async def run(config_path: Path, set_up_logs: Callable[[LoggingSettings], None]) -> None:
    """Work until SIGTERM or SIGINT; reread the configuration at SIGHUP, keep the old one if the new cannot work.

    `set_up_logs` is called with the settings of each configuration before work begins under it. Raises GuardianError
    when the daemon cannot start.
    """
    config: Config | None = await _load_checked(config_path)
    # The latest configuration under which everything was opened and work began.
    proven: Config | None = None
    requests = SignalRequests()
    with requests.listening():
        while config is not None:
            set_up_logs(config.logging)
            try:
                async with (
                    opened_app(config) as app,
                    opened_delivery(config, app) as delivery,
                    at_work(app, "guardian run") as heartbeat,
                ):
                    if not await requests.finish_unless_stopped(prepare(app)):
                        return

                    async with WorkPeriod(app, delivery, heartbeat).working():
                        proven = config
                        config = await _next_config(config_path, proven, requests)
            except GuardianError as error:
                if proven is None or config is proven:
                    raise
                # Some mistakes show only when things are opened: an address that is taken, a database that is away.
                _log_refused(error)
                config = proven


async def run_once(config_path: Path, listener: Listener) -> list[Scan]:
    """Scan every source once, side by side, and finish all due tasks. A failing source never stops the others.

    Returns the latest scan of each source that was ever scanned. A source that another process is scanning is left
    to it; its running scan is among those returned. Raises GuardianError when nothing can be scanned at all.
    """
    config = await _load_checked(config_path)
    async with (
        opened_app(config) as app,
        opened_delivery(config, app) as delivery,
        at_work(app, "guardian run --once") as heartbeat,
    ):
        await prepare(app)
        slots = asyncio.Semaphore(config.schedule.scans_at_once)
        scans = await asyncio.gather(
            *(_scan_once(app, heartbeat, settings, slots, listener) for settings in config.sources)
        )
        await asyncio.to_thread(tell_of_troubled_sources, app)
        await asyncio.to_thread(tell_of_what_changed, app)
        await run_watches(app)
        await index_case_words(app)
        await keep_labels(app)

        # A pass bounds the time of each destination, so a long queue takes several passes.
        runner = make_runner(app, delivery, heartbeat)
        while any(counts.total() for counts in (await runner.run_due()).values()):
            pass
    return [scan for scan in scans if scan is not None]


async def _scan_once(
    app: App, heartbeat: Heartbeat, settings: SourceSettings, slots: asyncio.Semaphore, listener: Listener
) -> Scan | None:
    """Scan one source and return its latest scan, None if there is none. Supervises: no error ends the other scans."""
    async with slots:
        try:
            return await scan_with_repair(app, heartbeat, settings, listener)
        except SourceClaimed as error:
            log.info("scanned_elsewhere", source=settings.name, reason=str(error))
        except GuardianError as error:
            log.warning("scan_failed", source=settings.name, reason=str(error))
        except Exception:
            log.exception("scan_failed", source=settings.name)

        return await asyncio.to_thread(_last_scan, app.store, settings.name)


def _last_scan(store: Store, source: str) -> Scan | None:
    with store.read() as tx:
        return tx.scans.last(source)


async def _load_checked(config_path: Path) -> Config:
    """Return a configuration that a daemon can work by: it has a contact, valid rules, and every secret it names.

    Raises ConfigError.
    """
    config = load_config(config_path)
    require_contact(config, config_path)
    open_rules(config)
    async with opened_delivery(config) as delivery:
        delivery.require_secrets()
    return config


async def _next_config(config_path: Path, current: Config, requests: SignalRequests) -> Config | None:
    """Wait for a signal and return the new configuration; None ends the daemon. A wrong one is logged and ignored."""
    while True:
        await requests.received.wait()
        requests.received.clear()
        if requests.stop.is_set():
            return None

        try:
            config = await _load_checked(config_path)
            if config.data_dir != current.data_dir:
                raise ConfigError("data_dir has changed: that needs a restart", file=config_path)
        except GuardianError as error:
            _log_refused(error)
            continue
        log.info("reloaded", config=str(config_path))
        return config


def _log_refused(error: GuardianError) -> None:
    log.error("reload_refused", reason=str(error), now="going on with the configuration before")
