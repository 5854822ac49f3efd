"""`guardian quarantine`: images that ended the worker process that had them: list them, have them tried again."""

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.views.counting import counted
from guardian.views.quarantine import quarantined_json, quarantined_text


@click.group
def command() -> None:
    """Images that could not be compared because their worker process crashed, was killed or took too long.

    Scans try such an image again after a pause that grows from ten minutes to a day. One that ended its worker
    three times by itself is set aside until `guardian quarantine free`.
    """


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each image.")
@pass_session
def list_quarantined(session: Session, as_lines: bool) -> None:
    """List the images that wait for another attempt and those that are set aside, the latest first."""
    from guardian.app import make_workers

    # The workers only name the recipe; no process is started.
    recipe = make_workers(session.config).report_recipe
    with opened_store(session) as store, store.read() as tx:
        images = tx.quarantine.list(recipe)

    if as_lines:
        echo(json_line(quarantined_json(image)) for image in images)
        return

    screen = Screen.of_output()
    for image in images:
        echo(screen.reflowed(quarantined_text(image).splitlines(), Cut.MIDDLE))
    if not images:
        click.echo("no image is in quarantine")


@command.command("free")
@click.argument("digests", metavar="[SHA256]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of them.")
@pass_session
def free(session: Session, digests: tuple[str, ...], every: bool) -> None:
    """Have images tried again when a scan next meets them. SHA256 may be shortened as long as it is unique."""
    from guardian.app import make_workers

    if bool(digests) == every:
        raise UsageError("name the images to free by their SHA-256, or say --all; `guardian quarantine list` has them")

    recipe = make_workers(session.config).report_recipe
    with opened_store(session) as store:
        with store.read() as tx:
            known = [image.sha256 for image in tx.quarantine.list(recipe)]
        chosen = known if every else [_one(known, digest) for digest in digests]
        with store.begin() as tx:
            freed = tx.quarantine.free(chosen)
    click.echo(f"freed {counted(freed, 'image')}: the next scan that meets one tries it again")


def _one(known: list[str], beginning: str) -> str:
    """Return the digest that begins so. Raises UsageError when none or several do."""
    found = [digest for digest in known if digest.startswith(beginning.lower())]
    if len(found) != 1 or not beginning:
        several = "several images in quarantine begin" if found else "no image in quarantine begins"
        raise UsageError(f"{several} with {beginning!r}: see `guardian quarantine list`")
    return found[0]
