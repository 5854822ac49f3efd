"""`guardian licence`: add, list and remove licences."""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import (
    UseOptions,
    asset_starting_with,
    case_filter,
    collection_name,
    licence_starting_with,
    note_unknown_collection,
    use_options,
    work_starting_with,
)
from guardian.cli.licence_changes import CHANGES
from guardian.cli.licence_terms import (
    Terms,
    echo_rejudged,
    judging_for,
    keep_proof,
    lapses_soon,
    scope_of,
    sentence,
    terms_options,
)
from guardian.cli.options import option_group
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Asset, AssetState, Finding, Licence
from guardian.views.counting import counted
from guardian.views.findings import finding_json
from guardian.views.licences import grant_text, licence_json

if TYPE_CHECKING:
    from guardian.cases.rejudging import Rejudged
    from guardian.store import Transaction

USE_COLUMNS = (
    Column("LICENCE"),
    Column("SINCE"),
    Column("PAGE", Cut.MIDDLE),
    Column("IMAGE", Cut.END),
    Column("FINDING"),
)


@click.group
def command() -> None:
    """Licences: who may use what, where and when. Rules see for every use whether one covers it."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a licence is for. Exactly one is given."""

    collection: str | None
    asset: str | None
    work: str | None
    tag: str | None


@command.command("add")
@click.option(
    "--host",
    metavar="HOST",
    required=True,
    help="The licensee's site with its subdomains, or an account: instagram.com/name.",
)
@click.option("--collection", metavar="NAME", help="All images of this collection, later ones too.")
@click.option("--asset", metavar="ID", help="One image; the id may be shortened as long as it is unique.")
@click.option("--work", metavar="ID", help="One work, in all its versions.")
@click.option("--tag", metavar="TAG", help="All images with this tag, later ones too.")
@option_group(_Scope, "scope")
@terms_options
@pass_session
def add(session: Session, host: str, scope: _Scope, terms: Terms) -> None:
    """Note that HOST may use a collection, the images with a tag, or one image.

    Recorded uses are judged again at once, and nobody is told: an open case all of whose uses are covered is licensed.
    The same terms twice are one licence.
    """
    from guardian.cases.licensing import add as add_licence
    from guardian.cases.licensing import path_named, place_named

    if sum(one is not None for one in astuple(scope)) != 1:
        raise UsageError("say what the licence covers: either --collection NAME or --asset ID, --work ID or --tag TAG")

    site, account = place_named(host)
    if site + (account or "") != host:
        click.echo(f"understood {host} as the {'account' if account else 'host'} {site}{account or ''}", err=True)
    now = datetime.now(UTC)

    def write(tx: "Transaction") -> "tuple[Licence, Rejudged, str, str | None]":
        written = Licence(
            id="",
            host=site,
            path=path_named(terms.path) if terms.path else account,
            asset_id=_asset_id(tx, scope),
            collection=collection_name(scope.collection),
            tag=scope.tag,
            valid_from=terms.first.date() if terms.first else None,
            valid_until=terms.last.date() if terms.last else None,
            territory=terms.territory,
            medium=terms.medium,
            note=terms.note,
            proof_file=str(terms.proof.resolve()) if terms.proof else None,
            proof_sha256=keep_proof(session, terms.proof) if terms.proof else None,
        )
        licence, rejudged = add_licence(tx, written, judging_for(session), now)
        return licence, rejudged, scope_of(tx, licence), _warning(tx, licence)

    with opened_store(session) as store:
        licence, rejudged, scope_words, warning = store.run(write)
    screen = Screen.of_output()
    echo(screen.wrapped(f"{licence.id}  {sentence(licence, scope_words, now.date())}", 2, first=""))
    if warning:
        click.echo(f"note: {warning}", err=True)
    echo_rejudged(rejudged)


def _asset_id(tx: "Transaction", scope: _Scope) -> str | None:
    """Return the asset that a licence names, for a work its first; None for another scope."""
    if scope.asset is not None:
        return asset_starting_with(tx, scope.asset).id
    if scope.work is not None:
        return work_starting_with(tx, scope.work).assets[0].id
    return None


