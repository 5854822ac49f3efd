"""`guardian audit`: who did what, and whether the record is whole."""

from datetime import UTC, datetime

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import AuditHead
from guardian.views.counting import counted
from guardian.views.people import audit_line_json

COLUMNS = (Column("LINE", is_number=True), Column("TIME"), Column("WHO", Cut.END), Column("WHAT"), Column("TO WHAT"))

CHANGED = 1
"""Exit code of `verify` when something was changed or removed."""


@click.group
def command() -> None:
    """The audit log: every decision and sign-in, in a chain of digests in which no line can be changed unseen."""


@command.command("list")
@click.option("--subject", metavar="ID", help="Only what was done to this case, user or token.")
@click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Only this day and later (UTC).")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@pass_session
def list_lines(session: Session, subject: str | None, since: datetime | None, as_lines: bool) -> None:
    """List the lines of the audit log, oldest first."""
    moment = since.replace(tzinfo=UTC) if since is not None else None
    screen = Screen.of_output()
    with opened_store(session) as store, store.read() as tx:
        lines = tx.audit.lines(subject=subject, since=moment)
        if as_lines:
            echo(json_line(audit_line_json(line)) for line in lines)
            return
        rows = [
            Row([str(line.number), screen.moment(line.at), line.actor, line.action, line.subject or "-"])
            for line in lines
        ]
    echo(screen.table(COLUMNS, rows))


@command.command("verify")
@click.option("--head", "heads", metavar="NUMBER:DIGEST", multiple=True, help="A head that was kept: it must be there.")
@pass_session
def verify(session: Session, heads: tuple[str, ...]) -> None:
    """Check that no line of the audit log or of a case's history was changed, removed or added by another way.

    Lines cut off at the end show by a head that was kept: messages carry one, and the daemon logs one. Exits 1 and
    names the first fault when something is wrong.
    """
    from guardian.people.audit import verify as verify_log

    kept = tuple(_head(text) for text in heads)
    with opened_store(session) as store, store.read() as tx:
        found = verify_log(tx, (*kept, *tx.messages.audit_heads()))

    for fault in found.faults:
        click.echo(fault)
    if found.faults:
        raise click.exceptions.Exit(CHANGED)
    histories = counted(found.histories, "line")
    click.echo(f"whole: {counted(found.lines, 'line')} of the audit log, {histories} of case histories")
    click.echo(f"head {found.head}")


def _head(text: str) -> AuditHead:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise UsageError(f"{text!r} is no head; one is NUMBER:DIGEST, as `guardian audit verify` prints it")
    return AuditHead(int(number), digest)
