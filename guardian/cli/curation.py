"""`guardian asset duplicates`, `siblings` and `poor`: looks through what you own."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import asset_starting_with
from guardian.cli.progress import progress_bar
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.errors import GuardianError
from guardian.model import Asset, AssetState
from guardian.views.counting import counted
from guardian.views.plain_text import printable
from guardian.views.search_results import found_asset_json

if TYPE_CHECKING:
    from guardian.app import SearchServices
    from guardian.search.curation import Cluster, Quality

COLLECTION = click.option("--collection", metavar="NAME", help="Only this collection.")
AS_LINES = click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")


@click.command("duplicates")
@COLLECTION
@AS_LINES
@pass_session
def duplicates(session: Session, collection: str | None, as_lines: bool) -> None:
    """List assets that show the same whole picture, the best version of each first: the one with most pixels.

    Versions of one work are among them: they share cases and licences already, and nothing has to be done. The exit
    code is 3 when some assets could not be looked at.
    """
    asyncio.run(_clusters(session, collection, "duplicates", as_lines=as_lines))


@click.command("siblings")
@COLLECTION
@AS_LINES
@click.option("--declare", is_flag=True, help="Keep that the listed ones are siblings: rules ask for more of them.")
@click.option("--undeclare", metavar="ASSET", multiple=True, help="Keep that this one has no siblings; lists nothing.")
@pass_session
def siblings(
    session: Session, collection: str | None, as_lines: bool, declare: bool, undeclare: tuple[str, ...]
) -> None:
    """List assets that show one scene or shoot and are not the same picture.

    The exit code is 3 when some assets could not be looked at.
    """
    if undeclare:
        with opened_store(session) as store, store.begin() as tx:
            chosen = [asset_starting_with(tx, one) for one in undeclare]
            tx.assets.declare_siblings([asset.id for asset in chosen], None)
        echo([f"{counted(len(chosen), 'asset')} without declared siblings now"])
        return
    asyncio.run(_clusters(session, collection, "siblings", as_lines=as_lines, declare=declare))


@click.command("poor")
@COLLECTION
@AS_LINES
@pass_session
def poor(session: Session, collection: str | None, as_lines: bool) -> None:
    """List assets whose files are poor: tiny, blurred, over-compressed, or naming another owner than yours.

    Pixels are not searched for watermarks: a file names another owner when its copyright notice or licensor does, and
    none of these words is in `owner.name` or `owner.website`.

    Whether copies of an asset would be found is another question: `asset list --weak` answers that. The exit code is
    3 when some originals could not be read.
    """
    asyncio.run(_poor(session, collection, as_lines=as_lines))


async def _clusters(
    session: Session, collection: str | None, kind: str, *, as_lines: bool, declare: bool = False
) -> None:
    from guardian.app import opened_search
    from guardian.search import curation
    from guardian.search.rows import AssetRows

    async with opened_search(session.config, only_asking=not declare) as opened:
        with progress_bar() as progress:
            step = progress.add_task("looking at assets for the first time", total=None, visible=False)
            lacking = await opened.catalog.complete_appearances(
                lambda done, total: progress.update(step, completed=done, total=total, visible=total > 0)
            )
        assets = {asset.number: asset for asset in _protected(opened, collection)}
        rows = await asyncio.to_thread(AssetRows(opened.config.data_dir).open)
        if kind == "siblings":
            found = await asyncio.to_thread(curation.siblings, assets, rows)
            if declare:
                await asyncio.to_thread(_declare, opened, found)
        else:
            hashes = await asyncio.to_thread(opened.catalog.hashes)
            bits = opened.config.catalog.near_identical_bits
            found = await asyncio.to_thread(curation.duplicates, assets, hashes, rows, bits)

    _show(found, kind, as_lines=as_lines)
    raise SystemExit(NOT_ALL_SEEN if lacking else 0)


def _declare(opened: "SearchServices", found: "Sequence[Cluster]") -> None:
    """Keep that the assets of each cluster are siblings; one that had some keeps them, and all become one shoot."""
    from guardian.store.ids import new_id

    with opened.store.begin() as tx:
        for cluster in found:
            before = {asset.shoot for asset in cluster.assets} - {None}
            shoot = min((one for one in before if one), default=None) or new_id("shoot")
            joined = [asset.id for asset in tx.assets.list() if asset.shoot in before]
            tx.assets.declare_siblings([*joined, *(asset.id for asset in cluster.assets)], shoot)


def _show(found: "Sequence[Cluster]", kind: str, *, as_lines: bool) -> None:
    if as_lines:
        name = "best" if kind == "duplicates" else "first"
        for cluster in found:
            first, *others = map(found_asset_json, cluster.assets)
            echo([json_line({name: first, "others": others})])
        return

    screen = Screen.of_output()
    for cluster in found:
        for place, asset in enumerate(cluster.assets):
            lead = ("best   " if kind == "duplicates" else "scene  ") if place == 0 else "       "
            words = f"{screen.short_id(asset.id)}  {asset.width}x{asset.height}  “{asset.title}”  {asset.path}"
            echo([screen.fitted(words, lead=lead)])
    echo([f"{counted(len(found), 'cluster')} of {kind}"])


async def _poor(session: Session, collection: str | None, *, as_lines: bool) -> None:
    from guardian.app import opened_search
    from guardian.search.curation import Poorness, names_another_owner

    unread = 0
    screen = Screen.of_output()
    async with opened_search(session.config, only_asking=True) as opened:
        found = 0
        owner = [name for name in (opened.config.owner.name, opened.config.owner.website) if name]
        for asset in _protected(opened, collection):
            try:
                quality = await opened.search.quality(asset)
            except GuardianError as error:
                unread += 1
                click.echo(f"guardian: {asset.id}: {error}", err=True)
                continue
            named = names_another_owner(asset.rights, owner)
            why = [one.value for one in (*quality.poor, *([Poorness.OTHERS] if named else []))]
            if not why:
                continue
            found += 1
            words = ", ".join(why) + (f" ({named})" if named else "")
            line = f"{screen.short_id(asset.id)}  {asset.width}x{asset.height}  {printable(words)}  “{asset.title}”"
            echo([json_line(_json(asset, quality, why, named)) if as_lines else screen.fitted(line)])
    if not as_lines:
        echo([f"{counted(found, 'poor asset')}"])
        if not owner:
            echo(screen.wrapped("files that name another owner are not looked for: owner.name is not configured"))
    raise SystemExit(NOT_ALL_SEEN if unread else 0)


def _json(asset: Asset, quality: "Quality", why: "Sequence[str]", named: str | None) -> dict[str, Any]:
    return {
        "asset": found_asset_json(asset),
        "poor": list(why),
        "names": named,
        "shorter_side": quality.shorter_side,
        "sharpness": round(quality.sharpness, 4),
        "jpeg_quality": quality.jpeg_quality,
    }


def _protected(opened: "SearchServices", collection: str | None) -> list[Asset]:
    with opened.store.read() as tx:
        return tx.assets.list(collection, AssetState.PROTECTED)
