"""`guardian delivery`: list and show messages by state, and retry those that were given up."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Task, TaskKind, TaskState
from guardian.views.counting import counted
from guardian.views.deliveries import Subject, delivery_facts, delivery_json, subject_of, subject_text
from guardian.views.short_ids import only_one, with_prefix

if TYPE_CHECKING:
    from guardian.store import Transaction

STATES = [state.value for state in TaskState]

_LISTED = "`guardian delivery list` shows them"
_LONGEST_NUMBER = 18
"""Digits that surely fit into a column of the database."""


@click.group
def command() -> None:
    """Messages to your destinations: what went out, what is waiting, what was given up."""


@command.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only messages in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, newest first.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each message.")
@pass_session
def list_messages(session: Session, state: str | None, limit: int, as_lines: bool) -> None:
    """List messages, the newest first.

    due: on its way or to be tried again; done: accepted by the receiver; dead: given up until
    `guardian delivery retry`.
    """
    with opened_store(session) as store, store.read() as tx:
        tasks = tx.tasks.list(TaskKind.DELIVER, TaskState(state) if state else None, limit)
        rows = [(task, _subject(tx, task)) for task in tasks]
        disabled = tx.destinations.disabled()
        counts = tx.tasks.counts(TaskKind.DELIVER)

    if as_lines:
        echo(json_line(delivery_json(task, about, is_held=_is_held(task, disabled))) for task, about in rows)
        return

    screen = Screen.of_output()
    columns = (Column("ID", is_number=True), Column("STATE"), Column("TO", Cut.END), Column("WRITTEN"))
    echo(screen.table(columns, [_row(task, about, disabled, screen) for task, about in rows]))
    click.echo(", ".join(f"{counts[one]} {one.value}" for one in TaskState) + " in all")


@command.command("show")
@click.argument("name", metavar="ID")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each destination, with the `body`.")
@pass_session
def show_message(session: Session, name: str, as_lines: bool) -> None:
    """Show one message with its exact body.

    ID is a number of `guardian delivery list`, for one destination; or a webhook-id as receivers and histories of
    cases have it, for all of them, which may be shortened as long as it is unique.
    """
    with opened_store(session) as store, store.read() as tx:
        tasks, disabled = _named(tx, name), tx.destinations.disabled()
        message = tx.messages.get(tasks[0].message_id or "")

    if message is None:
        raise _no_message(name)

    subject, body = subject_of(message), message.body.decode("utf-8", errors="replace")
    screen = Screen.of_output()
    for task in tasks:
        is_held = _is_held(task, disabled)
        if as_lines:
            click.echo(json_line(delivery_json(task, subject, is_held=is_held) | {"body": body}))
            continue
        echo(screen.facts(delivery_facts(task, subject, is_held=is_held), indent=0))
        click.echo()
    if not as_lines:
        click.echo(_indented(body))


@command.command("retry")
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every message that was given up.")
@click.option("--all-waiting", is_flag=True, help="Every message that waits for its next try.")
@pass_session
def retry_messages(session: Session, names: tuple[str, ...], all_dead: bool, all_waiting: bool) -> None:
    """Try messages again now, with the same id and the same bytes: dead ones, and those that wait for their next try.

    ID is a number of `guardian delivery list`, or a webhook-id. The running daemon, or the next `guardian run`, sends
    them. A receiver that asked for a pause (Retry-After) is still left alone until it is over.
    """
    if bool(names) == (all_dead or all_waiting):
        raise UsageError("name the messages to try again, or use --all-dead or --all-waiting")

    from guardian.delivery.sending import retry_now

    now = datetime.now(UTC)
    with opened_store(session) as store, store.begin() as tx:
        dead = {task.id: task for task in tx.tasks.list(TaskKind.DELIVER, TaskState.DEAD)}
        due = {task.id: task for task in tx.tasks.list(TaskKind.DELIVER, TaskState.DUE)}
        unsettled = dead | due
        # All or none: an error ends the transaction before anything is changed.
        wanted = _unsettled_of(tx, names, unsettled) | {*(dead if all_dead else ()), *(due if all_waiting else ())}

        # In the order of their numbers, each with a line in the audit log.
        retried = {number for number in sorted(wanted) if retry_now(tx, this_user(), unsettled[number], now)}
        revived, hurried = retried & dead.keys(), retried & due.keys()
        disabled = tx.destinations.disabled()

    if all_dead or revived:
        verb = "is" if len(revived) == 1 else "are"
        click.echo(f"{len(revived)} of {counted(len(dead), 'dead message')} {verb} due again")
    if all_waiting or hurried or not (all_dead or revived):
        verb = "is" if len(hurried) == 1 else "are"
        click.echo(f"{counted(len(hurried), 'waiting message')} {verb} due now{_already(wanted, due, hurried)}")

    # They are due, yet nothing goes to a disabled destination.
    wanted_at = {unsettled[number].destination or "" for number in wanted}
    for name in sorted(wanted_at.intersection(disabled)):
        click.echo(f"but {name} is disabled: `guardian destination enable {name}`", err=True)


def _unsettled_of(tx: "Transaction", names: Sequence[str], unsettled: Collection[int]) -> set[int]:
    """Return the numbers of the unsettled deliveries that these names mean.

    A webhook-id means those destinations that have not accepted the message. Raises UsageError for names of which
    nothing is unsettled, and as `_named`.
    """
    found = {name: [task.id for task in _named(tx, name) if task.id in unsettled] for name in names}
    settled = [name for name, numbers in found.items() if not numbers]
    if settled:
        listed = ", ".join(settled)
        raise UsageError(f"neither dead nor waiting, so nothing to retry: {listed}; nothing was changed")
    return {number for numbers in found.values() for number in numbers}


def _named(tx: "Transaction", name: str) -> list[Task]:
    """Return the deliveries that a person means: one by its number, or those of the message of a webhook-id.

    Raises UsageError when there is none, or when several messages begin so.
    """
    if name.isdecimal():
        task = tx.tasks.get(int(name)) if len(name) < _LONGEST_NUMBER else None
        if task is None or task.kind is not TaskKind.DELIVER:
            raise _no_message(name)
        return [task]

    found = tx.tasks.of_message(with_prefix(name, "msg_"))
    ids = list(dict.fromkeys(task.message_id or "" for task in found))
    only_one(ids, ids, name, "message", _LISTED)
    return found


def _no_message(name: str) -> UsageError:
    return UsageError(f"there is no message {name}; {_LISTED}")


def _already(wanted: Collection[int], due: Collection[int], hurried: Collection[int]) -> str:
    """Return how many of the wanted messages were due before, as the end of a sentence; "" for none."""
    before = len(set(wanted).intersection(due)) - len(hurried)
    return f"; {before} {'was' if before == 1 else 'were'} due already" if before else ""


def _subject(tx: "Transaction", task: Task) -> Subject | None:
    message = tx.messages.get(task.message_id) if task.message_id is not None else None
    return subject_of(message) if message is not None else None


def _row(task: Task, subject: Subject | None, disabled: Collection[str], screen: Screen) -> Row:
    state = "held" if _is_held(task, disabled) else task.state.value
    about, waiting = "", ""
    if subject is not None:
        about = subject_text(subject, screen.short_id(subject.case_id) if subject.case_id else None) or subject.type
    if task.state is TaskState.DUE and task.attempts:
        waiting = f"tried {task.attempts}x, again {screen.planned(task.due_at)}"

    cells = [str(task.id), state, task.destination or "-", screen.moment(task.created_at)]
    return Row(cells, [about, waiting, task.last_error or ""])


def _is_held(task: Task, disabled: Collection[str]) -> bool:
    """Return whether a message waits only because its destination is disabled."""
    return task.state is TaskState.DUE and task.destination in disabled


def _indented(body: str) -> str:
    """Return JSON indented for reading; a body that is not JSON is returned as it is."""
    try:
        return json_line(json.loads(body), indent=2)
    except ValueError:
        return body


@command.command("held")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each flood.")
@pass_session
def list_held(session: Session, as_lines: bool) -> None:
    """List the floods of which messages are held: more than `delivery.flood_limit` an hour about one work or rule."""
    from guardian.delivery.floods import held_floods

    with opened_store(session) as store, store.read() as tx:
        floods = held_floods(tx)

    if as_lines:
        echo(json_line({"about": key, "held": number}) for key, number in floods.items())
        return
    for key, number in floods.items():
        click.echo(f"{key}  {counted(number, 'message')} held")
    if not floods:
        click.echo("no messages are held")


@command.command("release")
@click.argument("key", metavar="WORK|RULE")
@pass_session
def release_held(session: Session, key: str) -> None:
    """Send the messages of a flood that are held, as `delivery held` names it."""
    from guardian.delivery.floods import release_flood

    with opened_store(session) as store, store.begin() as tx:
        number = release_flood(tx, this_user(), key, datetime.now(UTC))
    click.echo(f"{counted(number, 'message')} released")


@command.command("drop")
@click.argument("key", metavar="WORK|RULE")
@pass_session
def drop_held(session: Session, key: str) -> None:
    """Never send the messages of a flood that are held. Their cases stay as they are."""
    from guardian.delivery.floods import drop_flood

    with opened_store(session) as store, store.begin() as tx:
        number = drop_flood(tx, this_user(), key, datetime.now(UTC))
    click.echo(f"{counted(number, 'message')} dropped")
