"""`guardian token`: what programs show in place of a password."""

from datetime import UTC, datetime

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Permission
from guardian.views.people import token_json, token_state
from guardian.views.short_ids import only_one, with_prefix

COLUMNS = (
    Column("ID"),
    Column("NAME", Cut.END),
    Column("STATE"),
    Column("LAST USED"),
    Column("MADE BY"),
    Column("SCOPES", Cut.END),
)


@click.group
def command() -> None:
    """Tokens for programs that use the API: each may do what its scopes say, until it ends or is revoked."""


@command.command("add")
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE,...",
    required=True,
    multiple=True,
    help="What it may do, separated by commas; may be given several times.",
)
@click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="Its last day (UTC); without, it never ends.")
@pass_session
def add(session: Session, name: str, scopes: tuple[str, ...], until: datetime | None) -> None:
    """Make a token for the program NAME and print it, this once: guardian keeps only a digest of it.

    Scopes: cases:read, cases:write, assets:read, assets:write, licences:read, licences:write, check, search,
    operations:read, operations:write, sources:scan.
    """
    from guardian.people.tokens import add_token, end_after

    wanted = [_scope(word) for word in ",".join(scopes).split(",") if word.strip()]
    ends = end_after(until.date()) if until is not None else None
    with opened_store(session) as store, store.begin() as tx:
        secret, token = add_token(tx, this_user(), name, wanted, ends, datetime.now(UTC))
    click.echo(secret)
    click.echo(f"{token.id} for {token.name}; it is shown this once", err=True)


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each token.")
@pass_session
def list_tokens(session: Session, as_lines: bool) -> None:
    """List tokens, ended and revoked ones too."""
    now = datetime.now(UTC)
    with opened_store(session) as store, store.read() as tx:
        tokens = tx.api_tokens.all()

    if as_lines:
        echo(json_line(token_json(token, now)) for token in tokens)
        return

    screen = Screen.of_output()
    rows = [
        Row(
            [
                screen.short_id(token.id),
                token.name,
                token_state(token, now),
                screen.moment(token.used_at) if token.used_at else "never",
                token.made_by or "-",
                " ".join(sorted(token.scopes)),
            ]
        )
        for token in tokens
    ]
    echo(screen.table(COLUMNS, rows))
    if not tokens:
        click.echo("no tokens; `guardian token add NAME --scope cases:read` makes one")


@command.command("remove")
@click.argument("token_id", metavar="ID")
@pass_session
def remove(session: Session, token_id: str) -> None:
    """Revoke a token at once. ID may be shortened as long as it is unique."""
    from guardian.people.tokens import revoke_token

    with opened_store(session) as store, store.begin() as tx:
        start = with_prefix(token_id, "token_")
        found = [token for token in tx.api_tokens.all() if token.id.startswith(start)]
        token = only_one(found, [one.id for one in found], token_id, "token", "`guardian token list` shows them")
        if token.revoked_at is None:
            revoke_token(tx, this_user(), token, datetime.now(UTC))
    click.echo(f"{token.id} ({token.name}) opens nothing any more")


def _scope(word: str) -> Permission:
    """Return the scope of a word. Raises UsageError for one that no token can have."""
    known = [scope for scope in Permission if scope is not Permission.PEOPLE]
    for scope in known:
        if scope.value == word.strip():
            return scope
    raise UsageError(f"there is no scope {word.strip()!r}; there are {', '.join(known)}")
