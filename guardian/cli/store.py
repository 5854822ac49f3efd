"""`guardian store`: back up the database while guardian runs, check it, prune it."""

import json
from pathlib import Path

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Screen, echo
from guardian.errors import StoreUnusable


@click.group
def command() -> None:
    """The database: back it up, check it, prune it."""


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
    echo(Screen.of_output().reflowed([f"backed up to {path} ({path.stat().st_size / 1e6:.1f} MB)"]))


@command.command("check")
@pass_session
def check(session: Session) -> None:
    """Read the whole database and say whether it is sound. Exit code 4 if it is not."""
    with opened_store(session) as store:
        problems = store.problems()
    if problems:
        raise StoreUnusable("the database is damaged; restore a backup:\n" + "\n".join(problems))
    click.echo("the database is sound")


@command.command("prune")
@click.option("--json", "as_json", is_flag=True, help="one JSON object with the number of rows of each kind")
@pass_session
def prune_now(session: Session, as_json: bool) -> None:
    """Forget what is older than `retention` in the configuration keeps it, now.

    `guardian run` and `guardian scan` do so once a day. Cases, findings, their histories and their evidence
    are never forgotten, nor are messages that were not delivered.
    """
    from guardian.app import make_workers, utc_now
    from guardian.retention import prune

    # The workers only name the recipe; no process is started.
    recipe = make_workers(session.config).report_recipe
    with opened_store(session) as store:
        pruned = prune(store, session.config.retention, recipe, utc_now())

    # Written out, since users know these names from --json: a field that is renamed must not change them.
    counts = {
        "deliveries": pruned.deliveries,
        "scans": pruned.scans,
        "responses": pruned.responses,
        "candidates": pruned.candidates,
    }
    if as_json:
        click.echo(json.dumps(counts))
    else:
        click.echo("forgotten: " + ", ".join(f"{number} {kind}" for kind, number in counts.items()))
