"""`guardian case timeline`: the time line of a case, on one page."""

from datetime import UTC, datetime

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.views.timelines import entry_text, timeline_json
from guardian.views.timestamps import minute_text


@click.command("timeline")
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def timeline(session: Session, case_id: str, as_json: bool) -> None:
    """Show the time line of a case: seen, captured, decided, told, noticed, looked at again, and what is to come."""
    from guardian.cases.reading import case_starting_with
    from guardian.notices.timeline import timeline_of

    with opened_store(session) as store, store.read() as tx:
        case = case_starting_with(tx, case_id)
        entries = timeline_of(tx, case, datetime.now(UTC))
        asset = tx.assets.get(case.asset_id)

    if as_json:
        click.echo(json_line(timeline_json(case.id, entries), indent=2))
        return
    screen = Screen.of_output()
    title = asset.title if asset is not None else case.asset_id
    echo(screen.wrapped(f"{case.id}  {title} at {case.operator}: {case.state.value.replace('_', ' ')}", 2, first=""))
    for entry in entries:
        echo(screen.wrapped(entry_text(entry), 19, first=f"{minute_text(entry.at)}  ", cut=Cut.NEVER))
