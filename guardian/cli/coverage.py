"""`guardian coverage`: what the last scans saw, and what they did not."""

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.showing import json_line, printable
from guardian.errors import UsageError
from guardian.model import Coverage, label_of
from guardian.views.coverage import coverage_facts, coverage_json


@click.command
@click.argument("source", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each source.")
@pass_session
def command(session: Session, source: str | None, as_lines: bool) -> None:
    """Say what the last scan of each SOURCE saw, what it did not see and why, and which sources are in trouble."""
    from guardian.app import opened_store, utc_now
    from guardian.coverage.coverage import coverages

    config = session.config
    chosen = [settings for settings in config.sources if source in (None, settings.name)]
    if source is not None and not chosen:
        known = ", ".join(settings.name for settings in config.sources) or "none"
        raise UsageError(f"there is no source {source!r} in {session.config_path}; configured are: {known}")

    with opened_store(config) as store, store.read() as tx:
        found = coverages(tx, chosen, utc_now(), config.coverage, config.fetch.closed)
        assets = tx.assets.count()

    for coverage in found:
        click.echo(json_line(coverage_json(coverage)) if as_lines else _lines(coverage, assets))
    if not found and not as_lines:
        click.echo(f"no sources in {session.config_path}")


def _lines(coverage: Coverage, assets: int) -> str:
    """Return what people read of one source; sites' own words are made safe for the terminal."""
    lines = [click.style(coverage.source, bold=True)]
    if coverage.last is None:
        return "\n".join([*lines, "  never scanned"])
    if coverage.trouble is not None:
        # First of all lines: it is what a person has to act on.
        trouble = f"  {coverage.trouble.kind.value.upper()}: {printable(coverage.trouble.detail)}"
        lines.append(click.style(trouble, fg="red"))

    lines += [f"  {label:<11} {printable(fact)}" for label, fact in coverage_facts(coverage, assets).items()]
    lines += [f"  not seen    {number:>6}  {label_of(word)}" for word, number in coverage.not_seen.items()]
    return "\n".join(lines)