@command.command("list")
@click.option(
    "--host", metavar="HOST", help="Only licences that speak about this host, the hosts above it or below it."
)
@click.option("--lapsing", is_flag=True, help="Only those that end within 30 days, the next to end first.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each licence.")
@pass_session
def list_licences(session: Session, host: str | None, lapsing: bool, as_lines: bool) -> None:
    """List licences by host, and whether each holds today."""
    from guardian.cases.licensing import place_named
    from guardian.licences import speaks_about, status_of

    today = datetime.now(UTC).date()
    wanted = place_named(host)[0] if host is not None else None
    with opened_store(session) as store, store.read() as tx:
        found = [licence for licence in tx.licences.list() if wanted is None or speaks_about(licence, wanted)]
        if lapsing:
            found = sorted((one for one in found if lapses_soon(one, today)), key=lambda one: one.valid_until or today)
        rows = [(licence, scope_of(tx, licence)) for licence in found]

    if as_lines:
        echo(json_line(licence_json(licence, status_of(licence, today))) for licence, _ in rows)
        return

    screen = Screen.of_output()
    for licence, scope in rows:
        first = f"{screen.short_id(licence.id)}  "
        echo(screen.wrapped(sentence(licence, scope, today), len(first), first=first))

    if not rows:
        what = "no licences end within 30 days" if lapsing else "no licences"
        click.echo(what if wanted is None else f"{what} that speak about {wanted}")
    elif not lapsing and (soon := sum(lapses_soon(licence, today) for licence, _ in rows)):
        click.echo(f"{counted(soon, 'licence')} ending within 30 days: `guardian licence list --lapsing`", err=True)


@command.command("remove")
@click.argument("licence_id", metavar="ID")
@pass_session
def remove(session: Session, licence_id: str) -> None:
    """Take a licence out, as if it had never been. To end one, see `licence end`.

    Recorded uses are judged again at once. A use that is not licensed any more is told of once, unless it was not seen
    while it was licensed. ID may be shortened as long as it is unique.
    """
    from guardian.cases import licensing

    now = datetime.now(UTC)

    def write(tx: "Transaction") -> "tuple[Licence, Rejudged, str]":
        licence = licence_starting_with(tx, licence_id)
        scope = scope_of(tx, licence)
        return licence, licensing.remove(tx, licence, judging_for(session), now), scope

    with opened_store(session) as store:
        licence, rejudged, scope = store.run(write)
    echo(Screen.of_output().wrapped(f"removed {licence.id}  {grant_text(licence, scope)}", 2, first=""))
    echo_rejudged(rejudged)


@command.command("uses")
@click.argument("licence_id", metavar="[ID]", required=False)
@use_options("Counted as licensed since this day or later (UTC).")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each use.")
@pass_session
def list_uses(session: Session, uses: UseOptions, licence_id: str | None, as_lines: bool) -> None:
    """List the recorded uses that licences cover, or that the licence ID covers; those licensed last first."""
    from guardian.cases.reading import uses_matching

    with opened_store(session) as store, store.read() as tx:
        rows = uses_matching(tx, case_filter(tx, uses, licence_id))
        assets = [] if rows else tx.assets.list()

    if not rows:
        note_unknown_collection(assets, uses.collection)
    if as_lines:
        echo(json_line(finding_json(finding)) for finding, _ in rows)
        return

    screen = Screen.of_output()
    echo(screen.table(USE_COLUMNS, [_use_row(finding, asset, screen) for finding, asset in rows]))
    if not rows:
        is_all = licence_id is None and not uses.are_given
        click.echo("no licensed uses are recorded" if is_all else "no licensed uses to which all of the options apply")


def _use_row(finding: Finding, asset: Asset, screen: Screen) -> Row:
    """Return one licensed use as a row of the table."""
    licence_id = screen.short_id(finding.licence_id) if finding.licence_id else "-"
    since = f"{finding.licensed_since:%Y-%m-%d}" if finding.licensed_since else "-"
    return Row([licence_id, since, finding.page_url, asset.title, screen.short_id(finding.id)])


def _warning(tx: "Transaction", licence: Licence) -> str | None:
    """Return why a new licence covers nothing at present; None when it covers something."""
    if licence.asset_id is not None:
        asset = tx.assets.get(licence.asset_id)
        is_out = asset is not None and asset.state is AssetState.WITHDRAWN
        return "this image has been taken out of protection; nothing is compared with it" if is_out else None

    # A collection or tag need not exist yet, so a misspelt one is no error; it is only worth a note.
    protected = tx.assets.list(state=AssetState.PROTECTED)
    if licence.tag is not None:
        is_used = any(licence.tag in asset.tags for asset in protected)
        return None if is_used else f"no protected image has the tag {licence.tag}"
    if any(asset.collection == licence.collection for asset in protected):
        return None

    known = ", ".join(sorted({asset.collection for asset in protected}))
    return f"no protected image is in the collection {licence.collection}; " + (
        f"collections are: {known}" if known else "nothing is protected yet"
    )


for _change in CHANGES:
    command.add_command(_change)
