"""`guardian index`: show the state of the search index, verify it, rebuild it."""

import asyncio
from collections.abc import Collection

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.progress import progress_bar, say
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Asset, AssetState
from guardian.views.counting import size_text
from guardian.views.plain_text import printable
from guardian.views.replays import comparison_lines, recipe_lines, side_change_json, side_change_lines


@click.group
def command() -> None:
    """The search index. It is made from the kept originals and can always be made again."""


@command.command("status")
@pass_session
def status(session: Session) -> None:
    """Say what the index holds, and by which recipe it was made."""
    from guardian.app import make_workers, opened_store
    from guardian.matching.index.segments import read_generation

    workers = make_workers(session.config)
    generation = read_generation(workers.index_folder)
    with opened_store(session.config) as store, store.read() as tx:
        protected, adding = tx.assets.count(), tx.assets.count(AssetState.ADDING)

    size = sum(file.stat().st_size for file in workers.index_folder.rglob("*") if file.is_file())
    facts = {
        "recipe": workers.index_recipe,
        "folder": f"{workers.index_folder} ({size_text(size)})",
        "generation": str(generation.number) if generation else "none published yet",
        "segments": str(len(generation.segments) if generation else 0),
        "assets": f"{protected} protected" + (f", {adding} not finished" if adding else ""),
    }
    echo(Screen.of_output().facts(facts, indent=0))


@command.command("verify")
@pass_session
def verify(session: Session) -> None:
    """Read every byte of the index and compare it with the store. Exit code 4 if it is not sound."""
    from guardian.app import make_workers, opened_store
    from guardian.errors import IndexNotReady
    from guardian.matching.index.reader import contents

    # contents() raises IndexNotReady for a damaged file, which ends the command with code 4 as well.
    workers = make_workers(session.config)
    published = set(contents(workers.index_folder, workers.index_recipe, every_byte=True).numbers)
    with opened_store(session.config) as store, store.read() as tx:
        listed = tx.assets.list(state=AssetState.PROTECTED)
        protected = {asset.number for asset in listed if not asset.by_bytes_only}

    missing = protected - published
    if missing:
        raise IndexNotReady(f"{len(missing)} of {len(protected)} assets are not in the index: `guardian index rebuild`")
    click.echo(f"the index is sound: {len(protected)} assets")


@command.command("compare")
@click.argument("old", metavar="OLD", required=False)
@click.argument("new", metavar="NEW", required=False)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each picture that changed sides.")
@pass_session
def compare(session: Session, old: str | None, new: str | None, as_lines: bool) -> None:
    """Compare what two recipes (models, fits) say of the pictures that both have compared, by the rules as they are.

    Named are the pictures that changed sides: at which place, about which work. OLD and NEW are recipes, or parts of
    their names that only one has; NEW is the recipe of today unless it is named. Without any, the recipes are listed of
    which answers are kept: those of others than today's stay for a week.
    """
    from guardian.app import make_workers, open_rules, opened_store, platforms_of
    from guardian.memory.replay import JudgingSettings, compare_recipes

    config = session.config
    today = make_workers(config).report_recipe
    with opened_store(config) as store, store.read() as tx:
        known = tx.candidates.recipes()
        if old is None:
            echo(Screen.of_output().reflowed(recipe_lines(known, today)))
            return
        before, after = _recipe(known, old), today if new is None else _recipe(known, new)
        settings = JudgingSettings(config.own_hosts, platforms_of(config))
        found = compare_recipes(tx, open_rules(config), settings, before, after)

    if as_lines:
        echo(json_line(side_change_json(change)) for change in found.changes)
        return
    screen = Screen.of_output()
    for change in found.changes:
        echo(screen.reflowed(side_change_lines(change)))
    echo(screen.reflowed(comparison_lines(found, before, after)))


def _recipe(known: Collection[str], part: str) -> str:
    """Return the one recipe that has this in its name. Raises UsageError when none or several have."""
    found = [part] if part in known else [name for name in known if part in name]
    if len(found) != 1:
        several = "several recipes have" if found else "no recipe of which answers are kept has"
        raise UsageError(f"{several} {part!r} in its name: `guardian index compare` lists them")
    return found[0]


@command.command("rebuild")
@pass_session
def rebuild(session: Session) -> None:
    """Make the whole index anew from the kept originals; the one before answers until then.

    Assets whose original is lost are named and left out; adding their files again brings them back. Exit code 4
    if there are any.
    """
    left_out: list[Asset] = []
    held = asyncio.run(_rebuild(session, left_out))
    click.echo(f"rebuilt: {held} assets" + (f"; {len(left_out)} are left out" if left_out else ""))
    raise SystemExit(4 if left_out else 0)


async def _rebuild(session: Session, left_out: list[Asset]) -> int:
    from guardian.app import make_catalog, make_workers, opened_store

    with opened_store(session.config) as store, progress_bar() as progress:
        workers = make_workers(session.config)
        step = progress.add_task("rebuilding", total=None)

        def tell(asset: Asset, reason: str) -> None:
            left_out.append(asset)
            say(progress, printable(f"left out     {asset.id}  “{asset.title}”  ({asset.path})"))
            say(progress, printable(f"             {reason}"))

        return await make_catalog(session.config, store, workers).rebuild(
            lambda done, total: progress.update(step, completed=done, total=total), tell
        )
