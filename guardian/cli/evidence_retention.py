"""`guardian evidence hold | release | delete | du | check`: what may be deleted, what was, and whether all is whole."""

from datetime import UTC, datetime
from pathlib import Path

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session, require_sound
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.views.counting import counted, size_text

NOT_WHOLE = 4
"""Exit code of `check` when evidence is missing or damaged, as that of `store check`."""

_CASES = (Column("CASE"), Column("FILES", is_number=True), Column("SIZE", is_number=True), Column("HOLD"))
_KINDS = (Column("KIND"), Column("SIZE", is_number=True))


@click.command("hold")
@click.argument("case", metavar="CASE")
@click.option("--note", required=True, help="Why: the number of a matter, the name of a court.")
@pass_session
def hold_case(session: Session, case: str, note: str) -> None:
    """Let nothing of a case be deleted by anybody or anything, until it is released."""
    from guardian.cases.reading import case_starting_with
    from guardian.evidence.retention import hold

    with opened_store(session) as store, store.begin() as tx:
        put = hold(tx, case_starting_with(tx, case), this_user(), note, datetime.now(UTC))
    click.echo(f"{put.case_id} is on hold: nothing of it is deleted until `guardian evidence release {put.case_id}`")


@click.command("release")
@click.argument("case", metavar="CASE")
@click.option("--note", default="", help="Why.")
@pass_session
def release_case(session: Session, case: str, note: str) -> None:
    """End the hold on a case: its evidence may be deleted again, by age or by an administrator."""
    from guardian.cases.reading import case_starting_with
    from guardian.evidence.retention import release

    with opened_store(session) as store, store.begin() as tx:
        found = case_starting_with(tx, case)
        release(tx, found, this_user(), note, datetime.now(UTC))
    click.echo(f"{found.id} is on hold no longer")


@click.command("delete")
@click.argument("case", metavar="CASE")
@click.option("--note", required=True, help="Why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def delete_case_evidence(session: Session, case: str, note: str, yes: bool) -> None:
    """Delete what was captured and kept of a case. The case, its history and a list of what there was stay.

    What cannot be undone is asked about first. A case on hold is refused.
    """
    from guardian.cases.reading import case_starting_with
    from guardian.evidence import remove_needless
    from guardian.evidence.retention import delete_evidence
    from guardian.evidence.vaults import evidence_in
    from guardian.model import DeletionReason

    vault = evidence_in(session.config.data_dir, session.config.evidence)
    with opened_store(session) as store:
        with store.read() as tx:
            found = case_starting_with(tx, case)
            captures = len(tx.evidence.of_case(found.id))
        if not yes:
            what = f"the evidence of {found.id} ({found.operator}), {counted(captures, 'capture')}"
            click.confirm(f"Delete {what}, for ever?", abort=True)
        with store.begin() as tx:
            found = case_starting_with(tx, found.id)
            deleted = delete_evidence(
                tx, vault, found, this_user(), DeletionReason.ASKED, note.strip(), datetime.now(UTC)
            )
        freed = remove_needless(store, vault)

    if deleted is None:
        click.echo(f"{found.id} has no evidence")
        return
    files = counted(len(deleted.files), "file")
    click.echo(f"deleted {files} of {found.id}; {size_text(freed)} are free again; the trace is {deleted.id}")


@click.command("du")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def disk_usage(session: Session, as_json: bool) -> None:
    """Show how much disk space evidence takes: by case, the largest first, and by kind of file."""
    from guardian.evidence.usage import usage
    from guardian.evidence.vaults import evidence_in

    vault = evidence_in(session.config.data_dir, session.config.evidence)
    with opened_store(session) as store, store.read() as tx:
        found = usage(tx, vault)

    if as_json:
        cases = [
            {
                "case": one.case_id,
                "files": one.files,
                "captured_bytes": one.captured_bytes,
                "scanned_bytes": one.scanned_bytes,
                "hold": one.is_held,
            }
            for one in found.cases
        ]
        told = {"cases": cases, "kinds": dict(found.kinds), "on_disk": found.on_disk, "allowed": found.allowed}
        click.echo(json_line(told))
        return

    screen = Screen.of_output()
    rows = [
        Row([one.case_id, str(one.files), size_text(one.total), "hold" if one.is_held else "-"]) for one in found.cases
    ]
    echo(screen.table(_CASES, rows))
    click.echo()
    echo(screen.table(_KINDS, [Row([kind, size_text(size)]) for kind, size in found.kinds]))
    click.echo()
    click.echo(f"{size_text(found.on_disk)} on disk of {size_text(found.allowed)} allowed (evidence.max_bytes)")


@click.command("check")
@click.option(
    "--against",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    metavar="FOLDER",
    help="Another copy of the folder `evidence`, such as a backup: say what the two do not have alike.",
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each file.")
@pass_session
def check_evidence(session: Session, against: Path | None, as_lines: bool) -> None:
    """Read every byte of the vault and say what is missing, damaged or belongs to nothing.

    The copies of notices that were sent are read, too.

    Exits 4 when evidence is missing or damaged, or when the other copy has what this one has not.
    """
    from guardian.evidence.checking import check_vault, compare_copies, count_files
    from guardian.evidence.vaults import evidence_in, notice_copies_in

    vault = evidence_in(session.config.data_dir, session.config.evidence)
    if against is not None and against.resolve() == vault.folder.resolve():
        raise UsageError(f"{against} is the vault itself; name another copy of it")
    with opened_store(session) as store:
        require_sound(store)
        with store.read() as tx:
            needed = dict([*tx.versions.kept_digests(), *tx.evidence.kept_digests()])
            sent = tx.notices.copies()

    copies = notice_copies_in(session.config.data_dir)
    found = [*check_vault(vault, needed), *check_vault(copies, sent)]
    if against is not None:
        found += compare_copies(vault.folder, against)

    screen = Screen.of_output()
    for one in found:
        if as_lines:
            echo([json_line({"fault": one.fault.value, "file": str(one.path), "of": one.owner})])
            continue
        of = f" of {one.owner}" if one.owner is not None else ""
        echo(screen.wrapped(f"{one.fault.value:<10} {one.path}{of}", 11, first="", cut=Cut.NEVER))

    lost = sum(one.fault.is_loss for one in found)
    if not as_lines:
        files = counted(count_files(vault.folder) + count_files(copies.folder), "file")
        said = f"{files} read; {counted(lost, 'file')} missing or damaged" if lost else f"{files} read; all are whole"
        click.echo(said)
        if against is not None and not lost:
            click.echo("the other copy has nothing that this one lacks")
    raise click.exceptions.Exit(NOT_WHOLE if lost else 0)


COMMANDS = (hold_case, release_case, delete_case_evidence, disk_usage, check_evidence)
