"""`guardian evidence export | verify | key`: one file that proves a case, and the check of such a file."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.views.bundles import lost_json, lost_text
from guardian.views.counting import counted, size_text
from guardian.views.plain_text import printable
from guardian.views.timestamps import second_text

if TYPE_CHECKING:
    from guardian.evidence.bundle import Written
    from guardian.evidence.bundle_options import BundleOptions
    from guardian.evidence.verifying import Verified

DAMAGED, NO_BUNDLE, INCOMPLETE = 1, 2, 3
"""Exit codes of `verify`; `export` too returns the last one."""


@click.command("export")
@click.argument("case", metavar="CASE")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.zip",
    help="Where the bundle goes; a folder gets a file named after case and content. Never overwrites.",
)
@click.option(
    "--without-original", is_flag=True, help="Leave out your own picture; nobody can recompute the comparison."
)
@click.option("--without-timestamp", is_flag=True, help="Ask no time-stamp authority; the bundle says so.")
@click.option(
    "--for-others",
    is_flag=True,
    help="Shorten it for the other side or a court: no notes, names, network addresses or plans of yours.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def export_bundle(
    session: Session,
    case: str,
    out: Path,
    without_original: bool,
    without_timestamp: bool,
    for_others: bool,
    as_json: bool,
) -> None:
    """Write one file with all that proves a case: report, captures, history, signature and time stamp.

    Exits 3 when files of the case are lost or damaged: the bundle has all others, and says which are missing.
    """
    from guardian.evidence.bundle_options import BundleOptions

    options = BundleOptions(
        with_original=not without_original, with_timestamp=not without_timestamp, for_others=for_others
    )
    written = asyncio.run(_export(session, case, out, options))
    is_stamped = bool(session.config.evidence.timestamps) and not without_timestamp
    exit_code = INCOMPLETE if written.lost else 0
    if as_json:
        told = {
            "file": str(written.path),
            "sha256": written.sha256,
            "manifest_sha256": written.manifest_sha256,
            "bytes": written.size_bytes,
            "members": written.members,
            "timestamp": is_stamped,
            "complete": not written.lost,
            "missing": [lost_json(one) for one in written.lost],
            "left_out": list(written.left_out),
        }
        click.echo(json_line(told))
        raise click.exceptions.Exit(exit_code)

    why_unstamped = "as you asked" if without_timestamp else "no authority is configured (evidence.timestamps)"
    _print_written(written, why_unstamped if not is_stamped else None)
    raise click.exceptions.Exit(exit_code)


def _print_written(written: "Written", why_unstamped: str | None) -> None:
    """Print what a bundle has and lacks. `why_unstamped`: why it carries no time stamp; None when it has one."""
    screen = Screen.of_output()
    sizes = f"{counted(written.members, 'file')}, {size_text(written.size_bytes)}"
    echo(screen.wrapped(f"wrote {written.path}: {sizes}", 2, first=""))
    echo(screen.wrapped(f"sha256 {written.sha256}", 2, first="", cut=Cut.NEVER))
    if why_unstamped is not None:
        unstamped = f"the bundle carries no time stamp of an independent authority: {why_unstamped}"
        echo(screen.wrapped(unstamped, 2, first=""))
    if written.left_out:
        echo(screen.wrapped("shortened for others; `guardian evidence verify` tells what was left out", 2, first=""))
    else:
        inside = (
            "it holds internal notes, names and network addresses of your people: for the other side or a court, "
            "export with --for-others"
        )
        echo(screen.wrapped(inside, 2, first=""))
    if written.lost:
        count = counted(len(written.lost), "file")
        echo(screen.wrapped(f"INCOMPLETE: {count} of the case could not be included:", 2, first=""))
        for one in written.lost:
            echo(screen.wrapped(lost_text(one), 4, first="  ", cut=Cut.NEVER))
        again = "restore them from a backup of the data folder, then export again"
        echo(screen.wrapped(again, 2, first=""))


@click.command("verify")
@click.argument("file", metavar="FILE.zip", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The public key that must have signed it.")
@click.option(
    "--authority",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Root certificates (PEM) of time-stamp authorities that you trust, beside those that this machine knows.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify_bundle(file: Path, key: Path | None, authority: Path | None, as_json: bool) -> None:
    """Check every byte of a bundle. Needs no configuration, no network and no database.

    Exits 0 for a whole bundle, 1 for a damaged one or one signed by another key, 2 for what is no bundle, 3 for one
    that is as it was made, but says itself that files of the case were lost before.
    """
    from guardian.evidence.signing import known_key
    from guardian.evidence.timestamps import roots_in, system_roots
    from guardian.evidence.verifying import NotABundle, verify

    roots = [*system_roots(), *(roots_in(authority) if authority is not None else ())]
    known = known_key(key) if key is not None else None
    try:
        found = verify(file, roots, known, datetime.now(UTC))
    except NotABundle as error:
        click.echo(f"guardian: {error}", err=True)
        raise click.exceptions.Exit(NO_BUNDLE) from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error

    if as_json:
        click.echo(json_line(_verified_json(found)))
    else:
        screen = Screen.of_output()
        for sentence in _sentences(found):
            echo(screen.wrapped(printable(sentence), 2, first="", cut=Cut.NEVER))
    incomplete = INCOMPLETE if found.lost else 0
    raise click.exceptions.Exit(incomplete if found.is_whole else DAMAGED)


@click.command("key")
@pass_session
def show_key(session: Session) -> None:
    """Show the public key that signs the bundles of this installation, and its fingerprint; made now if there is none.

    Give it to whoever shall check your bundles, by another way than the bundles themselves.
    """
    from guardian.evidence.signing import installation_key

    # Opening the database makes the data folder, and says what is wrong with it.
    with opened_store(session):
        key = installation_key(session.config.data_dir)
    click.echo(key.public_pem.decode().rstrip())
    click.echo(f"fingerprint {key.fingerprint}")
    click.echo(f"the private key is {key.path}: back it up, and keep it from others", err=True)


COMMANDS = (export_bundle, verify_bundle, show_key)


async def _export(session: Session, start: str, out: Path, options: "BundleOptions") -> "Written":
    from guardian.app import exporting_of, make_workers, opened_store
    from guardian.evidence.exporting import export
    from guardian.evidence.timestamps import NoTimestamp
    from guardian.fetch.trusted import TrustedClient

    config = session.config
    workers = make_workers(config)
    try:
        with opened_store(config) as store:
            async with TrustedClient(config.delivery.ca_file) as client:
                exporting = exporting_of(config, store, workers, client)
                return await export(exporting, start, out, this_user(), datetime.now(UTC), options)
    except NoTimestamp as error:
        what_to_do = "Try again later, or add --without-timestamp for a bundle that says that it carries none"
        raise NoTimestamp(f"{error}. {what_to_do}") from error
    finally:
        await workers.aclose()


def _verified_json(found: "Verified") -> dict[str, object]:
    manifest, stamped, damage = found.manifest, found.stamped, found.damage
    return {
        "whole": found.is_whole,
        "damage": None
        if damage is None
        else {"member": damage.member, "first_byte": damage.first, "end_byte": damage.end, "why": damage.why},
        "sha256": found.sha256,
        "bytes": found.size_bytes,
        "case": manifest.case_id if manifest is not None else None,
        "made_at": manifest.made_at.isoformat() if manifest is not None else None,
        "guardian": manifest.guardian_version if manifest is not None else None,
        "members": len(manifest.members) if manifest is not None else None,
        "key": found.key,
        "key_is_known": found.key_is_known,
        "timestamp": None
        if stamped is None
        else {
            "at": stamped.at.isoformat(),
            "authority": stamped.authority,
            "root": stamped.root,
            "root_is_known": stamped.root_is_known,
        },
        "complete": not found.lost,
        "missing": [lost_json(one) for one in found.lost],
        "left_out": list(manifest.left_out) if manifest is not None else [],
        "notes": list(found.notes),
        "not_checked": list(_not_checked(found)),
    }


def _sentences(found: "Verified") -> Iterator[str]:
    """Yield what people read of a check, one sentence a line."""
    if found.damage is not None:
        yield f"DAMAGED: {found.damage}"
        yield "this is the first fault; what stands after it was not looked at"
        return

    manifest, stamped = found.manifest, found.stamped
    if found.key_is_known is False:
        yield f"NOT SIGNED BY THE KEY THAT YOU NAMED: every byte is as it was signed, but by the key {found.key}"
    if found.lost:
        count = counted(len(found.lost), "file")
        yield (
            f"INCOMPLETE: every byte is as it was signed, but {count} of the case had been lost or damaged before the "
            "bundle was made:"
        )
        yield from (f"  {lost_text(one)}" for one in found.lost)
    if manifest is not None:
        made = f"made {second_text(manifest.made_at)} by guardian {manifest.guardian_version}"
        # As many as `export` counts: the manifest itself, its signature and its time stamp are files too.
        files = counted(len(found.places), "file")
        kind = "a shortened bundle of case" if manifest.left_out else "case"
        whole = "whole" if found.is_whole and not found.lost else "the bundle"
        yield f"{whole}: {kind} {manifest.case_id}, {files}, {size_text(found.size_bytes)}, {made}"
    yield f"sha256 {found.sha256}"
    yield f"signed by the key {found.key}" + (", the one that you named" if found.key_is_known else "")
    if stamped is not None:
        # Anybody can make an authority of their own, with a name and a time of their choice.
        who = "the time-stamp authority" if stamped.root_is_known else "what calls itself the time-stamp authority"
        yield f"existed at {second_text(stamped.at)}, by {who} {stamped.authority}"
    if manifest is not None and manifest.left_out:
        yield "shortened for people outside; left out:"
        yield from (f"  {one}" for one in manifest.left_out)
    for note in found.notes:
        yield f"note: {note}"
    for sentence in _not_checked(found):
        yield f"not checked: {sentence}"


def _not_checked(found: "Verified") -> Sequence[str]:
    """Return what the file alone cannot show."""
    left = []
    if found.key_is_known is None:
        left.append(
            "whose key signed: compare its fingerprint with what the maker tells you, or name a file with --key"
        )
    if found.manifest is not None and not found.manifest.is_stamped:
        left.append("when it was made: it carries no time stamp of an independent authority")
    if found.stamped is not None and not found.stamped.root_is_known:
        left.append(
            f"whether the time-stamp authority is one: its root certificate {found.stamped.root_name} came with the "
            f"bundle and is not known to this machine; compare its SHA-256, {found.stamped.root}, with what the "
            "authority publishes, or name a file with --authority"
        )
    left.append("whether the audit log of the maker still holds these lines: `guardian audit verify` there does")
    return left
