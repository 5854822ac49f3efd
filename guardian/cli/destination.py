"""`guardian destination`: list destinations, send a signed test, enable one that was disabled."""

import asyncio
from datetime import UTC, datetime

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import DeliveryFailed, UsageError
from guardian.views.deliveries import destination_json


@click.group
def command() -> None:
    """Where messages go: list them, send a test, enable one that answered 410 Gone."""


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each destination.")
@pass_session
def list_destinations(session: Session, as_lines: bool) -> None:
    """List the configured destinations and whether guardian sends there."""
    from guardian.urls.addresses import shown_url

    with opened_store(session) as store, store.read() as tx:
        disabled = tx.destinations.disabled()

    # shown_url: the address of a receiver may carry a token, which must not end up on a screen or in a file.
    listed = [
        destination_json(one.name, one.kind, shown_url(one.url) if one.url else one.kind, disabled.get(one.name))
        for one in session.config.destinations
    ]
    if as_lines:
        echo(json_line(facts) for facts in listed)
        return

    columns = (Column("TO", Cut.END), Column("KIND"), Column("STATE"), Column("ADDRESS", Cut.MIDDLE))
    rows = []
    for facts in listed:
        advice = f"{facts['reason']}; `guardian destination enable {facts['name']}`" if facts["reason"] else ""
        rows.append(Row([facts["name"], facts["kind"], facts["state"], facts["url"]], [advice]))
    echo(Screen.of_output().table(columns, rows))

    if not listed:
        click.echo("no destinations are configured: nobody will be told")


@command.command("test")
@click.argument("name")
@pass_session
def send_test(session: Session, name: str) -> None:
    """Send a signed test event now and say what the receiver answered.

    The exit code is 0 when it was accepted, 3 when it was not.
    """
    try:
        message_id = asyncio.run(_send_test(session, name))
    except DeliveryFailed as error:
        click.echo(f"not accepted: {error}", err=True)
        raise SystemExit(3) from error

    click.echo(f"{name} accepted the test event {message_id}")


@command.command("enable")
@click.argument("name")
@pass_session
def enable(session: Session, name: str) -> None:
    """Send again to a destination that answered 410 Gone; what was held goes out now."""
    # Only configured names, so that a misspelt one is not reported as enabled.
    if name not in [destination.name for destination in session.config.destinations]:
        raise UsageError(f"the configuration has no destination {name}")

    with opened_store(session) as store, store.begin() as tx:
        was_disabled = tx.destinations.enable(name)
        if was_disabled:
            tx.audit.add(this_user(), "destination.enabled", name, datetime.now(UTC))

    if not was_disabled:
        click.echo(f"{name} was enabled already")
        return

    click.echo(f"{name} is enabled; the message it refused: `guardian delivery retry --all-dead`")


async def _send_test(session: Session, name: str) -> str:
    from guardian.app import opened_delivery

    async with opened_delivery(session.config) as delivery:
        return await delivery.send_test(name)
