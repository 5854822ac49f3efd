"""`guardian licence import`, `edit`, `end` and `suggest`: licences from a file, changed, ended, drafted from cases."""

import csv
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY, licence_starting_with
from guardian.cli.licence_terms import Terms, echo_rejudged, judging_for, keep_proof, sentence_of, terms_options
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Licence, LicenceStatus
from guardian.views.counting import counted
from guardian.views.licences import licence_cells, licence_json
from guardian.views.plain_text import without_formula

if TYPE_CHECKING:
    from guardian.cases.rejudging import Rejudged
    from guardian.store import Transaction


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CSV")
@click.option("--dry-run", is_flag=True, help="Check the file and change nothing.")
@pass_session
def import_licences(session: Session, file: Path, dry_run: bool) -> None:
    """Add the licences of a spreadsheet saved as CSV, all of them or, when a row is wrong, none.

    The first line names the columns: host, one or more of asset, work, collection and tag, and any of path, from,
    until, territory, medium, proof and note. In each row exactly one of asset, work, collection and tag is filled.
    """
    from guardian.cases.licensing import add, read_licences

    now = datetime.now(UTC)

    def write(tx: "Transaction") -> "tuple[int, set[str], list[tuple[Licence, Rejudged]]]":
        terms = read_licences(tx, file, lambda proof: "" if dry_run else keep_proof(session, proof))
        known = {licence.id for licence in tx.licences.list()}
        added = [] if dry_run else [add(tx, one, judging_for(session), now) for one in terms]
        return len(terms), known, added

    with opened_store(session) as store:
        count, known, added = store.run(write)
    if dry_run:
        click.echo(f"{counted(count, 'licence')} would be added")
        return

    new = len({licence.id for licence, _ in added} - known)
    click.echo(f"{counted(new, 'licence')} added, {len(added) - new} known already")
    for _, rejudged in added:
        echo_rejudged(rejudged)


@click.command("edit")
@click.argument("licence_id", metavar="ID")
@terms_options
@click.option("--no-end", is_flag=True, help="It has no last day any more.")
@pass_session
def edit_licence(session: Session, licence_id: str, no_end: bool, terms: Terms) -> None:
    """Change what a licence says; whom and what it is for stays. Recorded uses are judged again at once."""
    from guardian.cases.licensing import path_named

    if no_end and terms.last is not None:
        raise UsageError("say either --until YYYY-MM-DD or --no-end")

    words = {"territory": terms.territory, "medium": terms.medium, "note": terms.note}
    changes: dict[str, Any] = {name: text for name, text in words.items() if text}
    if terms.path:
        changes["path"] = path_named(terms.path)
    if terms.first is not None:
        changes["valid_from"] = terms.first.date()
    if terms.last is not None or no_end:
        changes["valid_until"] = terms.last.date() if terms.last is not None else None
    if terms.proof is not None:
        changes |= {"proof_file": str(terms.proof.resolve()), "proof_sha256": keep_proof(session, terms.proof)}
    if not changes:
        raise UsageError("say what changes; `guardian licence edit --help` has what may")

    _edit(session, licence_id, lambda licence: replace(licence, **changes))


@click.command("end")
@click.argument("licence_id", metavar="ID")
@click.option("--on", "day", type=DAY, metavar="YYYY-MM-DD", help="The last day on which it holds; without, yesterday.")
@pass_session
def end_licence(session: Session, licence_id: str, day: datetime | None) -> None:
    """End a licence. What is seen of it on a later day is told of: its case is opened, or open again."""
    last = day.date() if day is not None else datetime.now(UTC).date() - timedelta(days=1)

    def end(licence: Licence) -> Licence:
        if licence.valid_from is not None and last < licence.valid_from:
            raise UsageError(f"it only begins on {licence.valid_from}: `guardian licence remove {licence.id}` instead")
        return replace(licence, valid_until=last)

    _edit(session, licence_id, end)


def _edit(session: Session, licence_id: str, change: Callable[[Licence], Licence]) -> None:
    """Change a licence, judge recorded uses again, and print what it says now and what became of the uses."""
    from guardian.cases.licensing import edit

    now = datetime.now(UTC)

    def write(tx: "Transaction") -> "tuple[Licence, Rejudged, str]":
        licence = change(licence_starting_with(tx, licence_id))
        rejudged = edit(tx, licence, judging_for(session), now)
        return licence, rejudged, sentence_of(tx, licence, now.date())

    with opened_store(session) as store:
        licence, rejudged, words = store.run(write)
    echo(Screen.of_output().wrapped(f"{licence.id}  {words}", 2, first=""))
    echo_rejudged(rejudged)


@click.command("suggest")
@click.argument("host", metavar="HOST")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each draft.")
@pass_session
def suggest(session: Session, host: str, as_lines: bool) -> None:
    """Draft licences for what an operator uses ("this customer is allowed"), as CSV for `licence import`.

    One for each work of a case that is neither dismissed nor licensed. Nothing is added.
    """
    from guardian.app import platforms_of
    from guardian.cases.licensing import COLUMNS, suggested
    from guardian.cases.reading import operator_named

    name = operator_named(host, platforms_of(session.config))
    with opened_store(session) as store, store.read() as tx:
        drafts = [(draft, tx.assets.get(draft.asset_id or "")) for draft in suggested(tx, name)]
    if not drafts:
        raise UsageError(
            f"{name} has no case that a licence would settle; `guardian operator list` shows all operators"
        )

    if as_lines:
        echo(json_line(licence_json(draft, LicenceStatus.LICENSED) | {"id": None}) for draft, _ in drafts)
        return

    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    table.writeheader()
    today = datetime.now(UTC).date()
    for draft, asset in drafts:
        table.writerow(_row(draft, today, asset.title if asset else ""))
    click.echo(
        f"{counted(len(drafts), 'draft')}: save as a file, fill in until and proof, then `guardian licence import`",
        err=True,
    )


def _row(draft: Licence, today: date, title: str) -> dict[str, str]:
    return licence_cells(replace(draft, valid_from=today, note=without_formula(title)))


CHANGES = (import_licences, edit_licence, end_licence, suggest)
"""The commands of this file."""
