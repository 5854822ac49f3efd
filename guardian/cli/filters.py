"""The options by which `case list` and `licence uses` choose."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from guardian.errors import UsageError
from guardian.model import Asset, CaseFilter, CaseState, Licence, LicenceStatus, Severity

if TYPE_CHECKING:
    from guardian.store import Transaction

DAY = click.DateTime(["%Y-%m-%d"])

F = TypeVar("F", bound=Callable[..., object])


def uses_options(since: str) -> Callable[[F], F]:
    """Return a decorator that adds --host, --asset, --collection and --since. `since` is the help of the last."""

    def add(function: F) -> F:
        options = (
            click.option("--host", metavar="HOST", help="Only uses of this operator, or on this host or one below it."),
            click.option("--asset", metavar="ID", help="Only uses of this image's work; the id may be shortened."),
            click.option("--collection", metavar="NAME", help="Only uses of images of this collection."),
            click.option("--since", type=DAY, metavar="YYYY-MM-DD", help=since),
        )
        for option in reversed(options):
            function = option(function)
        return function

    return add


def case_filter(
    tx: "Transaction",
    *,
    host: str | None,
    asset: str | None,
    collection: str | None,
    since: datetime | None,
    licence: str | None = None,
    states: tuple[str, ...] = (),
    severities: tuple[str, ...] = (),
) -> CaseFilter:
    """Return the filter that these options describe. Raises UsageError for an asset or licence that there is not."""
    status = LicenceStatus(licence) if licence in list(LicenceStatus) else None
    is_id = licence is not None and status is None
    return CaseFilter(
        states=tuple(CaseState(state) for state in states),
        severities=tuple(Severity(severity) for severity in severities),
        asset_id=asset_starting_with(tx, asset).id if asset is not None else None,
        collection=collection,
        licence=status,
        licence_id=_licence_id(tx, licence or "") if is_id else None,
        since=since.replace(tzinfo=UTC) if since is not None else None,
        host=_host(host) if host is not None else None,
    )


def asset_starting_with(tx: "Transaction", text: str) -> Asset:
    """Return the only asset whose id begins so. Raises UsageError when there is none, or several."""
    prefix = text if text.startswith("asset_") else f"asset_{text}"
    found = [asset for asset in tx.assets.list() if asset.id.startswith(prefix)]
    if not found:
        raise UsageError(f"there is no asset {text}; `guardian asset list` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} assets start with {text}: {', '.join(asset.id for asset in found[:5])}")
    return found[0]


def licence_starting_with(tx: "Transaction", text: str) -> Licence:
    """Return the only licence whose id begins so. Raises UsageError when there is none, or several."""
    prefix = text if text.startswith("lic_") else f"lic_{text}"
    found = [licence for licence in tx.licences.list() if licence.id.startswith(prefix)]
    if not found:
        raise UsageError(f"there is no licence {text}; `guardian licence list` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} licences start with {text}: {', '.join(one.id for one in found[:5])}")
    return found[0]


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
