"""`guardian evidence`: proof of uses, captured and kept."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guardian.cli import evidence_bundle, evidence_recompute, evidence_retention
from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.errors import GuardianError
from guardian.model import CaptureReason, EvidenceCapture
from guardian.views.counting import size_text
from guardian.views.evidence import (
    capture_json,
    capture_size_text,
    deletion_text,
    hold_text,
    owed_text,
    reason_text,
)

if TYPE_CHECKING:
    from guardian.store import Transaction


@click.group
def command() -> None:
    """Proof of the uses of your images: what was captured of each, kept so that it can be shown later."""


command.add_command(evidence_recompute.command)
for _command in (*evidence_bundle.COMMANDS, *evidence_retention.COMMANDS):
    command.add_command(_command)


@command.command("capture")
@click.argument("case", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="The capture as one JSON object.")
@pass_session
def capture_case(session: Session, case: str, as_json: bool) -> None:
    """Capture the strongest use of a case now.

    What could not be taken is said; exit code 3 when nothing of the site could be taken.
    """
    captured, owed = asyncio.run(_capture(session, case))
    if as_json:
        click.echo(json_line(capture_json(captured)))
    else:
        screen = Screen.of_output()
        echo(_lines(captured, screen))
        for line in owed:
            echo(screen.wrapped(line, 4, first=""))
    raise SystemExit(0 if captured.files else NOT_ALL_SEEN)


@command.command("list")
@click.argument("case", metavar="CASE")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each capture.")
@pass_session
def list_captures(session: Session, case: str, as_lines: bool) -> None:
    """List what was captured of a case, oldest first."""
    from guardian.cases.reading import case_starting_with

    with opened_store(session) as store, store.read() as tx:
        found = case_starting_with(tx, case)
        captures = tx.evidence.of_case(found.id)
        held, deletions = tx.holds.get(found.id), tx.deletions.of_case(found.id)
        owed = _owed(tx, found.id)

    if as_lines:
        echo(json_line(capture_json(one)) for one in captures)
        return

    screen = Screen.of_output()
    for one in captures:
        echo(_lines(one, screen))
    for line in owed:
        echo(screen.wrapped(line, 4, first=""))
    for deletion in deletions:
        echo(screen.wrapped(deletion_text(deletion), 4, first=""))
    if held is not None:
        echo(screen.wrapped(hold_text(held), 4, first=""))
    if not captures and not owed:
        echo(screen.wrapped(f"nothing was captured of {found.id} yet; `guardian evidence capture {found.id}` does it"))


def _owed(tx: "Transaction", case_id: str) -> list[str]:
    """Return what people read of the captures of a case that are still to be taken."""
    from guardian.cases.capture_orders import order_of
    from guardian.model import TaskKind

    return [owed_text(order_of(task), task) for task in tx.tasks.owed(TaskKind.CAPTURE, case_id)]


async def _capture(session: Session, start: str) -> tuple[EvidenceCapture, list[str]]:
    """Owe a capture of a case and take it at once, as the daemon would; return it, and what is owed after it.

    Raises GuardianError when another process is at this case, or when it cannot be taken now: then it stays owed.
    """
    from guardian.app import at_work, capture_services_of, opened_app
    from guardian.cases.capture_orders import ask_for_capture
    from guardian.cases.reading import case_starting_with
    from guardian.config import require_contact
    from guardian.evidence.capture_tasks import CaptureConsumer
    from guardian.housekeeping import take_over
    from guardian.model import TaskKind, TaskState
    from guardian.tasks.runner import Runner

    require_contact(session.config, session.config_path)
    async with opened_app(session.config) as app, at_work(app, "guardian evidence") as heartbeat:
        await take_over(app)
        user, now = this_user(), datetime.now(UTC)
        with app.store.begin() as tx:
            case = case_starting_with(tx, start)
            task = ask_for_capture(tx, case.id, user, now)

        consumer = CaptureConsumer(capture_services_of(app), heartbeat.id, only_case=case.id)
        runner = Runner(app.store, heartbeat.id, app.services.clock, {TaskKind.CAPTURE: consumer})
        while (await runner.run_due_of(TaskKind.CAPTURE)).total():
            pass

        with app.store.read() as tx:
            left = tx.tasks.get(task.id)
            captured = [one for one in tx.evidence.of_case(case.id) if one.reason is CaptureReason.ASKED]
            owed = _owed(tx, case.id)
        if left is not None and left.state is not TaskState.DONE:
            why = left.last_error or "another process is capturing this case just now"
            raise GuardianError(f"not captured yet: {why}. It stays owed, and the daemon tries it again")
        if not captured:
            raise GuardianError(f"{case.id} has no use that could be captured")
        return captured[-1], owed


def _lines(capture: EvidenceCapture, screen: Screen) -> list[str]:
    """Return what people read of a capture."""
    lines = [f"{capture.id}  {screen.moment(capture.began_at)}  {reason_text(capture)}; {capture_size_text(capture)}"]
    for file in capture.files:
        lines += screen.wrapped(f"{file.name}  {size_text(file.size_bytes)}  {file.about}", 4)
    for one in capture.not_taken:
        lines += screen.wrapped(f"not taken: {one.name}: {one.reason}", 4)
    for sentence in capture.differences:
        lines += screen.wrapped(sentence, 4)
    return lines
