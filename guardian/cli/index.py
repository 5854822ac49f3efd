"""`guardian index`: show the state of the search index, verify it, rebuild it."""

import asyncio

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.progress import progress_bar, say
from guardian.cli.screen import Screen, echo
from guardian.model import Asset, AssetState
from guardian.views.plain_text import printable


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
        "folder": f"{workers.index_folder} ({size / 1e6:.1f} MB)",
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
