"""`guardian coverage`: what the last scans saw, and what they did not."""

from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.showing import json_line, printable
from guardian.errors import UsageError
from guardian.model import label_of

if TYPE_CHECKING:
    from guardian.coverage.coverage import Coverage


@click.command
@click.argument("source", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each source.")
@pass_session
def command(session: Session, source: str | None, as_lines: bool) -> None:
    """Say what the last scan of each SOURCE saw, what it did not see and why, and which sources are in trouble."""
    from guardian.app import opened_store, utc_now
    from guardian.coverage.coverage import as_json, coverages

    config = session.config
    chosen = [settings for settings in config.sources if source in (None, settings.name)]
    if source is not None and not chosen:
        known = ", ".join(settings.name for settings in config.sources) or "none"
        raise UsageError(f"there is no source {source!r} in {session.config_path}; configured are: {known}")
    with opened_store(config) as store, store.read() as tx:
        found = coverages(tx, chosen, utc_now(), config.coverage, config.fetch.closed)
        assets = tx.assets.count()
    for coverage in found:
        click.echo(json_line(as_json(coverage)) if as_lines else _lines(coverage, assets))
    if not found and not as_lines:
        click.echo(f"no sources in {session.config_path}")


def _lines(coverage: "Coverage", assets: int) -> str:
    last = coverage.last
    if last is None:
        return f"{click.style(coverage.source, bold=True)}\n  never scanned"
    when = f"{last.started_at:%Y-%m-%d %H:%M}Z"
    lines = [click.style(coverage.source, bold=True)]
    if coverage.trouble is not None:
        lines.append(
            click.style(f"  {coverage.trouble.kind.value.upper()}: {printable(coverage.trouble.detail)}", fg="red")
        )
    lines.append(
        f"  last scan   {when}, {last.outcome or 'running'}{f': {printable(last.error)}' if last.error else ''}"
    )
    if coverage.pages:
        lines.append(f"  pages       {coverage.pages}, {coverage.pages_unchanged} unchanged")
    usual = f" (usually {coverage.usual_images:g})" if coverage.usual_images is not None else ""
    lines.append(
        f"  images      {coverage.images}{usual}, {coverage.compared} compared with {assets} protected asset(s), "
        f"{coverage.matched} matched"
    )
    unchanged = f"{coverage.unchanged} unchanged (304), {coverage.fresh} still fresh and not asked for"
    again = f"{coverage.again} seen again on another page"
    lines.append(f"  came        {coverage.fetched} fetched, {unchanged}, {again}")
    lines += [f"  not seen    {number:>6}  {label_of(word)}" for word, number in coverage.not_seen.items()]
    return "\n".join(lines)
