"""`guardian check TARGET...`: compares images with the assets at once, and records nothing unless asked."""

import asyncio
import importlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, log_to_stderr, pass_session
from guardian.cli.progress import say, say_if_kernels_are_compiled, working
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, describe, describe_not_seen, exit_code, json_line, summary
from guardian.errors import IndexNotReady, UsageError
from guardian.model import Answer, NotSeen, ScanCounts
from guardian.views.answers import answer_json, not_seen_json
from guardian.views.counting import counted
from guardian.views.plain_text import printable

if TYPE_CHECKING:
    from guardian.fetch.web import WebClient
    from guardian.matching.workers import Workers
    from guardian.store import Store


@click.command
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line, also for what was left out.")
@click.option("--all", "every_match", is_flag=True, help="Also show assets that the rules ignore, and icons left out.")
@click.option("--record", "recorded", is_flag=True, help="Also record what addresses show, as a scan does.")
@pass_session
def command(session: Session, targets: tuple[str, ...], as_lines: bool, every_match: bool, recorded: bool) -> None:
    """Check images against your protected assets.

    TARGET is the address of an image or of a page (all its images), a file, or a folder. Nothing is
    recorded and nobody is told, unless you ask for it by --record: then cases are opened, evidence is
    kept, and messages are owed, which `guardian run` sends. A page that you name is fetched whatever its
    robots.txt says, as a person would. In folders, names that begin with a dot are passed over.

    The exit code is 1 when a copy or something to review was found, else 3 when not everything was seen: a
    picture or a part of a page could not be fetched, decoded or compared with everything, a target shows no
    picture, or nothing is protected. It is 0 only when all was seen and nothing found.
    """
    if not all(targets):
        raise UsageError("a TARGET is empty: is there a variable without a value?")

    if recorded:
        _refuse_without_place(targets)

    screen = Screen.of_output()
    output = _Output(screen, as_lines=as_lines, every_match=every_match)
    assets = asyncio.run(_check(session, targets, output.show, recorded=recorded))
    if not as_lines:
        echo(screen.wrapped(summary(output.counts, assets)))
        if recorded:
            ways_on = "`guardian case list` shows cases, `guardian run` sends messages"
            echo(screen.wrapped(f"recorded as a scan does: {ways_on}"))
    elif not assets:
        click.echo("guardian: nothing is protected yet, so nothing was compared", err=True)
    code = exit_code(output.counts)
    raise SystemExit(NOT_ALL_SEEN if code == 0 and not (output.saw_all and assets) else code)


class _Output:
    """Shows results as they come, and counts them. `saw_all`: nothing was left out that may hide a copy."""

    def __init__(self, screen: Screen, *, as_lines: bool, every_match: bool) -> None:
        self._screen, self._as_lines, self._every_match = screen, as_lines, every_match
        self.counts, self.saw_all = ScanCounts(), True

    def show(self, result: Answer | NotSeen, say: Callable[[str], None]) -> None:
        """Count a result, and show it by `say`, which prints a line."""
        if isinstance(result, Answer):
            self.counts += ScanCounts.of(result)
            if self._as_lines:
                say(json_line(answer_json(result, every_match=self._every_match)))
            else:
                say(describe(result, self._screen, every_match=self._every_match))
            return

        self.counts += ScanCounts.of(result.skipped)
        may_hide_a_copy = result.skipped.reason.may_hide_a_copy
        self.saw_all = self.saw_all and not may_hide_a_copy
        if self._as_lines:
            say(json_line(not_seen_json(result)))
        elif may_hide_a_copy or self._every_match:
            # Icons and drawings, of which each page has some, are named in the last line.
            say(describe_not_seen(result, self._screen))


def _refuse_without_place(targets: tuple[str, ...]) -> None:
    """Raise UsageError for the first target that is no address: a file has no place that could be recorded."""
    from guardian.urls.addresses import is_web_address

    for target in targets:
        if not is_web_address(target):
            raise UsageError(f"{printable(target)} has no place that could be recorded; --record takes addresses only")


