"""`guardian work`: which assets are versions of one picture, and a person's corrections."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guardian.cli.acting import user_name
from guardian.cli.adding import judge_moved
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import asset_starting_with, work_starting_with
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Parted, Work
from guardian.views.counting import counted
from guardian.views.plain_text import printable
from guardian.views.timestamps import minute_text
from guardian.views.works import version_text, work_detail_json, work_json

if TYPE_CHECKING:
    from guardian.store import Transaction


@click.group
def command() -> None:
    """Works: assets that show the same whole picture, which share licences, cases and messages."""


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also works of a single asset, as most are.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each work.")
@pass_session
def list_works(session: Session, every: bool, as_lines: bool) -> None:
    """List works of several assets, each with its versions."""
    from guardian.catalog.works import WORK_RULE

    with opened_store(session) as store, store.read() as tx:
        works = [work for work in tx.works.all() if every or len(work.assets) > 1]
        unsought = len(tx.works.unsought(WORK_RULE))

    screen = Screen.of_output()
    for work in works:
        echo([json_line(work_json(work))] if as_lines else _lines(work, screen))
    if not works and not as_lines:
        click.echo("no works of several assets; `guardian work list --all` lists the others")
    if unsought:
        note = "not compared with the others yet; `guardian run`, `scan` and `asset add` do that"
        click.echo(f"guardian: {counted(unsought, 'asset')} {note}", err=True)


@command.command("show")
@click.argument("work_id", metavar="WORK")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show(session: Session, work_id: str, as_json: bool) -> None:
    """Show a work with its versions and its cases. WORK is its id or an asset's, which may be
    shortened as long as it is unique."""
    with opened_store(session) as store, store.read() as tx:
        work = work_starting_with(tx, work_id)
        parted = _parted(tx, work)
        cases = tx.cases.list(asset_id=work.assets[0].id)

    if as_json:
        click.echo(json_line(work_detail_json(work, parted, cases), indent=2))
        return

    screen = Screen.of_output()
    echo(_lines(work, screen))
    for pair in parted:
        note = f": {pair.note}" if pair.note else ""
        ids = f"{pair.asset_id} and {pair.other_id}"
        echo(screen.wrapped(f"split      {ids} by {pair.by}, {minute_text(pair.at)}{note}", 4, first="  "))
    for case in cases:
        echo(
            screen.wrapped(f"case       {screen.short_id(case.id)}  {case.state.value}  {case.operator}", 4, first="  ")
        )


@command.command("join")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine.")
@pass_session
def join(session: Session, ids: tuple[str, ...], by: str | None) -> None:
    """Make one work of several: what the matcher cannot see to be one picture, a crop say.

    ID is that of a work or of one of its assets; of the first the work's id stays. Their cases become one for each
    operator, and nobody is told. What licences any version has cover all of them. It stays so until a person splits it.
    """
    from guardian.cases import join_works

    now = datetime.now(UTC)

    def write(tx: "Transaction") -> Work:
        works = {work.id: work for work in (work_starting_with(tx, id_) for id_ in ids)}
        if len(works) < 2:
            raise UsageError("these are one work already" if len(ids) > 1 else "join at least two")
        kept, *others = works.values()
        for other in others:
            kept = join_works(tx, kept, other, by=by or user_name(), at=now)
        return kept

    with opened_store(session) as store:
        kept = store.run(write)
        judge_moved(session, store, [kept.assets[0].id])

    echo(_lines(kept, Screen.of_output()))


@command.command("split")
@click.argument("asset_ids", metavar="ASSET...", nargs=-1, required=True)
@click.option("--note", help="Why; `work show` says it.")
@click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine.")
@pass_session
def split(session: Session, asset_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
    """Take assets out of their work: they are another picture, whatever the matcher says.

    Several become one new work together. Findings go with the asset that they matched, and nobody is told, but of uses
    that no licence covers any more. The matcher never joins them again; `work join` does.
    """
    from guardian.cases import split_work

    now = datetime.now(UTC)

    def write(tx: "Transaction") -> tuple[Work | None, Work]:
        assets = {asset_starting_with(tx, asset_id).id for asset_id in asset_ids}
        works = {work.id: work for work in map(tx.works.of_asset, assets) if work is not None}
        if len(works) > 1:
            raise UsageError(f"these assets are of {len(works)} works; split one work at a time")
        (work,) = works.values()
        if len(assets) == len(work.assets):
            raise UsageError(f"{work.id} has no other assets, so there is nothing to split")
        new = split_work(tx, work, sorted(assets), by=by or user_name(), note=note, at=now)
        return tx.works.get(work.id), new

    with opened_store(session) as store:
        left, new = store.run(write)
        judge_moved(session, store, [shown.assets[0].id for shown in (left, new) if shown is not None])

    for shown in (left, new):
        if shown is not None:
            echo(_lines(shown, Screen.of_output()))


def _parted(tx: "Transaction", work: Work) -> Sequence[Parted]:
    """Return what a person has split from a work, each pair once, oldest first."""
    pairs = {(pair.asset_id, pair.other_id): pair for asset in work.assets for pair in tx.works.parted_from(asset.id)}
    return sorted(pairs.values(), key=lambda pair: pair.at)


def _lines(work: Work, screen: Screen) -> Iterator[str]:
    """Yield a work and its versions; in a pipe each on one line, with the path of its file."""
    yield f"{screen.short_id(work.id)}  {counted(len(work.assets), 'version')}"
    for asset in work.assets:
        line = f"{screen.short_id(asset.id)}  {asset.title}  ({version_text(asset)}"
        if screen.columns is None:
            yield printable(f"  {line}; {asset.path})")
            continue
        yield from screen.wrapped(f"{line})", 4, first="  ")
        yield screen.fitted(asset.path, Cut.MIDDLE, "    ")
