"""`guardian run`: the daemon; `guardian run --once`: scans every source once, works off all due tasks, and ends."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, log_to_stderr, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import exit_code, summary
from guardian.model import Answer, Outcome, ScanCounts, ScanOutcome, Skipped, TaskKind, TaskState
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.config import LoggingSettings


@click.command
@click.option("--once", is_flag=True, help="Scan every source once, finish all due tasks, and end.")
@pass_session
def command(session: Session, once: bool) -> None:
    """Scan on schedule, tell your destinations, and serve health and metrics, until SIGTERM.

    SIGHUP rereads the configuration, logging too; a wrong one is logged and the old one stays in force. With --once the
    exit code is that of a scan: 1 when a copy or something to review was found, 3 when something could not
    be fetched or decoded, else 0.
    """
    from guardian import daemon
    from guardian.app import opened_store

    def set_up_logs(settings: "LoggingSettings") -> None:
        log_to_stderr(settings.level, settings.format)

    set_up_logs(session.config.logging)
    if not once:
        asyncio.run(daemon.run(session.config_path, set_up_logs))
        return

    counts = ScanCounts()

    def count(result: Answer | Skipped) -> None:
        nonlocal counts
        counts += ScanCounts.of(result)

    screen = Screen.of_output()
    scans = asyncio.run(daemon.run_once(session.config_path, count))
    for scan in scans:
        if scan.outcome is None:
            click.echo(f"{scan.source}: another process is scanning it")
            continue
        error = f" ({scan.error})" if scan.error else ""
        echo(screen.wrapped(f"{scan.source}: {scan.outcome}{error}", 2, first=""))
        # Images were counted as they came; a scan that failed counts as one thing that could not be fetched.
        counts += ScanCounts(pages=scan.counts.pages)
        if scan.outcome is not ScanOutcome.COMPLETED:
            counts += ScanCounts(outcomes=Counter([Outcome.ERROR]))

    with opened_store(session.config) as store, store.read() as tx:
        assets, tasks = tx.assets.count(), tx.tasks.counts(TaskKind.DELIVER)

    echo(screen.wrapped(summary(counts, assets)))
    if tasks[TaskState.DUE] or tasks[TaskState.DEAD]:
        waiting = f"{counted(tasks[TaskState.DUE], 'message')} not delivered yet, {tasks[TaskState.DEAD]} given up"
        echo(screen.wrapped(f"{waiting}: `guardian delivery list` says why"))

    raise SystemExit(exit_code(counts))
