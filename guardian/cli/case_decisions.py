"""`guardian case confirm`, `dismiss`, `assign`, `undo`...: what a person decides about cases, several at once."""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.acting import user_name
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY
from guardian.cli.options import option_group
from guardian.errors import DecidedAlready, UsageError
from guardian.model import PURSUED_STATES, Case, CaseFilter, CaseState, DismissReason
from guardian.views.cases import reason_text
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.cases import Edit
    from guardian.store import Store, Transaction

    Change = Callable[[Transaction, str, Edit], Case]

REASONS = {reason.value.replace("_", "-"): reason for reason in DismissReason}
"""The reasons of a dismissal as people write them."""


class _Reason(click.ParamType[DismissReason]):
    """A reason of a dismissal, with blanks, hyphens or underscores between its words."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> DismissReason:
        """Return the reason that a word names; fail with the list of reasons."""
        if isinstance(value, DismissReason):
            return value
        reason = REASONS.get("-".join(str(value).lower().replace("_", " ").replace("-", " ").split()))
        if reason is None:
            self.fail(f"{value!r} is no reason; reasons are {', '.join(REASONS)}", param, ctx)
        return reason


REASON = _Reason()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all of these commands take: the cases, an operator whose cases are meant too, why, and who decides."""

    case_ids: tuple[str, ...]
    operator: str | None
    note: str | None
    by: str | None
    dry_run: bool


_of_cases = option_group(
    _Asked,
    "asked",
    click.argument("case_ids", metavar="[CASE]...", nargs=-1),
    click.option(
        "--operator", metavar="HOST", help="Also all cases of this operator that wait: open, confirmed, notice sent."
    ),
    click.option("--note", help="Why; kept in the case's history."),
    click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine."),
    click.option("--dry-run", is_flag=True, help="Say what would be decided, and change nothing."),
)
"""Adds the options of `_Asked` to a command."""


def _change(session: Session, change: "Change", asked: _Asked) -> None:
    """Change all of the cases, or none when one of them is unknown, and print what each is now."""
    from guardian.cases import Edit
    from guardian.store.ids import new_id

    if not asked.case_ids and asked.operator is None:
        raise UsageError("say which cases: their ids, or --operator HOST for all of one that wait")

    batch = new_id("batch")
    already = set[str]()

    def changed(tx: "Transaction", case_id: str, edit: "Edit") -> Case:
        try:
            return change(tx, case_id, edit)
        except DecidedAlready as error:
            already.add(error.case.id)
            return error.case

    # One transaction for all: a mistyped id must leave no half of the cases decided.
    def write(tx: "Transaction") -> tuple[list[Case], bool]:
        already.clear()
        found = _meant(tx, session, asked)
        edit = Edit(asked.by or user_name(), datetime.now(UTC), asked.note, batch=batch if len(found) > 1 else None)
        if not asked.dry_run:
            found = [changed(tx, case.id, edit) for case in found]
        # Notes stay, and what was undone is not undone in turn.
        return found, any(line.before is not None for line in tx.case_history.lines_of_batch(batch))

    with opened_store(session) as store:
        found, can_be_undone = store.run(write)
    for case in found:
        before = "would change: " if asked.dry_run else ""
        click.echo(f"{before}{case.id}  {case.operator}  {_now(case)}{' already' if case.id in already else ''}")
    if can_be_undone:
        _say_how_to_undo(batch)


def _say_how_to_undo(batch: str) -> None:
    click.echo(f"`guardian case undo --decision {batch}` takes it back at all of them", err=True)


def _meant(tx: "Transaction", session: Session, asked: _Asked) -> list[Case]:
    """Return the cases that are meant, each once. Raises UsageError for an unknown one, and when there is none."""
    from guardian.app import platforms_of
    from guardian.cases.reading import case_starting_with, operator_named

    found = {case.id: case for case in (case_starting_with(tx, case_id) for case_id in asked.case_ids)}
    if asked.operator is not None:
        name = operator_named(asked.operator, platforms_of(session.config))
        wanted = CaseFilter(states=PURSUED_STATES, operator=name, by_priority=True)
        found |= {case.id: case for case in tx.cases.matching(wanted)}
        if not found:
            raise UsageError(f"no case of {name} waits; `guardian operator list` shows all operators")
    return list(found.values())


def _now(case: Case) -> str:
    """Return what a case is now, in words."""
    words = case.state.value
    if case.reason is not None:
        words += f" ({reason_text(case.reason)})"
    if case.assignee is not None:
        words += f", assigned to {case.assignee}"
    if case.labels:
        words += f", labelled {', '.join(case.labels)}"
    if case.due_on is not None:
        words += f", due {case.due_on}"
    return words


def _state_command(name: str, state: CaseState, text: str) -> click.Command:
    """Return a command that gives cases this state: these decisions differ in name, state and help only."""

    @click.command(name, help=text)
    @_of_cases
    @pass_session
    def run(session: Session, asked: _Asked) -> None:
        from guardian.cases import decide

        _change(session, lambda tx, case_id, edit: decide(tx, case_id, state, edit), asked)

    return run