def _note(store: "Store", targets: tuple[str, ...]) -> None:
    """Write to the audit log who has what these addresses show recorded."""
    with store.begin() as tx:
        for target in targets:
            tx.audit.add(this_user(), "check.recorded", None, datetime.now(UTC), {"address": target[:2_000]})


async def _say_what_is_forbidden(web: "WebClient", targets: tuple[str, ...], pictures: set[str]) -> None:
    """Print which of the fetched addresses robots.txt forbids to scans, since a person's request ignores it.

    `pictures` are the addresses of images that the target pages showed.
    """
    from guardian.urls.addresses import is_web_address

    for target in targets:
        if is_web_address(target) and await web.is_forbidden(target):
            note = "its robots.txt forbids this to scans; it was fetched because you asked"
            click.echo(f"guardian: {printable(target)}: {note}", err=True)

    shown = sorted(url for url in pictures.difference(targets) if is_web_address(url))
    verdicts = await asyncio.gather(*(web.is_forbidden(url) for url in shown))
    forbidden = [url for url, is_forbidden in zip(shown, verdicts, strict=True) if is_forbidden]
    if forbidden:
        note = f"robots.txt forbids {counted(len(forbidden), 'picture')} to scans; fetched because you asked"
        click.echo(f"guardian: {note}: {printable(forbidden[0])}{', ...' * (len(forbidden) > 1)}", err=True)


async def _check(
    session: Session,
    targets: tuple[str, ...],
    show: Callable[[Answer | NotSeen, Callable[[str], None]], None],
    *,
    recorded: bool,
) -> int:
    """Call `show` with each result as it comes, and what prints a line; return how many assets are protected."""
    workers, loading = await _load(session)
    from guardian.app import opened_app
    from guardian.scan.pipeline import check

    with working("checking") as progress:
        await loading
        warming = asyncio.create_task(workers.warm())
        async with opened_app(session.config, workers, only_asking=not recorded) as app:
            try:
                await warming
            except IndexNotReady as error:
                click.echo(f"guardian: {error}; it is made anew now", err=True)
                await app.catalog.repair()

            if recorded:
                _note(app.store, targets)
            pictures = set[str]()
            async for result in check(app.services, targets, recorded=recorded):
                show(result, partial(say, progress))
                # Without bytes (no cache status) nothing was fetched, so no robots.txt was ignored either.
                if isinstance(result, Answer) and result.cache_status is not None and result.sighting.image_url:
                    pictures.add(result.sighting.image_url)

            progress.stop()
            await _say_what_is_forbidden(app.services.web, targets, pictures)
            with app.store.read() as tx:
                return tx.assets.count()


async def _load(session: Session) -> "tuple[Workers, asyncio.Task[None]]":
    """Return the workers, and the task in which one of them loads its libraries.

    Meanwhile this process reads the configuration and loads its own: that halves the wait for the first answer.
    """
    from guardian.matching.kernel_folder import has_kernel_folder
    from guardian.matching.worker_pool import WorkerPool

    if not has_kernel_folder(os.environ):
        # Reading the configuration chooses another one, which the worker inherits.
        await asyncio.to_thread(lambda: session.config)
    say_if_kernels_are_compiled()
    pool = WorkerPool()
    loading = asyncio.create_task(pool.preload(load_matcher))
    await asyncio.to_thread(log_to_stderr, "warning", "text")
    config = await asyncio.to_thread(lambda: session.config)
    await asyncio.to_thread(importlib.import_module, "guardian.app")
    from guardian.matching.workers import Workers

    workers = Workers(config.matching, config.embedding, config.data_dir / "index", pool)
    if workers.without_descriptor is not None:
        click.echo(f"guardian: {workers.without_descriptor}", err=True)
    return workers, loading


def load_matcher() -> None:
    """Import what every match needs. A worker process runs this before it gets its first image."""
    importlib.import_module("guardian.matching.matcher")
    importlib.import_module("guardian.matching.kernels").load()
