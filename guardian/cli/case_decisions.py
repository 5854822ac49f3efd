"""`guardian case confirm`, `dismiss`, `assign`, `undo`...: what a person decides about cases, several at once."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY
from guardian.errors import UsageError
from guardian.model import Case, CaseState, DismissReason
from guardian.views.cases import reason_text

if TYPE_CHECKING:
    from guardian.cases import Edit
    from guardian.store import Transaction

    Change = Callable[[Transaction, str, Edit], Case]

F = TypeVar("F", bound=Callable[..., object])

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


def user_name() -> str:
    """Return the name of this machine's user. In a container the user may have none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _of_cases(function: F) -> F:
    """Add what all of these commands take: the cases, why, and who decides."""
    for option in (
        click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine."),
        click.option("--note", help="Why; kept in the case's history."),
        click.argument("case_ids", metavar="CASE...", nargs=-1, required=True),
    ):
        function = option(function)
    return function


def _change(session: Session, change: "Change", case_ids: tuple[str, ...], by: str | None, note: str | None) -> None:
    """Change all of the cases, or none when one of them is unknown, and print what each is now."""
    from guardian.cases import Edit
    from guardian.cases.reading import case_starting_with
    from guardian.store.ids import new_id

    # One transaction for all: a mistyped id must leave no half of the cases decided.
    batch = new_id("batch") if len(case_ids) > 1 else None
    edit = Edit(by or user_name(), datetime.now(UTC), note, batch=batch)
    with opened_store(session) as store, store.begin() as tx:
        found = dict.fromkeys(case_starting_with(tx, case_id).id for case_id in case_ids)
        changed = [change(tx, case_id, edit) for case_id in found]

    for case in changed:
        click.echo(f"{case.id}  {case.operator}  {_now(case)}")


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
    def run(session: Session, case_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
        from guardian.cases import decide

        _change(session, lambda tx, case_id, edit: decide(tx, case_id, state, edit), case_ids, by, note)

    return run


@click.command
@click.option("--reason", type=REASON, metavar="REASON", help=f"One of {', '.join(REASONS)}.")
@_of_cases
@pass_session
def dismiss(
    session: Session, case_ids: tuple[str, ...], reason: DismissReason | None, note: str | None, by: str | None
) -> None:
    """Of no interest: goes on being recorded, never alerts again."""
    from guardian.cases import decide

    _change(
        session,
        lambda tx, case_id, edit: decide(tx, case_id, CaseState.DISMISSED, edit, reason=reason),
        case_ids,
        by,
        note,
    )


@click.command
@click.option("--to", "person", metavar="NAME", help="Who deals with it.")
@click.option("--nobody", is_flag=True, help="Take it back.")
@_of_cases
@pass_session
def assign(
    session: Session, case_ids: tuple[str, ...], person: str | None, nobody: bool, note: str | None, by: str | None
) -> None:
    """Say who deals with cases."""
    from guardian.cases import assign as assign_case

    if (person is None) == (not nobody):
        raise UsageError("say who deals with it: either --to NAME or --nobody")
    _change(session, lambda tx, case_id, edit: assign_case(tx, case_id, person, edit), case_ids, by, note)


@click.command
@_of_cases
@pass_session
def note(session: Session, case_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
    """Add a note (--note TEXT) to the history of cases; nothing else changes."""
    from guardian.cases import add_note

    if not note:
        raise UsageError("say what is to be noted: --note TEXT")
    _change(session, add_note, case_ids, by, note)


@click.command
@click.option("--add", metavar="LABEL", multiple=True, help="Put it on; several times for several.")
@click.option("--remove", metavar="LABEL", multiple=True, help="Take it off.")
@_of_cases
@pass_session
def label(
    session: Session,
    case_ids: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    note: str | None,
    by: str | None,
) -> None:
    """Put labels on cases, or take them off."""
    from guardian.cases import label as label_case

    if not add and not remove:
        raise UsageError("say which: --add LABEL or --remove LABEL")
    _change(
        session, lambda tx, case_id, edit: label_case(tx, case_id, edit, add=add, remove=remove), case_ids, by, note
    )


@click.command
@click.option("--on", "day", type=DAY, metavar="YYYY-MM-DD", help="The day until which it wants to be dealt with.")
@click.option("--never", is_flag=True, help="Take the day away.")
@_of_cases
@pass_session
def due(
    session: Session, case_ids: tuple[str, ...], day: datetime | None, never: bool, note: str | None, by: str | None
) -> None:
    """Set the day until which cases want to be dealt with."""
    from guardian.cases import set_due

    if (day is None) == (not never):
        raise UsageError("say which day: either --on YYYY-MM-DD or --never")
    on = day.date() if day is not None else None
    _change(session, lambda tx, case_id, edit: set_due(tx, case_id, on, edit), case_ids, by, note)


@click.command
@_of_cases
@pass_session
def undo(session: Session, case_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
    """Undo the last change that a person made to a case; again for the one before."""
    from guardian.cases import undo as undo_case

    _change(session, undo_case, case_ids, by, note)


COMMANDS = (
    _state_command("confirm", CaseState.CONFIRMED, "It is a copy that you pursue; stronger findings still alert."),
    dismiss,
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