def _not_mine(session: Session, asked: _Asked) -> None:
    """Call the pictures of cases not one's own, or say which other cases that would close."""
    with opened_store(session) as store:
        with store.read() as tx:
            found = _meant(tx, session, asked)
        asyncio.run(_call_not_mine(session, store, found, asked))


async def _call_not_mine(session: Session, store: "Store", found: list[Case], asked: _Asked) -> None:
    from guardian.app import archive_of, make_workers
    from guardian.cases import Edit, call_not_mine
    from guardian.cases.lookalikes import would_close
    from guardian.scan.lookalikes import find_same_pictures
    from guardian.store.ids import new_id

    workers = make_workers(session.config)
    try:
        archive = archive_of(session.config, store, workers)
        same = {case.id: await find_same_pictures(archive, case.id) for case in found}
    finally:
        await workers.aclose()

    batch = new_id("batch") if len(found) > 1 else None
    edit = Edit(asked.by or user_name(), datetime.now(UTC), asked.note, batch=batch)

    def write(tx: "Transaction") -> dict[str, list[Case]]:
        """Return the cases that are closed with each of those that are called not one's own."""
        if asked.dry_run:
            would = {id_: would_close(tx, id_, its.digests) for id_, its in same.items()}
            return {id_: [other for other in closed if other.id not in same] for id_, closed in would.items()}
        return {id_: list(call_not_mine(tx, id_, its.digests, edit, same).closed) for id_, its in same.items()}

    closed_with = store.run(write)
    would = "would be " if asked.dry_run else ""
    for case in found:
        click.echo(f"{case.id}  {case.operator}  {would}dismissed (not mine)")
        for other in closed_with[case.id]:
            click.echo(f"  {other.id}  {other.operator}  {would}dismissed with it (look alike)")
        if not_compared := same[case.id].not_compared:
            pictures = counted(not_compared, "picture")
            click.echo(f"  {pictures} of other cases could not be compared: the bytes are not here", err=True)
    if batch is not None and not asked.dry_run:
        _say_how_to_undo(batch)


@click.command("not-mine")
@_of_cases
@pass_session
def not_mine(session: Session, asked: _Asked) -> None:
    """The picture is another's: dismiss the case and all that show nothing but this picture, now and later.

    guardian keeps the picture as a known look-alike of the work. Whatever shows the same whole picture is quiet from
    then on, at every operator. --dry-run says which cases it would close; `undo` takes all of it back.
    """
    _not_mine(session, asked)


@click.command
@click.option("--reason", type=REASON, metavar="REASON", help=f"One of {', '.join(REASONS)}.")
@_of_cases
@pass_session
def dismiss(session: Session, asked: _Asked, reason: DismissReason | None) -> None:
    """Of no interest: goes on being recorded, never alerts again. For the reason not-mine see `case not-mine`."""
    from guardian.cases import decide

    if reason is DismissReason.NOT_MINE:
        _not_mine(session, asked)
        return

    _change(session, lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=reason), asked)


@click.command
@click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="Last day of the licence; open without.")
@_of_cases
@pass_session
def licensed(session: Session, asked: _Asked, until: datetime | None) -> None:
    """The operator may use the work: write it down as a licence, by which the case is licensed as long as that holds.

    `undo` takes the licence out again; `guardian licence edit` gives it a proof and dates.
    """
    from guardian.app import judging_of
    from guardian.cases.licensing import call_licensed

    judging = judging_of(session.config)
    last = until.date() if until is not None else None
    still_open: dict[str, str] = {}

    def change(tx: "Transaction", case_id: str, edit: "Edit") -> Case:
        case, licence = call_licensed(tx, case_id, judging, edit, until=last)
        if case.state is not CaseState.LICENSED:
            still_open[case.id] = licence.id
        return case

    _change(session, change, asked)
    for case_id, licence_id in still_open.items():
        click.echo(f"note: {licence_id} is added, but by your rules or other uses {case_id} stays open", err=True)


@click.command
@click.option("--to", "person", metavar="NAME", help="Who deals with it.")
@click.option("--nobody", is_flag=True, help="Take it back.")
@_of_cases
@pass_session
def assign(session: Session, asked: _Asked, person: str | None, nobody: bool) -> None:
    """Say who deals with cases."""
    from guardian.cases import assign as assign_case

    if (person is None) == (not nobody):
        raise UsageError("say who deals with it: either --to NAME or --nobody")
    _change(session, lambda tx, case_id, edit: assign_case(tx, case_id, person, edit), asked)


@click.command
@_of_cases
@pass_session
def note(session: Session, asked: _Asked) -> None:
    """Add a note (--note TEXT) to the history of cases; nothing else changes."""
    from guardian.cases import add_note

    if not asked.note:
        raise UsageError("say what is to be noted: --note TEXT")
    _change(session, add_note, asked)


