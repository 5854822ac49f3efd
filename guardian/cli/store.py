"""`guardian store`: a backup of the database while guardian runs, and whether the database is sound."""

from pathlib import Path

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.errors import StoreUnusable


@click.group
def command() -> None:
    """The database: back it up, check it."""


@command.command("backup")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def back_up(session: Session, path: Path) -> None:
    """Write a whole copy of the database to PATH, also while guardian runs.

    The copy appears under its name only when it is complete, sound and on disk; an older one is replaced.
    It holds everything guardian knows, but not the files beside it: copy the folders originals and evidence too.
    """
    with opened_store(session) as store:
        store.backup(path)
    click.echo(f"backed up to {path} ({path.stat().st_size / 1e6:.1f} MB)")


@command.command("check")
@pass_session
def check(session: Session) -> None:
    """Read the whole database and say whether it is sound. Exit code 4 if it is not."""
    with opened_store(session) as store:
        problems = store.problems()
    if problems:
        raise StoreUnusable("the database is damaged; restore a backup:\n" + "\n".join(problems))
    click.echo("the database is sound")
