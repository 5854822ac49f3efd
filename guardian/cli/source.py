"""`guardian source`: the places that are watched: list them, try what one would yield."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, log_to_stderr, pass_session
from guardian.model import Omission, Sighting

if TYPE_CHECKING:
    from guardian.sources import SourceSettings


@click.group
def command() -> None:
    """The places that are watched."""


@command.command("list")
@pass_session
def list_sources(session: Session) -> None:
    """List the configured sources with their last scans."""
    from guardian.rooms import opened_store

    config = session.config
    with opened_store(config) as store, store.read() as tx:
        last = {source.name: tx.scans.last(source.name) for source in config.sources}
    for source in config.sources:
        scan = last[source.name]
        said = "never scanned"
        if scan is not None:
            counts = ", ".join(f"{number} {word}" for word, number in scan.counts.items())
            said = f"{scan.outcome or 'running'} {scan.started_at:%Y-%m-%d %H:%M}Z: {counts or scan.error or 'nothing'}"
        place = getattr(source, "url", None) or getattr(source, "path", "")
        click.echo(f"{source.name:<20} {source.kind:<8} {place}\n{'':<20} {said}")
    if not config.sources:
        click.echo(f"no sources in {session.config_path}; each needs a name, a kind and an address")


@command.command("try")
@click.argument("target", metavar="NAME|URL")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.option("--pages", type=click.IntRange(1), default=5, show_default=True, help="Of a crawl, only so many pages.")
@pass_session
def try_source(session: Session, target: str, as_lines: bool, pages: int) -> None:
    """Show what one source or page would yield, and why each thing is left out. Stores and matches nothing."""
    from guardian.config import require_contact
    from guardian.errors import UsageError
    from guardian.sources import is_web_address
    from guardian.sources.settings import PageSettings

    log_to_stderr("warning", "text")
    config = session.config
    require_contact(config, session.config_path)
    chosen = next((source for source in config.sources if source.name == target), None)
    if chosen is None and is_web_address(target):
        chosen = PageSettings(name="try", kind="page", url=target)
    if chosen is None:
        known = ", ".join(source.name for source in config.sources) or "none"
        raise UsageError(f"{target!r} is neither a source nor a web address; sources are: {known}")
    if "max_pages" in type(chosen).model_fields:
        chosen = chosen.model_copy(update={"max_pages": pages})
    seen, left_out = asyncio.run(_try(session, chosen, as_lines))
    if not as_lines:
        click.echo(f"{seen} picture(s), {left_out} left out")


async def _try(session: Session, settings: "SourceSettings", as_lines: bool) -> tuple[int, int]:
    import os
    import tempfile

    from guardian.fetch import Errand, Stranger
    from guardian.fetch.credentials import read_credentials
    from guardian.rooms import utc_now
    from guardian.sources import Milestone, Visit, open_source
    from guardian.store import StoreSettings, open_store

    seen = left_out = 0
    # A crawl keeps what it has still to visit in a database: here in one that is thrown away.
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(StoreSettings(), Path(folder))
        try:
            shown = read_credentials(settings.credentials, os.environ) if settings.credentials else None
            async with Stranger(session.config.fetch, clock=utc_now) as stranger:
                errand = Errand(stranger, shown)
                async for item in open_source(settings).discover(Visit(errand, store, utc_now)):
                    if isinstance(item, Milestone):
                        with store.begin() as tx:
                            item.settle(tx)
                        continue
                    seen, left_out = seen + isinstance(item, Sighting), left_out + isinstance(item, Omission)
                    click.echo(json.dumps(_facts(item), ensure_ascii=False) if as_lines else _lines(item))
        finally:
            store.close()
    return seen, left_out


def _lines(item: Sighting | Omission) -> str:
    if isinstance(item, Omission):
        return f"LEFT OUT  {item.url}  ({item.reason}{': ' + item.detail if item.detail else ''})"
    context = item.context
    words = context.caption or context.alt or context.title
    lines = [f"PICTURE   {item.image_url or '(inside the page)'}"]
    lines += [f"            also {url}" for url in item.also_at]
    return "\n".join(lines + ([f"            “{words}”"] if words else []))


def _facts(item: Sighting | Omission) -> dict[str, Any]:
    if isinstance(item, Omission):
        return {"left_out": item.url, "reason": item.reason, "detail": item.detail}
    context = {name: getattr(item.context, name) for name in item.context.__slots__}
    return {
        "image_url": item.image_url,
        "page_url": item.page_url,
        "also_at": list(item.also_at),
        "context": {name: words for name, words in context.items() if words},
    }