@click.command
@click.option("--add", metavar="LABEL", multiple=True, help="Put it on; several times for several.")
@click.option("--remove", metavar="LABEL", multiple=True, help="Take it off.")
@_of_cases
@pass_session
def label(session: Session, asked: _Asked, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Put labels on cases, or take them off."""
    from guardian.cases import label as label_case

    if not add and not remove:
        raise UsageError("say which: --add LABEL or --remove LABEL")
    _change(session, lambda tx, case_id, edit: label_case(tx, case_id, edit, add=add, remove=remove), asked)


@click.command
@click.option("--on", "day", type=DAY, metavar="YYYY-MM-DD", help="The day until which it wants to be dealt with.")
@click.option("--never", is_flag=True, help="Take the day away.")
@_of_cases
@pass_session
def due(session: Session, asked: _Asked, day: datetime | None, never: bool) -> None:
    """Set the day until which cases want to be dealt with."""
    from guardian.cases import set_due

    if (day is None) == (not never):
        raise UsageError("say which day: either --on YYYY-MM-DD or --never")
    on = day.date() if day is not None else None
    _change(session, lambda tx, case_id, edit: set_due(tx, case_id, on, edit), asked)


@click.command
@click.option(
    "--decision", "batch", metavar="ID", help="Undo this decision about several cases, at all of them or those named."
)
@_of_cases
@pass_session
def undo(session: Session, asked: _Asked, batch: str | None) -> None:
    """Undo the last change that a person made to a case; again for the one before.

    With --decision nothing is undone but that decision, whose ID was said when it was made and stands in the history
    (`case show`). Where it was followed by another one the case stays as it is and is named: exit code 1.
    """
    from guardian.app import judging_of
    from guardian.cases import undo as undo_case

    # Opened for a licence alone: other decisions are undone without the rules, which may not be there.
    judging = functools.partial(judging_of, session.config)

    def change(tx: "Transaction", case_id: str, edit: "Edit") -> Case:
        return undo_case(tx, case_id, edit, judging, batch=batch)

    if batch is None:
        _change(session, change, asked)
    else:
        _undo_decision(session, batch, change, asked)


def _undo_decision(session: Session, batch: str, change: "Change", asked: _Asked) -> None:
    """Undo a decision about several cases where nobody has decided anything since; name the others, exit 1."""
    from guardian.cases import Edit
    from guardian.cases.deciding import require_last
    from guardian.cases.reading import case_starting_with
    from guardian.store.ids import new_id

    edit = Edit(asked.by or user_name(), datetime.now(UTC), asked.note, batch=new_id("batch"))

    def write(tx: "Transaction") -> tuple[list[Case], list[str]]:
        changed, refused = [], []
        meant = _meant_of_decision(tx, session, batch, asked)
        tx.cases.lock_all(meant)
        for case_id in meant:
            try:
                case = case_starting_with(tx, case_id)
                require_last(tx, case, batch)
                changed.append(case if asked.dry_run else change(tx, case_id, edit))
            except UsageError as error:
                refused.append(str(error))
        return changed, refused

    with opened_store(session) as store:
        changed, refused = store.run(write)
    for case in changed:
        click.echo(f"{'would undo: ' if asked.dry_run else ''}{case.id}  {case.operator}  {_now(case)}")
    for why in refused:
        click.echo(f"left as it is: {why}", err=True)
    if refused:
        raise SystemExit(1)


def _meant_of_decision(tx: "Transaction", session: Session, batch: str, asked: _Asked) -> list[str]:
    """Return the cases at which a decision is to be undone: those named, those of an operator, or all of its own."""
    from guardian.app import platforms_of
    from guardian.cases import cases_of_decision
    from guardian.cases.reading import case_starting_with, operator_named

    named = [case_starting_with(tx, case_id).id for case_id in asked.case_ids]
    decided = cases_of_decision(tx, batch)
    if asked.operator is None:
        return list(dict.fromkeys(named or decided))

    operator = operator_named(asked.operator, platforms_of(session.config))
    of_operator = [id_ for id_ in decided if case_starting_with(tx, id_).operator == operator]
    if not of_operator:
        raise UsageError(f"the decision {batch} was about no case of {operator}")
    return list(dict.fromkeys([*named, *of_operator]))


COMMANDS = (
    _state_command("confirm", CaseState.CONFIRMED, "It is a copy that you pursue; stronger findings still alert."),
    dismiss,
    not_mine,
    licensed,
    _state_command(
        "notice-sent", CaseState.NOTICE_SENT, "You have written to the operator; goes on as a confirmed case."
    ),
    _state_command("close", CaseState.CLOSED, "Done: alerts again only when it is shown elsewhere, or comes back."),
    _state_command("resolve", CaseState.RESOLVED, "Settled: the earlier name of close, and the same."),
    _state_command("reopen", CaseState.OPEN, "Take a case up again, whatever was decided."),
    undo,
    assign,
    label,
    due,
    note,
)
"""The commands by which people decide about cases."""
