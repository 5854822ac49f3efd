"""`guardian asset`: your images: protect, list, show, withdraw, keep in line with a folder."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.adding import UNREADABLE, add_files, change_lines, fitted, in_words, judge_moved
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.curation import duplicates, poor, siblings
from guardian.cli.filters import asset_starting_with, collection_name, note_unknown_collection, one_of_assets
from guardian.cli.options import option_group
from guardian.cli.progress import progress_bar
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.errors import UsageError
from guardian.model import Asset, AssetState
from guardian.views.assets import asset_facts, asset_json, weakness_words
from guardian.views.counting import counted
from guardian.views.memory import earlier_json, history_lines

if TYPE_CHECKING:
    from guardian.catalog.details import Correction
    from guardian.catalog.wanted import Wanted

FORMATS = "JPEG, PNG (8 and 16 bit), WebP, GIF, AVIF, TIFF, BMP"


@click.group
def command() -> None:
    """Your images: protect, list, show, correct, take out."""


@command.command(
    "add",
    help=f"""Protect images: files, folders with all that is in them, or CSV files.

    Read are {FORMATS}; not read are raw camera files, HEIC, JPEG XL, PSD, SVG and PDF. A CSV file (ending in
    .csv) has a first line of column names: path, and any of title, collection, tags (separated by semicolons),
    creator, copyright_notice, licensor, web_statement, registration. What it leaves out is read from the
    IPTC, XMP and EXIF fields of the images. Safe to repeat and to interrupt: what is stated otherwise of an
    image that is protected already is corrected, and told. Each new image is searched for by copies of it; one
    that would not be found is named as weak. The exit code is 0 when every file was protected or is named as
    one that cannot be, 3 when a file could not be read.""",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--collection",
    metavar="NAME",
    help="The group they belong to; rules and licences can name it. Of a CSV file: of rows that name none.",
)
@click.option("--title", help="Title of a single file; by default its metadata's, else its name.")
@click.option("--tag", "tags", multiple=True, help="A word that rules can ask for; may be repeated.")
@click.option("--again", is_flag=True, help="Protect also what was removed before.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each file.")
@pass_session
def add(
    session: Session,
    paths: tuple[str, ...],
    collection: str | None,
    title: str | None,
    tags: tuple[str, ...],
    again: bool,
    as_lines: bool,
) -> None:
    wanted = _without_own_files(session, _wanted(paths, collection_name(collection), title, tags))
    if not wanted:
        raise UsageError(f"there is no file in {', '.join(paths)}")

    # Filled while the work goes on, in the order in which results of each kind first come.
    counts: Counter[str] = Counter()
    asyncio.run(add_files(session, wanted, counts, as_lines=as_lines, again=again))
    if not as_lines:
        click.echo(in_words(counts))
    raise SystemExit(3 if counts[UNREADABLE] else 0)


@command.command("sync")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--collection", metavar="NAME", required=True, help="Where new files go.")
@click.option("--yes", is_flag=True, help="Take out what left the folder without asking.")
@click.option("--again", is_flag=True, help="Protect also what was removed before.")
@pass_session
def sync(session: Session, folder: Path, collection: str, yes: bool, again: bool) -> None:
    """Bring the assets in line with FOLDER: protect new files, note moved ones, ask about deleted ones."""
    from guardian.catalog.syncing import compare_with_folder
    from guardian.catalog.wanted import Wanted, as_text
    from guardian.sources.files import absolute_path, files_in

    folder = absolute_path(folder)
    collection_name(collection)
    assets = _protected(session, None)
    is_own = _own_files(session)
    files = [path for path in files_in(folder) if not is_own(path)]

    with progress_bar() as progress:
        step = progress.add_task("comparing", total=len(files))
        found = compare_with_folder(
            folder,
            files,
            assets,
            session.config.matching.max_bytes,
            lambda done, total: progress.update(step, completed=done, total=total),
        )

    # Moved files first: their assets keep id and history, which protecting them anew would lose.
    screen = Screen.of_output()
    echo(fitted((f"moved        {asset.path} -> {as_text(path)}" for asset, path in found.moved), screen))

    _move(session, found.moved)
    counts: Counter[str] = Counter({"unchanged": found.unchanged, "moved": len(found.moved)})
    if found.new:
        asyncio.run(add_files(session, [Wanted(path, collection) for path in found.new], counts, again=again))
    # A deleted file may be a mistake, or a disk that is not there: a person decides.
    missing = (*found.gone, *found.replaced)
    if missing and yes and not files:
        raise UsageError(
            f"{folder} holds no file at all, and {counted(len(missing), 'asset')} came from it: is its disk there? "
            "Nothing was taken out; without --yes you are asked"
        )
    echo(fitted((f"gone         {asset.path}  “{asset.title}”" for asset in missing), screen))

    if missing and (yes or click.confirm(f"Take {counted(len(missing), 'asset')} out of protection?")):
        asyncio.run(_withdraw(session, [asset.id for asset in missing]))
        counts["taken out"] = len(missing)

    click.echo(in_words(counts))
    raise SystemExit(3 if counts[UNREADABLE] else 0)


command.add_command(duplicates)
command.add_command(siblings)
command.add_command(poor)


@command.command("list")
@click.option("--collection", metavar="NAME", help="Only this collection.")
@click.option("--weak", "only_weak", is_flag=True, help="Only those whose copies may not be found.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each asset.")
@pass_session
def list_assets(session: Session, collection: str | None, only_weak: bool, as_lines: bool) -> None:
    """List protected assets, oldest first; of weak ones it is said why copies may not be found."""
    protected = _protected(session, None)
    note_unknown_collection(protected, collection)
    assets = [
        one for one in protected if collection in (None, one.collection) and (not only_weak or weakness_words(one))
    ]
    if as_lines:
        echo(json_line(asset_json(asset)) for asset in assets)
        return

    screen = Screen.of_output()
    columns = (
        Column("ASSET"),
        Column("TITLE", Cut.END),
        Column("COLLECTION", Cut.END),
        Column("PIXELS", is_number=True),
    )
    echo(screen.table(columns, [_row(asset, screen) for asset in assets]))
    if not assets and only_weak:
        click.echo("no weak assets")
    elif not protected:
        click.echo("no assets; `guardian asset add PATH --collection NAME` protects some")


@command.command("show")
@click.argument("asset_id", metavar="ASSET")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, on a terminal too.")
@pass_session
def show(session: Session, asset_id: str, as_json: bool) -> None:
    """Show one asset, its work, the other versions in it, and where it was seen before it was protected.

    ASSET may be shortened as long as it is unique. In a pipe it is one JSON object.
    """
    with opened_store(session) as store, store.read() as tx:
        asset = asset_starting_with(tx, asset_id)
        work = tx.works.of_asset(asset.id)
        earlier = tx.earlier_uses.of_asset(asset.id)
    versions = [one.id for one in work.assets if one.id != asset.id] if work is not None else []
    screen = Screen.of_output()
    # Scripts read JSON from here since before there was --json.
    if as_json or screen.columns is None:
        more = {"versions": versions, "seen_before": [earlier_json(use) for use in earlier]}
        click.echo(json_line(asset_json(asset) | more, indent=2))
        return
    echo(screen.facts(asset_facts(asset, versions), indent=0))
    echo(screen.reflowed(history_lines(earlier)))


@command.command("spread")
@click.argument("asset_id", metavar="ASSET")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--dot", type=click.Path(dir_okay=False, path_type=Path), help="Write the graph for Graphviz.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write a time line with pictures.")
@pass_session
def spread(session: Session, asset_id: str, as_json: bool, dot: Path | None, svg: Path | None) -> None:
    """Show how the copies of an asset hang together: what was made of what, who had it first, where and when.

    Known is what scans have met since the memory began, and every finding. ASSET may be shortened. The exit code is 3
    when the versions could not be compared with each other.
    """
    from guardian.cli.spread import read_spread, write_graph
    from guardian.views.spread import spread_dot, spread_json, spread_lines, spread_svg

    found = read_spread(session, asset_id)
    if dot is not None:
        write_graph(dot, spread_dot(found))
    if svg is not None:
        write_graph(svg, spread_svg(found))
    if as_json:
        echo([json_line(spread_json(found))])
    else:
        echo(Screen.of_output().reflowed(spread_lines(found)))
    if found.not_compared:
        raise SystemExit(NOT_ALL_SEEN)


@command.command("remove")
@click.argument("asset_ids", metavar="ASSET...", nargs=-1, required=True)
@pass_session
def remove(session: Session, asset_ids: tuple[str, ...]) -> None:
    """Take assets out of protection: they disappear from all answers at once. Cases and evidence stay."""
    known = _all(session)
    chosen = [one_of_assets(known, asset_id) for asset_id in asset_ids]
    taken = asyncio.run(_withdraw(session, [asset.id for asset in chosen]))
    lines = [f"taken out    {asset.id}  “{asset.title}”" for asset in taken]
    lines += [f"was out      {asset.id}  “{asset.title}”" for asset in chosen if asset.state is AssetState.WITHDRAWN]
    echo(fitted(lines, Screen.of_output()))


def _row(asset: Asset, screen: Screen) -> Row:
    weak = weakness_words(asset)
    cells = [screen.short_id(asset.id), asset.title, asset.collection, f"{asset.width}x{asset.height}"]
    return Row(cells, [f"weak: {weak}"] if weak else [], asset.path)


@dataclass(frozen=True, slots=True)
class _Details:
    """What `asset edit` states anew. None, or no tag: not stated."""

    title: str | None
    collection: str | None
    tags: tuple[str, ...]
    no_tags: bool


@dataclass(frozen=True, slots=True)
class _Rights:
    """The rights that `asset edit` states anew, named as in a CSV file. None: not stated; "" takes one away."""

    creator: str | None
    copyright_notice: str | None
    licensor: str | None
    web_statement: str | None
    registration: str | None


@command.command("edit")
@click.argument("asset_ids", metavar="ASSET...", nargs=-1, required=True)
@click.option("--title", help="Its new title.")
@click.option("--collection", metavar="NAME", help="The collection that it belongs to from now on.")
@click.option("--tag", "tags", multiple=True, help="All its tags from now on; may be repeated.")
@click.option("--no-tags", is_flag=True, help="Take all tags away.")
@click.option("--creator", help='Who made it; "" takes this and each of the following away.')
@click.option("--copyright-notice", help="Its copyright notice.")
@click.option("--licensor", help="Who grants licences.")
@click.option("--web-statement", metavar="URL", help="Where its terms are stated.")
@click.option("--registration", help="Its registration number.")
@option_group(_Details, "details")
@option_group(_Rights, "rights")
@pass_session
def edit(session: Session, asset_ids: tuple[str, ...], details: _Details, rights: _Rights) -> None:
    """Correct title, collection, tags and rights of assets, and say what changed.

    Licences and rules see the corrected asset from the next answer on; cases follow at once when an asset changes
    its collection, which licences go by. To correct many, change their CSV file and add it again.
    """
    from guardian.catalog.details import changes, edited

    known = _all(session)
    chosen = [one_of_assets(known, asset_id) for asset_id in asset_ids]
    correction = _correction(details, rights)
    moved, lines = list[str](), list[str]()
    with opened_store(session) as store:
        for asset in chosen:
            after = edited(asset, correction)
            found = changes(asset, after)
            if found:
                with store.begin() as tx:
                    tx.assets.edit(after)
            if after.collection != asset.collection:
                moved.append(asset.id)
            lines += [f"{'changed' if found else 'unchanged':<12} {asset.id}  “{after.title}”", *change_lines(found)]
        echo(fitted(lines, Screen.of_output()))
        judge_moved(session, store, moved)


def _correction(details: _Details, rights: _Rights) -> "Correction":
    """Return what the options of `asset edit` state. Raises UsageError when that is nothing, or cannot be."""
    from guardian.catalog.details import Correction

    if details.title is not None and not details.title.strip():
        raise UsageError("--title: a title has at least one letter")
    if details.tags and details.no_tags:
        raise UsageError("--tag and --no-tags exclude each other")

    correction = Correction(
        title=details.title,
        collection=collection_name(details.collection),
        tags=() if details.no_tags else details.tags or None,
        rights={name: text for name, text in asdict(rights).items() if text is not None},
    )
    if correction == Correction():
        raise UsageError("nothing to change; `guardian asset edit --help` lists what can be")
    return correction


def _wanted(paths: Iterable[str], collection: str | None, title: str | None, tags: tuple[str, ...]) -> "list[Wanted]":
    """Return all files that are to be protected: files, those of folders, and those that CSV files list.

    Raises UsageError for a path that cannot be read and ConfigError for a wrong CSV file.
    """
    from guardian.catalog.spreadsheet import read_spreadsheet
    from guardian.catalog.wanted import Wanted
    from guardian.sources.files import absolute_path, files_in

    wanted: list[Wanted] = []
    for given in paths:
        # Path("") is the working folder, which nobody meant.
        if not given:
            raise UsageError("a PATH is empty: is there a variable without a value?")

        path = Path(given)
        if path.suffix.lower() == ".csv":
            wanted += read_spreadsheet(path, collection)
            continue
        if collection is None:
            raise UsageError("--collection NAME is required: it groups the images for rules and licences")

        try:
            path.stat()
        except FileNotFoundError as error:
            raise UsageError(f"there is no file or folder {path}") from error
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error

        files = files_in(absolute_path(path)) if path.is_dir() else [absolute_path(path)]
        wanted += [Wanted(file, collection, title, tags) for file in files]

    if title is not None and len(wanted) != 1:
        raise UsageError(f"--title is for one file; these are {len(wanted)}")
    return wanted


def _own_files(session: Session) -> Callable[[Path], bool]:
    """Return a function that tells whether a file lies in guardian's data folder.

    What it keeps there are the originals of assets, and evidence: copies, which must not become assets.
    """
    # Only folders are resolved: a link in the data folder counts as lying there, wherever it points.
    data = session.config.data_dir.resolve()
    # Unlike Path.resolve() this raises for no path, however long, and for no circle of links.
    return lambda path: Path(os.path.realpath(path.parent)).is_relative_to(data)


def _without_own_files(session: Session, wanted: "list[Wanted]") -> "list[Wanted]":
    """Return the files outside guardian's data folder; print how many were left out."""
    is_own = _own_files(session)
    others = [one for one in wanted if not is_own(one.path)]
    if len(others) < len(wanted):
        left_out = counted(len(wanted) - len(others), "file")
        click.echo(f"left out: {left_out} of guardian's own data folder", err=True)
    return others


async def _withdraw(session: Session, ids: Sequence[str]) -> list[Asset]:
    """Take assets out of all answers; return those that were not out already."""
    from guardian.app import make_catalog, make_workers

    with opened_store(session) as store:
        return await make_catalog(session.config, store, make_workers(session.config)).withdraw(ids)


def _protected(session: Session, collection: str | None) -> list[Asset]:
    with opened_store(session) as store, store.read() as tx:
        return tx.assets.list(collection, AssetState.PROTECTED)


def _all(session: Session) -> list[Asset]:
    with opened_store(session) as store, store.read() as tx:
        return tx.assets.list()


def _move(session: Session, moved: Sequence[tuple[Asset, Path]]) -> None:
    """Record the new paths of assets whose files were moved."""
    from guardian.catalog.wanted import as_text

    if moved:
        with opened_store(session) as store, store.begin() as tx:
            for asset, path in moved:
                tx.assets.move(asset.id, as_text(path))
