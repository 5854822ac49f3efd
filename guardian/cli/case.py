"""`guardian case`: list and show cases, and record what a person decides about them."""

import getpass
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import case_filter, note_unknown_collection, uses_options
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.model import Asset, Case, CaseState, FindingDigest, LicenceStatus, Severity
from guardian.views.cases import asset_facts, case_detail_json, case_json, event_text, extent_text
from guardian.views.findings import finding_facts, version_facts

COLUMNS = (
    Column("CASE"),
    Column("STATE"),
    Column("ACTION"),
    Column("SEVERITY"),
    Column("OPERATOR", Cut.MIDDLE),
)


@click.group
def command() -> None:
    """Cases: one for each use of an image of yours by one operator."""


@command.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in CaseState]),
    help="Only cases in this state; several times for several.",
)
@click.option(
    "--severity",
    "severities",
    multiple=True,
    type=click.Choice([severity.value for severity in Severity]),
    help="Only cases of this severity; several times for several.",
)
@click.option(
    "--licence",
    metavar="STATUS|ID",
    help=f"Only cases with a use of this status ({', '.join(LicenceStatus)}), or one that this licence was judged by.",
)
@uses_options("Changed on this day or later (UTC).")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, last changed first."
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each case.")
@pass_session
def list_cases(session: Session, /, limit: int, as_lines: bool, **options: Any) -> None:
    """List cases, the last changed first. Of several options all must apply."""
    from guardian.cases.reading import cases_matching

    with opened_store(session) as store, store.read() as tx:
        cases = cases_matching(tx, case_filter(tx, **options), limit)
        rows = [(case, tx.assets.get(case.asset_id)) for case in cases]
        assets = [] if rows else tx.assets.list()

    if not rows:
        note_unknown_collection(assets, options["collection"])
    if as_lines:
        echo(json_line(case_json(case, asset)) for case, asset in rows)
        return

    screen = Screen.of_output()
    echo(screen.table(COLUMNS, [_row(case, asset, screen) for case, asset in rows]))
    if not rows:
        click.echo("no cases to which all of the options apply" if any(options.values()) else "no cases")


@command.command("show")
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show_case(session: Session, case_id: str, as_json: bool) -> None:
    """Show a case with its findings and its history. CASE may be shortened as long as it is unique."""
    from guardian.cases.reading import case_detail, case_starting_with

    with opened_store(session) as store, store.read() as tx:
        detail = case_detail(tx, case_starting_with(tx, case_id))

    if as_json:
        click.echo(json_line(case_detail_json(detail), indent=2))
        return

    screen = Screen.of_output()
    row = _row(detail.case, detail.asset, screen)
    echo(screen.wrapped("  ".join([detail.case.id, *row.cells[1:], *row.below]), 2, first=""))
    echo(screen.facts(asset_facts(detail)))
    for finding in detail.findings:
        click.echo()
        click.echo(screen.fitted(finding.image_url, Cut.NEVER))
        echo(screen.facts(finding_facts(finding, detail.case.asset_id)))
        versions = detail.versions.get(finding.id, ())
        # A single version is what the finding's own lines say.
        if len(versions) > 1:
            echo(_version_lines(versions, screen))

    click.echo()
    for event in detail.history:
        echo(screen.wrapped(event_text(event), 2, first=""))


def _review(session: Session, case_ids: tuple[str, ...], state: CaseState, by: str | None, note: str | None) -> None:
    """Record a person's decision about all of the cases, or about none when one of them is unknown."""
    from guardian.cases import review
    from guardian.cases.reading import case_starting_with

    # One transaction for all: a mistyped id must leave no half of the cases decided.
    now = datetime.now(UTC)
    with opened_store(session) as store, store.begin() as tx:
        cases = [case_starting_with(tx, case_id) for case_id in case_ids]
        reviewed = [review(tx, case.id, state, by=by or user_name(), note=note, at=now) for case in cases]

    for case in reviewed:
        click.echo(f"{case.id}  {case.operator}  {case.state.value}")


def _review_command(name: str, state: CaseState, text: str) -> None:
    """Add a subcommand that gives cases this state: the decisions differ in name, state and help only."""

    @command.command(name, help=text)
    @click.argument("case_ids", metavar="CASE...", nargs=-1, required=True)
    @click.option("--note", help="Why; kept in the case's history.")
    @click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine.")
    @pass_session
    def run(session: Session, case_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
        _review(session, case_ids, state, by, note)


_review_command("confirm", CaseState.CONFIRMED, "It is a copy that you pursue; stronger findings still alert.")
_review_command("dismiss", CaseState.DISMISSED, "Of no interest: goes on being recorded, never alerts again.")
_review_command("resolve", CaseState.RESOLVED, "Settled: alerts again only when the operator shows it elsewhere.")
_review_command("reopen", CaseState.OPEN, "Undo a decision.")


def user_name() -> str:
    """Return the name of this machine's user. In a container the user may have none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _row(case: Case, asset: Asset | None, screen: Screen) -> Row:
    severity = case.severity.value if case.severity else "-"
    title = asset.title if asset else case.asset_id
    cells = [screen.short_id(case.id), case.state.value, case.action.value, severity, case.operator]
    return Row(cells, [f"{title}  ({extent_text(case, screen.moment)})"])


def _version_lines(versions: Sequence[FindingDigest], screen: Screen) -> Iterator[str]:
    """Yield what was captured at a finding, the oldest first: a message names the version that it was about."""
    yield f"  {len(versions)} versions are recorded"
    for number, version in enumerate(versions, start=1):
        seen, *digests = version_facts(version).items()
        yield f"  {number:>4}. {seen[1]}"
        for label, fact in digests:
            yield from screen.wrapped(fact, 14, first=f"{'':<8}{label:<5} ", cut=Cut.NEVER)
