"""`guardian scan SOURCE`: one pass over one source; findings are recorded, messages wait for `guardian run`."""

import asyncio

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, describe, exit_code, summary
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Answer, Outcome, ScanCounts, Skipped, TaskKind
from guardian.views.counting import counted
from guardian.views.plain_text import printable


@click.command
@click.argument("source", metavar="SOURCE")
@pass_session
def command(session: Session, source: str) -> None:
    """Scan one configured source now, by its name.

    Findings and cases are recorded; their messages are sent by `guardian run`. Exit code 1 when a copy or
    something to review was found, 3 when no picture was seen, or one could not be fetched, decoded or
    compared with everything, else 0. What was left out: `guardian coverage`.
    """
    try:
        counts, assets, owed, captures = asyncio.run(_scan(session, source))
    except (FetchFailed, FetchRefused) as error:
        click.echo(f"guardian: {printable(str(error))}", err=True)
        raise SystemExit(NOT_ALL_SEEN) from None

    screen = Screen.of_output()
    echo(screen.wrapped(summary(counts, assets)))
    if owed:
        waiting = f"{counted(owed, 'message')} {'waits' if owed == 1 else 'wait'} to be sent"
        echo(screen.wrapped(f"{waiting}; `guardian run` sends {'it' if owed == 1 else 'them'}"))
    if captures:
        verb, them = ("waits", "it") if captures == 1 else ("wait", "them")
        echo(screen.wrapped(f"{counted(captures, 'capture')} {verb} to be taken as proof; `guardian run` takes {them}"))
    # A scan that saw nothing has not found that all is well.
    code = exit_code(counts)
    raise SystemExit(NOT_ALL_SEEN if code == 0 and not counts.images else code)


async def _scan(session: Session, source: str) -> tuple[ScanCounts, int, int, int]:
    """Scan a source; return its counts, the number of protected assets, and of messages and captures now due."""
    from guardian.app import at_work, opened_app
    from guardian.config import require_contact
    from guardian.housekeeping import keep_labels, prepare, scan_with_repair
    from guardian.sources.requests import source_named

    config = session.config
    chosen = source_named(config.sources, source)
    if chosen.asks_sites:
        require_contact(config, session.config_path)

    screen = Screen.of_output()

    def show(result: Answer | Skipped) -> None:
        if isinstance(result, Answer) and result.outcome is not Outcome.CLEAR:
            click.echo(describe(result, screen))

    async with opened_app(config) as app, at_work(app, f"guardian scan {source}") as heartbeat:
        await prepare(app)
        ended = await scan_with_repair(app, heartbeat, chosen, show)
        await keep_labels(app)
        with app.store.read() as tx:
            # The counts of the scan's row: a crawl that continued an interrupted one has counted both halves.
            now = app.services.clock()
            messages = tx.tasks.due_count(now, TaskKind.DELIVER)
            captures = tx.tasks.due_count(now, TaskKind.CAPTURE) if config.evidence.capture.when else 0
            return ended.counts, tx.assets.count(), messages, captures
