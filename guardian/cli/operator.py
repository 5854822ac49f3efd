"""`guardian operator`: who uses your pictures, with all their cases, licences and contacts."""

from datetime import UTC, datetime

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.views.cases import case_json
from guardian.views.licences import TODAY_TEXTS, grant_text, scope_text
from guardian.views.operators import operator_detail_json, operator_json, operator_text

COLUMNS = (Column("OPERATOR", Cut.MIDDLE), Column("TO DO"), Column("USES"))
CASE_COLUMNS = (Column("CASE"), Column("STATE"), Column("SEVERITY"), Column("PLACES"), Column("IMAGE", Cut.END))


@click.group
def command() -> None:
    """Operators: a domain, an account of a platform or an IP address that shows images of yours.

    What you decide about all cases of one: `guardian case dismiss --operator HOST` and the like.
    """


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each operator.")
@pass_session
def list_operators(session: Session, limit: int, as_lines: bool) -> None:
    """List operators, the one with the most urgent case first."""
    with opened_store(session) as store, store.read() as tx:
        found = tx.operators.summaries(limit=limit)

    if as_lines:
        echo(json_line(operator_json(one)) for one in found)
        return

    rows = [Row([one.operator, str(one.pursued), operator_text(one)]) for one in found]
    echo(Screen.of_output().table(COLUMNS, rows))
    if not found:
        click.echo("no cases, so no operators")


@command.command("show")
@click.argument("name", metavar="HOST")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show_operator(session: Session, name: str, as_json: bool) -> None:
    """Show all that is known of an operator. HOST: domain, account (instagram.com/name), IP or an address."""
    from guardian.app import platforms_of
    from guardian.cases.priority import points_of_rank
    from guardian.cases.reading import operator_detail, operator_named

    now = datetime.now(UTC)
    wanted = operator_named(name, platforms_of(session.config))
    with opened_store(session) as store, store.read() as tx:
        detail = operator_detail(tx, wanted, now.date())
        granted = {
            licence.asset_id: tx.assets.get(licence.asset_id) for licence, _ in detail.licences if licence.asset_id
        }

    if as_json:
        cases = [case_json(case, asset, points_of_rank(case.rank, now)) for case, asset in detail.cases]
        click.echo(json_line(operator_detail_json(detail, cases), indent=2))
        return

    screen = Screen.of_output()
    echo(screen.wrapped(f"{detail.summary.operator}  {operator_text(detail.summary)}", 2, first=""))
    if detail.contacts:
        echo(screen.wrapped(f"contacts on its pages: {', '.join(detail.contacts)}", 2, first=""))
    for licence, status in detail.licences:
        scope = scope_text(licence, granted.get(licence.asset_id or ""))
        echo(screen.wrapped(f"licence {licence.id}: {grant_text(licence, scope)}: {TODAY_TEXTS[status]}", 2, first=""))

    click.echo()
    rows = [
        Row(
            [
                screen.short_id(case.id),
                case.state.value,
                case.severity.value if case.severity else "-",
                str(case.finding_count),
                asset.title if asset else case.asset_id,
            ]
        )
        for case, asset in detail.cases
    ]
    echo(screen.table(CASE_COLUMNS, rows))
