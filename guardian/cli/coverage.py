"""`guardian coverage`: what the last scans saw, and what they did not."""

from collections.abc import Iterator

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.model import Coverage, EvidenceRoom, label_of
from guardian.views.coverage import FILLING, coverage_facts, coverage_json, room_text

LABEL_WIDTH = 10


@click.command
@click.argument("source", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each source.")
@pass_session
def command(session: Session, source: str | None, as_lines: bool) -> None:
    """Say what the last scan of each SOURCE saw, what it did not see and why, and which sources are in trouble."""
    from guardian.app import opened_store, utc_now
    from guardian.coverage.coverage import coverages
    from guardian.coverage.evidence import evidence_room
    from guardian.evidence.vaults import evidence_in
    from guardian.sources.requests import source_named

    config = session.config
    chosen = config.sources if source is None else [source_named(config.sources, source)]
    with opened_store(config) as store, store.read() as tx:
        found = coverages(tx, chosen, utc_now(), config.coverage, config.fetch.closed)
        assets = tx.assets.count()
        room = evidence_room(tx, evidence_in(config.data_dir, config.evidence))

    screen = Screen.of_output()
    for coverage in found:
        echo([json_line(coverage_json(coverage, room))] if as_lines else _lines(coverage, assets, screen))
    if not found and not as_lines:
        click.echo(f"no sources in {session.config_path}")
    if room is not None and not as_lines:
        echo(_room_lines(room, screen))


def _room_lines(room: EvidenceRoom, screen: Screen) -> Iterator[str]:
    """Yield how full the room for evidence is, in red when it soon has none."""
    yield click.style("evidence", bold=True)
    for line in screen.wrapped(room_text(room), 2):
        yield click.style(line, fg="red") if room.share >= FILLING else line


def _lines(coverage: Coverage, assets: int, screen: Screen) -> Iterator[str]:
    """Yield what people read of one source; sites' own words are made safe for the terminal."""
    yield click.style(coverage.source, bold=True)
    if coverage.last is None:
        yield "  never scanned"
    if coverage.trouble is not None:
        # First of all lines: it is what a person has to act on.
        for line in screen.wrapped(coverage.trouble.detail, 4, first=f"  {coverage.trouble.kind.value.upper()}: "):
            yield click.style(line, fg="red")

    facts = {f"{label:<{LABEL_WIDTH}}": text for label, text in coverage_facts(coverage, assets, screen.dated).items()}
    yield from screen.facts(facts, cut=Cut.MIDDLE)
    for word, number in coverage.not_seen.items():
        yield from screen.wrapped(label_of(word), LABEL_WIDTH + 12, first=f"  {'not seen':<{LABEL_WIDTH}}{number:>8}  ")
