"""`guardian source`: list sources, and try what one would yield."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Sighting, Skipped, label_of
from guardian.views.counting import counted
from guardian.views.scans import outcome_text, result_text
from guardian.views.sources import ListedSource, listed_source_json, sighting_json, skipped_json

if TYPE_CHECKING:
    from guardian.sources.settings import SourceSettings

SHOWN_ADDRESSES = 5
SHOWN_LETTERS = 120


@click.group
def command() -> None:
    """The places that are watched."""


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each source.")
@pass_session
def list_sources(session: Session, as_lines: bool) -> None:
    """List the configured sources: when each is scanned, its last scan and its next one."""
    from guardian.sources.overview import listed_source

    config = session.config
    screen = Screen.of_output()
    with opened_store(session) as store, store.read() as tx:
        is_watching = any(process.command == "guardian run" for process in tx.processes.living())
        listed = [listed_source(tx, source, screen.now, is_watching=is_watching) for source in config.sources]

    if as_lines:
        echo(json_line(listed_source_json(source)) for source in listed)
        return

    columns = (Column("SOURCE", Cut.END), Column("KIND"), Column("LAST SCAN"), Column("NEXT SCAN"))
    echo(screen.table(columns, [_row(source, screen) for source in listed]))
    if not listed:
        click.echo(f"no sources in {session.config_path}; each needs a name, a kind and an address")
    elif not is_watching:
        click.echo("guardian: no `guardian run` works on this database: nothing is scanned until it does", err=True)


def _row(source: ListedSource, screen: Screen) -> Row:
    last, result, following = "never scanned", "", screen.moment(source.next_at) if source.next_at else "never"
    if source.last is not None:
        last = f"{outcome_text(source.last)} {screen.moment(source.last.started_at)}"
        result = result_text(source.last)
    if source.last is not None and source.last.outcome is None:
        last = f"running, begun {screen.moment(source.last.started_at)}"
        result = ""

    # What the last whole scan saw is what counts while another one runs, or after one that failed.
    whole = source.last_complete
    if whole is not None and whole != source.last:
        seen = f"last complete {screen.moment(whole.started_at)}: {result_text(whole)}"
        result = f"{result}; {seen}" if result else seen
    return Row([source.name, source.kind, last, following], [source.rhythm, result], source.address)


@command.command("try")
@click.argument("target", metavar="NAME|URL")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.option("--pages", type=click.IntRange(1), default=5, show_default=True, help="Of a crawl, only so many pages.")
@pass_session
def try_source(session: Session, target: str, as_lines: bool, pages: int) -> None:
    """Show what one source or page would yield, and why each thing is left out. Stores and matches nothing."""
    from guardian.config import require_contact
    from guardian.errors import UsageError
    from guardian.sources.requests import find_source
    from guardian.sources.settings import PageSettings
    from guardian.sources.trial import shortened
    from guardian.urls.addresses import is_web_address
    from guardian.urls.guessing import likely_web_address

    config = session.config
    chosen = find_source(config.sources, target)
    if chosen is None and is_web_address(target):
        chosen = PageSettings(name="try", kind="page", url=target)
    if chosen is None:
        known = ", ".join(source.name for source in config.sources) or "none"
        meant = likely_web_address(target)
        advice = f"; for the site write {meant}" if meant else ""
        raise UsageError(f"{target!r} is neither a source nor a web address; sources are: {known}{advice}")
    if chosen.asks_sites:
        require_contact(config, session.config_path)
    show = _Lines() if not as_lines else _Json()
    try:
        asyncio.run(_try(session, shortened(chosen, pages), show.add))
    except (FetchFailed, FetchRefused) as error:
        # The source itself cannot be read: that too is something left out, and why.
        show.add(error.skipped)
        show.end()
        raise SystemExit(NOT_ALL_SEEN) from None

    show.end()


async def _try(session: Session, settings: "SourceSettings", show: Callable[[Sighting | Skipped], None]) -> None:
    """Call `show` with everything that the source yields or leaves out."""
    import os

    from guardian.app import utc_now
    from guardian.fetch.web import WebClient
    from guardian.sources.trial import tried

    async with WebClient(session.config.fetch, clock=utc_now) as web:
        async for item in tried(settings, web, os.environ, utc_now):
            show(item)


class _Json:
    """Prints one JSON object a line."""

    def add(self, item: Sighting | Skipped) -> None:
        """Print the object of an item."""
        click.echo(json_line(skipped_json(item) if isinstance(item, Skipped) else sighting_json(item)))

    def end(self) -> None:
        """Do nothing: every item has been printed."""


class _Lines:
    """Prints for people: pictures under their pages as they come, then what was left out, by reason."""

    def __init__(self) -> None:
        self._screen = Screen.of_output()
        self._page: str | None = None
        self._pictures = 0
        self._left_out: dict[str, list[Skipped]] = {}

    def add(self, item: Sighting | Skipped) -> None:
        """Show a picture now; keep what was left out for the end."""
        if isinstance(item, Skipped):
            self._left_out.setdefault(item.word, []).append(item)
            return

        screen, context = self._screen, item.context
        if item.page_url != self._page:
            title = f"“{context.page_title}”" if context.page_title else ""
            page, *more = screen.pair(item.page_url or "on no page", title, indent=2)
            echo([click.style(page, bold=True), *more])
            self._page = item.page_url

        self._pictures += 1
        click.echo(screen.fitted(item.image_url or "(inside the page)", Cut.MIDDLE, "  PICTURE   "))
        for url in item.also_at[:SHOWN_ADDRESSES]:
            click.echo(screen.fitted(url, Cut.MIDDLE, f"{'':<12}also "))
        if len(item.also_at) > SHOWN_ADDRESSES:
            more_addresses = counted(len(item.also_at) - SHOWN_ADDRESSES, "more address", "more addresses")
            click.echo(f"{'':<12}also {more_addresses}")

        named = {
            "alt text": context.alt,
            "caption": context.caption,
            "title": context.title,
            "beside": context.nearby_text,
        }
        for name, words in named.items():
            if words and (name != "beside" or words != context.caption):
                # Letters bound by SHOWN_LETTERS: some pages have whole articles beside their pictures.
                text = words[:SHOWN_LETTERS] + "…" * (len(words) > SHOWN_LETTERS)
                echo(screen.wrapped(text, 21, first=f"{'':<12}{name:<8} "))

    def end(self) -> None:
        """Print what was left out, the most frequent reason first, and a line of sums."""
        for word, skipped in sorted(self._left_out.items(), key=lambda word_and_items: -len(word_and_items[1])):
            click.echo(f"{click.style(f'LEFT OUT, {label_of(word)}', bold=True)}  ({word}: {len(skipped)})")
            for item in skipped:
                echo(self._screen.pair(item.url, item.detail or "", "  "))

        left_out = sum(map(len, self._left_out.values()))
        click.echo(f"{counted(self._pictures, 'picture')}, {left_out} left out")
