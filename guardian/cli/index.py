"""`guardian index`: show the state of the search index, verify it, rebuild it."""

import asyncio

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.progress import progress_bar
from guardian.model import AssetState


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
    click.echo(f"recipe      {workers.index_recipe}")
    click.echo(f"folder      {workers.index_folder} ({size / 1e6:.1f} MB)")
    click.echo(f"generation  {generation.number if generation else 'none published yet'}")
    click.echo(f"segments    {len(generation.segments) if generation else 0}")
    click.echo(f"assets      {protected} protected" + (f", {adding} not finished" if adding else ""))


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
    """Make the whole index anew from the kept originals; the one before answers until then."""
    click.echo(f"rebuilt: {asyncio.run(_rebuild(session))} assets")


async def _rebuild(session: Session) -> int:
    from guardian.app import make_catalog, make_workers, opened_store

    with opened_store(session.config) as store, progress_bar() as progress:
        workers = make_workers(session.config)
        step = progress.add_task("rebuilding", total=None)
        return await make_catalog(session.config, store, workers).rebuild(
            lambda done, total: progress.update(step, completed=done, total=total)
        )
