"""`guardian coverage`: what the last scans saw, and what they did not."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, pass_session
from guardian.errors import UsageError

if TYPE_CHECKING:
    from guardian.coverage import Coverage

REASONS = {
    "robots": "forbidden by robots.txt",
    "robots_unreachable": "robots.txt could not be read",
    "budget": "over a budget",
    "too_small": "too small to be a picture",
    "too_plain": "too plain to tell from strangers",
    "too_large": "larger than the limit",
    "over_limit": "more pixels or frames than the limit",
    "not_an_image": "not an image",
    "vector": "a drawing (SVG), not a photograph",
    "address": "an address inside a private network",
    "bad_address": "not a web address",
    "timeout": "took too long",
    "timed_out": "took a worker too long",
    "crashed": "crashed a worker",
    "host_busy": "the site asked to be left alone",
    "status_403": "the site refused (403)",
    "status_404": "no longer there (404)",
    "status_429": "the site refused more requests (429)",
}


@click.command
@click.argument("source", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each source.")
@pass_session
def command(session: Session, source: str | None, as_lines: bool) -> None:
    """Say what the last scan of each SOURCE saw, what it did not see and why, and which sources are in trouble."""
    from guardian.coverage import coverages
    from guardian.rooms import opened_store, utc_now

    config = session.config
    chosen = [settings for settings in config.sources if source in (None, settings.name)]
    if source is not None and not chosen:
        known = ", ".join(settings.name for settings in config.sources) or "none"
        raise UsageError(f"there is no source {source!r} in {session.config_path}; configured are: {known}")
    with opened_store(config) as store, store.read() as tx:
        found = coverages(tx, chosen, utc_now(), config.coverage)
        assets = tx.assets.count()
    for coverage in found:
        click.echo(json.dumps(facts(coverage), ensure_ascii=False) if as_lines else _lines(coverage, assets))
    if not found and not as_lines:
        click.echo(f"no sources in {session.config_path}")


def facts(coverage: "Coverage") -> dict[str, Any]:
    """The JSON object of one source."""
    from guardian.store.codec import to_json

    whole: dict[str, Any] = to_json(coverage)
    trouble = coverage.trouble
    whole["trouble"] = asdict(trouble) if trouble else None
    return whole


def _lines(coverage: "Coverage", assets: int) -> str:
    last = coverage.last
    if last is None:
        return f"{click.style(coverage.source, bold=True)}\n  never scanned"
    when = f"{last.started_at:%Y-%m-%d %H:%M}Z"
    lines = [click.style(coverage.source, bold=True)]
    if coverage.trouble is not None:
        lines.append(click.style(f"  {coverage.trouble.kind.value.upper()}: {coverage.trouble.detail}", fg="red"))
    lines.append(f"  last scan   {when}, {last.outcome or 'running'}{f': {last.error}' if last.error else ''}")
    if coverage.pages:
        lines.append(f"  pages       {coverage.pages}")
    usual = f" (usually {coverage.usual_images:g})" if coverage.usual_images is not None else ""
    lines.append(
        f"  images      {coverage.images}{usual}, {coverage.compared} compared with {assets} protected asset(s)"
    )
    lines += [
        f"  not seen    {number:>6}  {REASONS.get(reason, reason.replace('_', ' '))}"
        for reason, number in coverage.not_seen.items()
    ]
    return "\n".join(lines)
