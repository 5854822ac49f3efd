"""The options by which `case list` and `licence uses` choose."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.options import Decorator, option_group
from guardian.errors import UsageError
from guardian.model import Asset, CaseFilter, Licence, LicenceStatus, Work
from guardian.views.short_ids import only_one, with_prefix

if TYPE_CHECKING:
    from guardian.store import Transaction


class _Day(click.DateTime):
    """A day as people write it; the error says how."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the midnight that begins the day."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a date; write one such as 2026-11-24", param, ctx)


DAY = _Day()


@dataclass(frozen=True, slots=True)
class UseOptions:
    """Which uses are meant: --host, --asset, --collection, --since. Of several all must apply."""

    host: str | None
    asset: str | None
    collection: str | None
    since: datetime | None

    @property
    def are_given(self) -> bool:
        """Whether any of them leaves uses out."""
        return any(value is not None for value in astuple(self))


def use_options(since: str) -> Decorator:
    """Return a decorator that adds the options of UseOptions, given as `uses`. `since` is the help of the last."""
    return option_group(
        UseOptions,
        "uses",
        click.option("--host", metavar="HOST", help="Only uses of this operator, or on this host or one below it."),
        click.option("--asset", metavar="ID", help="Only uses of this image's work; the id may be shortened."),
        click.option("--collection", metavar="NAME", help="Only uses of images of this collection."),
        click.option("--since", type=DAY, metavar="YYYY-MM-DD", help=since),
    )


def case_filter(tx: "Transaction", uses: UseOptions, licence: str | None) -> CaseFilter:
    """Return the filter for these uses, and for a licence: a status, or the id of one, which may be shortened.

    Raises UsageError for an asset or licence that there is not.
    """
    status = LicenceStatus(licence) if licence in list(LicenceStatus) else None
    is_id = licence is not None and status is None
    return CaseFilter(
        asset_id=asset_starting_with(tx, uses.asset).id if uses.asset is not None else None,
        collection=uses.collection,
        licence=status,
        licence_id=_licence_id(tx, licence or "") if is_id else None,
        since=uses.since.replace(tzinfo=UTC) if uses.since is not None else None,
        host=_host(uses.host) if uses.host is not None else None,
    )


def collection_name(text: str | None) -> str | None:
    """Return the name of a collection as it is. Raises UsageError for a blank one."""
    if text is not None and (not text.strip() or not text.isprintable()):
        raise UsageError("--collection: a name has at least one letter, and no line breaks")
    return text


def note_unknown_collection(assets: Iterable[Asset], collection: str | None) -> None:
    """Print a note when none of these assets is in a collection that a person named.

    A collection need not exist yet, so a misspelt one is no error; but nothing found in it must not look clean.
    """
    known = {asset.collection for asset in assets}
    if collection is not None and collection not in known:
        others = f"collections are: {', '.join(sorted(known))}" if known else "nothing is protected yet"
        click.echo(f"note: no image is in the collection {collection}; {others}", err=True)


def asset_starting_with(tx: "Transaction", text: str) -> Asset:
    """Return the only asset whose id begins so. Raises UsageError when there is none, or several."""
    return one_of_assets(tx.assets.starting_with(with_prefix(text, "asset_")), text)


def one_of_assets(assets: Iterable[Asset], text: str) -> Asset:
    """Return the only one of these whose id begins so. Raises UsageError when there is none, or several."""
    prefix = with_prefix(text, "asset_")
    found = [asset for asset in assets if asset.id.startswith(prefix)]
    return only_one(found, [asset.id for asset in found], text, "asset", "`guardian asset list` shows them")


def work_starting_with(tx: "Transaction", start: str) -> Work:
    """Return the only work whose id, or an id of its assets, begins so; `start` may lack "work_", not "asset_".

    Raises UsageError when there is none, or several.
    """
    if start.startswith("asset_"):
        of_asset = tx.works.of_asset(asset_starting_with(tx, start).id)
        found = [of_asset] if of_asset is not None else []
    else:
        found = list(tx.works.starting_with(with_prefix(start, "work_")))
    return only_one(found, [work.id for work in found], start, "work", "`guardian work list --all` shows them")


def licence_starting_with(tx: "Transaction", text: str) -> Licence:
    """Return the only licence whose id begins so. Raises UsageError when there is none, or several."""
    prefix = with_prefix(text, "lic_")
    found = [licence for licence in tx.licences.list() if licence.id.startswith(prefix)]
    return only_one(found, [licence.id for licence in found], text, "licence", "`guardian licence list` shows them")


def _licence_id(tx: "Transaction", text: str) -> str:
    """Return the id of a licence; one that was taken out may still be asked for, by its whole id."""
    if text.startswith("lic_") and tx.findings.licensed(text):
        return text
    try:
        return licence_starting_with(tx, text).id
    except UsageError as error:
        raise UsageError(f"{error}; or say a status: {', '.join(LicenceStatus)}") from error


def _host(text: str) -> str:
    """Return the host or operator that a person means. Raises UsageError for what is none."""
    from guardian.urls.addresses import host_in

    # Findings in local folders have an operator that is no host.
    if text.startswith("folder:"):
        return text
    host = host_in(text)
    if not host:
        raise UsageError(f"{text!r} is not a host; write one such as thief.example")
    return host
