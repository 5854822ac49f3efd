"""`guardian user`: who may sign in to the desk."""

import ipaddress
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Column, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Role
from guardian.views.people import person_json

COLUMNS = (Column("NAME"), Column("ROLE"), Column("ADDED"), Column("SIGNS IN"))

_ROLE = click.Choice([role.value for role in Role])
_PASSWORD_FILE = click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The first line of FILE is the password (- is standard input); without, it is asked for.",
)


@click.group
def command() -> None:
    """People who may sign in: viewers look, reviewers decide, admins also change people and settings."""


@command.command("add")
@click.argument("name", metavar="NAME")
@click.option("--role", type=_ROLE, required=True, help="What the person may do.")
@_PASSWORD_FILE
@pass_session
def add(session: Session, name: str, role: str, password_file: Path | None) -> None:
    """Add somebody who signs in with NAME and a password of at least 12 characters."""
    from guardian.people.people import add_person

    password = _password(password_file)
    with opened_store(session) as store, store.begin() as tx:
        person = add_person(tx, this_user(), name, Role(role), password, datetime.now(UTC))
    click.echo(f"{person.name} may sign in as {person.role.value}")


@command.command("password")
@click.argument("name", metavar="NAME")
@_PASSWORD_FILE
@pass_session
def password(session: Session, name: str, password_file: Path | None) -> None:
    """Give NAME another password. Whoever is signed in under that name must sign in again."""
    from guardian.people.people import change_password

    new_password = _password(password_file)
    with opened_store(session) as store, store.begin() as tx:
        change_password(tx, this_user(), name, new_password, datetime.now(UTC))
    click.echo(f"{name} has another password")


@command.command("role")
@click.argument("name", metavar="NAME")
@click.argument("role", type=_ROLE)
@pass_session
def set_role(session: Session, name: str, role: str) -> None:
    """Let NAME do more or less. One admin always stays."""
    from guardian.people.people import change_role

    with opened_store(session) as store, store.begin() as tx:
        change_role(tx, this_user(), name, Role(role), datetime.now(UTC))
    click.echo(f"{name} is {role} now")


@command.command("sign-in-link")
@click.argument("name", metavar="NAME")
@click.option(
    "--minutes", type=click.IntRange(1, 60), default=10, show_default=True, help="How long the address may be opened."
)
@pass_session
def sign_in_link(session: Session, name: str, minutes: int) -> None:
    """Print an address that signs NAME in once, without a password, in a browser on this machine."""
    from guardian.people.sign_in_links import make_link

    desk = _loopback_address(session.config.web.listen)
    with opened_store(session) as store, store.begin() as tx:
        secret = make_link(tx, this_user(), name, timedelta(minutes=minutes), datetime.now(UTC))
    click.echo(f"http://{desk}/login/link/{secret}")
    click.echo(f"it signs {name} in once, on this machine, while `guardian run` is at work", err=True)


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each person.")
@pass_session
def list_people(session: Session, as_lines: bool) -> None:
    """List who may sign in."""
    with opened_store(session) as store, store.read() as tx:
        people = tx.people.all()

    if as_lines:
        echo(json_line(person_json(person)) for person in people)
        return

    screen = Screen.of_output()
    rows = [
        Row([person.name, person.role.value, screen.moment(person.added_at), person.issuer or "with a password"])
        for person in people
    ]
    echo(screen.table(COLUMNS, rows))
    if not people:
        click.echo("nobody may sign in yet; `guardian user add NAME --role admin` makes the first admin")


@command.command("remove")
@click.argument("name", metavar="NAME")
@pass_session
def remove(session: Session, name: str) -> None:
    """Let NAME sign in no more. What they decided stays, under their name. One admin always stays."""
    from guardian.people.people import remove_person

    with opened_store(session) as store, store.begin() as tx:
        person = remove_person(tx, this_user(), name, datetime.now(UTC))
    click.echo(f"{person.name} may not sign in any more")


def _loopback_address(listen: str) -> str:
    """Return ADDRESS:PORT at which a browser on this machine reaches the desk by loopback. Raises UsageError."""
    host, _, port = listen.rpartition(":")
    address = ipaddress.ip_address(host.strip("[]"))
    if int(port) == 0:
        raise UsageError("web.listen takes any free port (0), so the address is not known: name a port")
    if address.is_unspecified:
        return f"127.0.0.1:{port}" if address.version == 4 else f"[::1]:{port}"
    if not address.is_loopback:
        raise UsageError(f"web.listen is {listen}: a sign-in link works at an address of this machine only (127.0.0.1)")
    return listen


def _password(file: Path | None) -> str:
    """Return a password from the first line of a file or standard input, or ask for it.

    Raises UsageError where it cannot be read or asked for.
    """
    if file is None:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask for the password on: name a file with --password-file")
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again")
        return asked

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {reason}") from error
    lines = text.splitlines()
    if not lines or not lines[0]:
        raise UsageError(f"{file} has no password in its first line")
    return lines[0]
