"""`guardian case`: list and show cases; what a person decides about them is in case_decisions.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from guardian.cli.case_decisions import COMMANDS, REASON
from guardian.cli.case_timeline import timeline
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY, UseOptions, case_filter, note_unknown_collection, use_options
from guardian.cli.options import option_group
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.model import Asset, Case, CaseFilter, CaseState, DismissReason, FindingDigest, LicenceStatus, Severity
from guardian.views.cases import asset_facts, case_detail_json, case_json, event_text, extent_text, priority_text
from guardian.views.evidence import hold_text
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


@dataclass(frozen=True, slots=True)
class _ListOptions:
    """The options of `case list` beside those that say which uses are meant."""

    states: tuple[str, ...]
    severities: tuple[str, ...]
    licence: str | None
    reasons: tuple[DismissReason, ...]
    assignee: str | None
    label: str | None
    due_by: datetime | None
    order: str


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
@click.option(
    "--reason", "reasons", multiple=True, type=REASON, metavar="REASON", help="Only dismissed for this reason."
)
@click.option("--assignee", metavar="NAME", help="Only cases that this person deals with.")
@click.option("--label", metavar="LABEL", help="Only cases with this label.")
@click.option("--due-by", type=DAY, metavar="YYYY-MM-DD", help="Only cases that are due on this day or earlier.")
@use_options("Changed on this day or later (UTC).")
@click.option(
    "--sort",
    "order",
    type=click.Choice(["changed", "priority"]),
    default="changed",
    show_default=True,
    help="Those last changed first, or the most urgent ones.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each case.")
@option_group(_ListOptions, "options")
@pass_session
def list_cases(session: Session, uses: UseOptions, options: _ListOptions, limit: int, as_lines: bool) -> None:
    """List cases, the last changed first or by priority. Of several options all must apply."""
    from guardian.cases.priority import points_of_rank
    from guardian.cases.reading import cases_matching

    with opened_store(session) as store, store.read() as tx:
        wanted = replace(
            case_filter(tx, uses, options.licence),
            states=tuple(CaseState(state) for state in options.states),
            severities=tuple(Severity(severity) for severity in options.severities),
            reasons=options.reasons,
            assignee=options.assignee,
            label=options.label,
            due_by=options.due_by.date() if options.due_by is not None else None,
            by_priority=options.order == "priority",
        )
        cases = cases_matching(tx, wanted, limit)
        rows = [(case, tx.assets.get(case.asset_id)) for case in cases]
        assets = [] if rows else tx.assets.list()

    if not rows:
        note_unknown_collection(assets, uses.collection)
    if as_lines:
        now = datetime.now(UTC)
        echo(json_line(case_json(case, asset, points_of_rank(case.rank, now))) for case, asset in rows)
        return

    screen = Screen.of_output()
    echo(screen.table(COLUMNS, [_row(case, asset, screen) for case, asset in rows]))
    if not rows:
        is_all = replace(wanted, by_priority=False) == CaseFilter()
        click.echo("no cases" if is_all else "no cases to which all of the options apply")


@command.command("show")
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show_case(session: Session, case_id: str, as_json: bool) -> None:
    """Show a case with its findings and its history. CASE may be shortened as long as it is unique."""
    from guardian.cases.reading import case_detail, case_starting_with

    with opened_store(session) as store, store.read() as tx:
        detail = case_detail(tx, case_starting_with(tx, case_id), datetime.now(UTC))
        hold = tx.holds.get(detail.case.id)

    if as_json:
        click.echo(json_line(case_detail_json(detail), indent=2))
        return

    screen = Screen.of_output()
    row = _row(detail.case, detail.asset, screen)
    echo(screen.wrapped("  ".join([detail.case.id, *row.cells[1:], *row.below]), 2, first=""))
    echo(screen.wrapped(priority_text(detail.priority), 2, first=""))
    if hold is not None:
        echo(screen.wrapped(hold_text(hold), 2, first=""))
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
        decision = f"  (decision {event.batch.partition('.')[0]})" if event.batch is not None and event.before else ""
        echo(screen.wrapped(event_text(event) + decision, 2, first=""))


for _decision in COMMANDS:
    command.add_command(_decision)


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


command.add_command(timeline)
