"""`guardian licence`: add, list and remove licences."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import (
    DAY,
    asset_starting_with,
    case_filter,
    collection_name,
    licence_starting_with,
    note_unknown_collection,
    uses_options,
)
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Asset, AssetState, CaseState, Finding, Licence
from guardian.views.findings import finding_json
from guardian.views.licences import TODAY_TEXTS, grant_text, licence_json, scope_text

if TYPE_CHECKING:
    from guardian.cases.standing import Rejudged
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


# One object instead of eight arguments, which is what click would pass.
@dataclass(frozen=True, slots=True)
class _Terms:
    """The options of `licence add`."""

    host: str
    collection: str | None
    asset: str | None
    first: datetime | None
    last: datetime | None
    territory: str | None
    proof: Path | None

    @property
    def dates(self) -> tuple[date | None, date | None]:
        """First and last day."""
        return (self.first.date() if self.first else None, self.last.date() if self.last else None)


@command.command("add")
@click.option("--host", metavar="HOST", required=True, help="The licensee's site; its subdomains are covered.")
@click.option("--collection", metavar="NAME", help="All images of this collection, later ones too.")
@click.option("--asset", metavar="ID", help="One image; the id may be shortened as long as it is unique.")
@click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", help="First day; open without.")
@click.option("--until", "last", type=DAY, metavar="YYYY-MM-DD", help="Last day, included; open without.")
@click.option("--territory", help="Where it holds; kept for people to read.")
@click.option(
    "--proof",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The contract or e-mail that proves it; its path is kept.",
)
@pass_session
def add(session: Session, /, **options: Any) -> None:
    """Note that HOST may use a collection or one image.

    Recorded uses are judged again at once, and nobody is told: an open case all of whose uses are covered is licensed.
    The same terms twice are one licence.
    """
    terms = _Terms(**options)
    if (terms.collection is None) == (terms.asset is None):
        raise UsageError("say what the licence covers: either --collection NAME or --asset ID")

    host = _host(terms.host)
    now = datetime.now(UTC)
    with opened_store(session) as store, store.begin() as tx:
        asset = asset_starting_with(tx, terms.asset) if terms.asset is not None else None
        licence = tx.licences.add(
            host,
            at=now,
            asset_id=asset.id if asset else None,
            collection=collection_name(terms.collection),
            dates=terms.dates,
            territory=terms.territory,
            proof_file=str(terms.proof.resolve()) if terms.proof else None,
        )
        scope = _scope(tx, licence)
        warning = _warning(tx, licence)
        rejudged = _judged_again(tx, session, licence, now)

    screen = Screen.of_output()
    echo(screen.wrapped(f"{licence.id}  {_sentence(licence, scope, now.date())}", 2, first=""))
    if warning:
        click.echo(f"note: {warning}", err=True)
    echo_rejudged(rejudged)


@command.command("list")
@click.option(
    "--host", metavar="HOST", help="Only licences that speak about this host, the hosts above it or below it."
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each licence.")
@pass_session
def list_licences(session: Session, host: str | None, as_lines: bool) -> None:
    """List licences by host, and whether each holds today."""
    from guardian.licences import status_of

    today = datetime.now(UTC).date()
    wanted = _host(host) if host is not None else None
    with opened_store(session) as store, store.read() as tx:
        found = [licence for licence in tx.licences.list() if wanted is None or _speaks_about(licence, wanted)]
        rows = [(licence, _scope(tx, licence)) for licence in found]

    if as_lines:
        echo(json_line(licence_json(licence, status_of(licence, today))) for licence, _ in rows)
        return

    screen = Screen.of_output()
    for licence, scope in rows:
        first = f"{screen.short_id(licence.id)}  "
        echo(screen.wrapped(_sentence(licence, scope, today), len(first), first=first))

    if not rows:
        click.echo("no licences" if wanted is None else f"no licences that speak about {wanted}")


@command.command("remove")
@click.argument("licence_id", metavar="ID")
@pass_session
def remove(session: Session, licence_id: str) -> None:
    """Take a licence out, as if it had never been. To end one, `add` it again with --until and remove the old.

    Recorded uses are judged again at once. A use that is not licensed any more is told of once, unless it was not seen
    while it was licensed. ID may be shortened as long as it is unique.
    """
    with opened_store(session) as store, store.begin() as tx:
        licence = licence_starting_with(tx, licence_id)
        scope = _scope(tx, licence)
        tx.licences.remove(licence.id)
        rejudged = _judged_again(tx, session, licence, datetime.now(UTC))

    echo(Screen.of_output().wrapped(f"removed {licence.id}  {grant_text(licence, scope)}", 2, first=""))
    echo_rejudged(rejudged)


@command.command("uses")
@click.argument("licence_id", metavar="[ID]", required=False)
@uses_options("Counted as licensed since this day or later (UTC).")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each use.")
@pass_session
def list_uses(session: Session, /, licence_id: str | None, as_lines: bool, **options: Any) -> None:
    """List the recorded uses that licences cover, or that the licence ID covers; those licensed last first."""
    from guardian.cases.reading import uses_matching

    with opened_store(session) as store, store.read() as tx:
        rows = uses_matching(tx, case_filter(tx, licence=licence_id, **options))
        assets = [] if rows else tx.assets.list()

    if not rows:
        note_unknown_collection(assets, options["collection"])
    if as_lines:
        echo(json_line(finding_json(finding)) for finding, _ in rows)
        return

    screen = Screen.of_output()
    echo(screen.table(USE_COLUMNS, [_use_row(finding, asset, screen) for finding, asset in rows]))
    if not rows:
        is_all = licence_id is None and not any(options.values())
        click.echo("no licensed uses are recorded" if is_all else "no licensed uses to which all of the options apply")


def _use_row(finding: Finding, asset: Asset, screen: Screen) -> Row:
    """Return one licensed use as a row of the table."""
    licence_id = screen.short_id(finding.licence_id) if finding.licence_id else "-"
    since = f"{finding.licensed_since:%Y-%m-%d}" if finding.licensed_since else "-"
    return Row([licence_id, since, finding.page_url, asset.title, screen.short_id(finding.id)])


def _judged_again(tx: "Transaction", session: Session, licence: Licence, now: datetime) -> "Rejudged":
    """Judge the recorded uses again that a licence speaks about. Raises ConfigError when the rules cannot be read."""
    from guardian.app import judging_of
    from guardian.cases.standing import Rejudged, judge_again, uses_under

    # Without uses no rules are needed, and a licence can be added before there are any.
    uses = uses_under(tx, licence)
    return judge_again(tx, uses, judging_of(session.config), now) if uses else Rejudged()


def echo_rejudged(rejudged: "Rejudged") -> None:
    """Print what became of recorded uses because of a change of licences."""
    for case in rejudged.licensed:
        # A case that a person closed stays so.
        what = "licensed now" if case.state is CaseState.LICENSED else f"stays {case.state.value}, and is licensed now"
        click.echo(f"{case.id}  {case.operator}  {what}")
    for case in rejudged.unlicensed:
        click.echo(f"{case.id}  {case.operator}  not licensed any more, {case.state.value}")


def _host(text: str) -> str:
    """Return the host that a person means, and print it when it differs from what was written.

    Raises UsageError for what is no host, and for a public suffix such as co.uk.
    """
    from guardian.urls.addresses import host_in, is_public_suffix

    host = host_in(text)
    if not host:
        raise UsageError(f"{text!r} is not a host; write one such as customer.example")
    # A licence for co.uk would cover all of its shops.
    if is_public_suffix(host):
        raise UsageError(
            f"everybody may have a name below {host}, so it names nobody; write the licensee's own host, "
            f"such as customer.{host}"
        )
    if host != text:
        click.echo(f"understood {text} as the host {host}", err=True)
    return host


def _speaks_about(licence: Licence, host: str) -> bool:
    """Return whether a licence is of this host, of a host above it or of one below it."""
    from guardian.licences import host_is_under

    return host_is_under(host, licence.host) or host_is_under(licence.host, host)


def _scope(tx: "Transaction", licence: Licence) -> str:
    """Return what a licence covers, in words."""
    return scope_text(licence, tx.assets.get(licence.asset_id) if licence.asset_id is not None else None)


def _warning(tx: "Transaction", licence: Licence) -> str | None:
    """Return why a new licence covers nothing at present; None when it covers something."""
    if licence.asset_id is not None:
        asset = tx.assets.get(licence.asset_id)
        is_out = asset is not None and asset.state is AssetState.WITHDRAWN
        return "this image has been taken out of protection; nothing is compared with it" if is_out else None

    # A collection need not exist yet, so a misspelt one is no error; it is only worth a note.
    protected = tx.assets.list(state=AssetState.PROTECTED)
    if any(asset.collection == licence.collection for asset in protected):
        return None

    known = ", ".join(sorted({asset.collection for asset in protected}))
    return f"no protected image is in the collection {licence.collection}; " + (
        f"collections are: {known}" if known else "nothing is protected yet"
    )


def _sentence(licence: Licence, scope: str, today: date) -> str:
    from guardian.licences import status_of

    return f"{grant_text(licence, scope)}: {TODAY_TEXTS[status_of(licence, today)]}"
