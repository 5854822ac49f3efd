"""`guardian recheck CASE`: looks again at all places of a case, now."""

import asyncio

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.model.notices import PlaceState, Recheck, RecheckOutcome
from guardian.views.notices import look_text, outcome_text, recheck_json

_MOST_UNSEEN = 5
"""Pictures and pages that could not be seen, of those that are named to people."""

_IS_UP = (RecheckOutcome.THERE, RecheckOutcome.PARTLY, RecheckOutcome.MOVED, RecheckOutcome.BACK)


@click.command
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def command(session: Session, case_id: str, as_json: bool) -> None:
    """Look again at all places of a case, and of its picture on that host.

    What is seen is recorded: a case that is wholly gone becomes gone, one whose picture moved or is back is open again.
    Exit code 1 when the picture is up anywhere, 3 when that could not be told, 0 when it is gone.
    """
    recheck = asyncio.run(_recheck(session, case_id))
    if as_json:
        click.echo(json_line(recheck_json(recheck), indent=2))
    else:
        screen = Screen.of_output()
        echo(screen.wrapped(f"{recheck.case_id}: {outcome_text(recheck)}", 2, first=""))
        if not recheck.places:
            click.echo("  none of its places is on the web")
        for look in recheck.places:
            echo(screen.wrapped(look_text(look), 4, first="  "))
        unseen = [look for look in recheck.elsewhere if look.state is PlaceState.UNSEEN]
        told = [look for look in recheck.elsewhere if look not in unseen] + unseen[:_MOST_UNSEEN]
        for look in told:
            echo(screen.wrapped(look_text(look), 4, first="  elsewhere: "))
        if len(unseen) > _MOST_UNSEEN:
            click.echo(f"  elsewhere: {len(unseen) - _MOST_UNSEEN} more were not seen (--json names all)")
    if recheck.outcome in _IS_UP:
        raise SystemExit(1)
    raise SystemExit(0 if recheck.outcome is RecheckOutcome.GONE else NOT_ALL_SEEN)


async def _recheck(session: Session, start: str) -> Recheck:
    """Look at the places of a case and write down what was seen; return that."""
    from guardian.app import opened_app
    from guardian.cases.reading import case_starting_with
    from guardian.config import require_contact
    from guardian.scan.recheck.cases import RecheckReason, recheck_case

    require_contact(session.config, session.config_path)
    async with opened_app(session.config) as app:
        user = this_user()
        with app.store.read() as tx:
            case = case_starting_with(tx, start)
        sources = {source.name: source for source in session.config.sources}
        recheck = await recheck_case(app.services, sources, case, RecheckReason(asked_by=user.name))
    if recheck is None:
        raise LookupError("a recheck that was asked for is always written")
    return recheck
