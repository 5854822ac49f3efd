"""`guardian delivery`: list and show messages by state, and retry those that were given up."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Task, TaskKind, TaskState
from guardian.views.deliveries import delivery_json
from guardian.views.plain_text import printable
from guardian.views.timestamps import second_text

STATES = [state.value for state in TaskState]


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
        disabled = tx.destinations.disabled()
        counts = tx.tasks.counts()

    for task in tasks:
        click.echo(json_line(_facts(task, disabled)) if as_lines else _line(task, disabled))
    if not as_lines:
        click.echo(", ".join(f"{counts[one]} {one.value}" for one in TaskState) + " in all")


@command.command("show")
@click.argument("number", metavar="ID", type=int)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object, the message under `body`.")
@pass_session
def show_message(session: Session, number: int, as_lines: bool) -> None:
    """Show one message with its exact body."""
    with opened_store(session) as store, store.read() as tx:
        task, disabled = tx.tasks.get(number), tx.destinations.disabled()
        message = tx.messages.get(task.message_id) if task is not None and task.message_id is not None else None

    if task is None or message is None:
        raise UsageError(f"there is no message {number}; `guardian delivery list` shows them")

    facts = _facts(task, disabled)
    body = message.body.decode("utf-8", errors="replace")
    if as_lines:
        click.echo(json_line(facts | {"body": body}))
        return

    for name, value in facts.items():
        click.echo(f"{name:<12} {'-' if value is None else value}")

    click.echo()
    click.echo(_indented(body))


@command.command("retry")
@click.argument("numbers", metavar="[ID]...", type=int, nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every message that was given up.")
@pass_session
def retry_messages(session: Session, numbers: tuple[int, ...], all_dead: bool) -> None:
    """Make dead messages due again, with the same id and the same bytes.

    The running daemon, or the next `guardian run`, sends them.
    """
    if bool(numbers) == all_dead:
        raise UsageError("name the messages to try again, or use --all-dead")

    now = datetime.now(UTC)
    with opened_store(session) as store, store.begin() as tx:
        dead = {task.id: task for task in tx.tasks.list(TaskKind.DELIVER, TaskState.DEAD)}
        # All or none: an error ends the transaction before anything is changed.
        unknown = [str(number) for number in numbers if number not in dead]
        if unknown:
            raise UsageError(f"not dead, so nothing to retry: {', '.join(unknown)}; nothing was changed")

        chosen = [dead[number] for number in dict.fromkeys(numbers)] or list(dead.values())
        for task in chosen:
            tx.tasks.revive(task.id, now)
        disabled = tx.destinations.disabled()

    click.echo(f"{len(chosen)} of {len(dead)} dead messages are due again")
    # They are due, yet nothing goes to a disabled destination.
    named = {task.destination for task in chosen if task.destination is not None}
    for name in sorted(named.intersection(disabled)):
        click.echo(f"but {name} is disabled: guardian destination enable {name}", err=True)


def _facts(task: Task, disabled: Collection[str]) -> dict[str, Any]:
    return delivery_json(task, is_held=_is_held(task, disabled))


def _line(task: Task, disabled: Collection[str]) -> str:
    state = "held" if _is_held(task, disabled) else task.state.value
    words = f"{task.id:>6}  {state:<5} {task.destination or '-':<16} {second_text(task.created_at)}"
    if task.state is TaskState.DUE and task.attempts:
        words += f"  tried {task.attempts}x, again at {second_text(task.due_at)}"
    return f"{words}  {printable(task.last_error)}" if task.last_error else words


def _is_held(task: Task, disabled: Collection[str]) -> bool:
    """Return whether a message waits only because its destination is disabled."""
    return task.state is TaskState.DUE and task.destination in disabled


def _indented(body: str) -> str:
    """Return JSON indented for reading; a body that is not JSON is returned as it is."""
    try:
        return json_line(json.loads(body), indent=2)
    except ValueError:
        return body
