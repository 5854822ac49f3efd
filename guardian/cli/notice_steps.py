"""`guardian notice consider | approve | verify | sent | counter | withdraw`: what people do with a drafted notice."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.acting import this_user, user_name
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.filters import DAY
from guardian.cli.screen import Screen, echo
from guardian.errors import NoticeIncomplete, UsageError
from guardian.model.notices import Notice, NoticeStep, OpenPoint
from guardian.views.notices import notice_text

if TYPE_CHECKING:
    from guardian.notices.business_days import CounterWindow
    from guardian.notices.steps import StepAuthor
    from guardian.store import Transaction

_COMMANDS = {
    NoticeStep.LICENCE_CHECKED: "consider {reference} --licence 'what was checked'",
    NoticeStep.CONSIDERED: "consider {reference} --exceptions 'why none applies'",
    NoticeStep.APPROVED: "approve {reference} --by NAME",
    NoticeStep.VERIFIED: "verify {reference}",
}
"""How each step that settles an open point is written after `guardian notice`."""

_BY = click.option("--by", metavar="NAME", help="Who does it; by default the user of this machine.")
_NOTE = click.option("--note", help="Why; kept in the notice's history.")


@click.command("consider")
@click.argument("notice_id", metavar="ID")
@click.option("--licence", metavar="TEXT", help="What was checked to be sure that no licence covers the uses.")
@click.option(
    "--exceptions", metavar="TEXT", help="Why no exception applies: fair use, quotation, parody, and the like."
)
@_BY
@pass_session
def consider_notice(
    session: Session, notice_id: str, licence: str | None, exceptions: str | None, by: str | None
) -> None:
    """Record a person's licence check and consideration of exceptions, in that person's words."""
    from guardian.notices.steps import check_licence, consider, notice_starting_with

    if licence is None and exceptions is None:
        raise UsageError("say what was considered: --licence TEXT, --exceptions TEXT")

    def step(tx: "Transaction") -> Notice:
        notice = notice_starting_with(tx, notice_id)
        if licence is not None:
            notice = check_licence(tx, notice.id, licence, _by(by))
        if exceptions is not None:
            notice = consider(tx, notice.id, exceptions, _by(by))
        return notice

    with opened_store(session) as store:
        _told(store.run(step))


@click.command("approve")
@click.argument("notice_id", metavar="ID")
@click.option("--by", metavar="NAME", required=True, help="Who approves; not the drafter if notices.four_eyes is on.")
@_NOTE
@pass_session
def approve_notice(session: Session, notice_id: str, by: str, note: str | None) -> None:
    """Let a notice go out. What is missing is named one by one."""
    from guardian.notices.steps import approve, notice_starting_with

    def step(tx: "Transaction") -> Notice:
        notice = notice_starting_with(tx, notice_id)
        with _told_by_commands(notice):
            return approve(tx, notice.id, _by(by), session.config.notices, note)

    with opened_store(session) as store:
        _told(store.run(step))


@click.command("verify")
@click.argument("notice_id", metavar="ID")
@_BY
@pass_session
def verify_notice(session: Session, notice_id: str, by: str | None) -> None:
    """Look whether all addresses of a notice are live: the pages show the pictures, the files are there.

    Exit code 1 when one is not. It holds for 24 hours; `notice sent` looks by itself.
    """
    notice = asyncio.run(_verify(session, notice_id, by, always=True))
    looked = notice.history[-1]
    for address, why in looked.detail.items():
        click.echo(f"not live: {address}: {why}")
    if looked.detail:
        raise SystemExit(1)
    number = len(notice.places)
    click.echo("the place is live" if number == 1 else f"all {number} places are live")


@click.command("sent")
@click.argument("notice_id", metavar="ID")
@click.option("--to", "recipient", metavar="ADDRESS", required=True, help="To whom it was sent.")
@click.option("--by", metavar="NAME", required=True, help="Who sent it.")
@click.option(
    "--file",
    "copy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What was sent; without it guardian's own mail draft is kept as the copy.",
)
@_NOTE
@pass_session
def sent_notice(session: Session, notice_id: str, recipient: str, by: str, copy: Path | None, note: str | None) -> None:
    """Record that you have sent a notice, with a copy. guardian itself sends none.

    Its addresses are looked at first, unless somebody did so within 24 hours. Its cases become notice_sent, and their
    pages are looked at again after 1, 3, 7, 14, 30 and 90 days by `guardian run`.
    """
    from guardian.evidence.vaults import notice_copies_in
    from guardian.notices.copies import keep_copy
    from guardian.notices.documents import mail_of
    from guardian.notices.steps import mark_sent

    notice = asyncio.run(_verify(session, notice_id, by, always=False))
    try:
        content = copy.read_bytes() if copy is not None else mail_of(notice, session.config.owner)
    except OSError as error:
        raise UsageError(f"cannot read {copy}: {error.strerror}") from error
    copies = notice_copies_in(session.config.data_dir)

    def step(tx: "Transaction") -> Notice:
        def keep() -> str:
            return keep_copy(tx, copies, content)

        with _told_by_commands(notice):
            return mark_sent(tx, notice.id, recipient, keep, _by(by), session.config.notices, note)

    with opened_store(session) as store:
        sent = store.run(step)
    _told(sent)
    click.echo(f"the copy is kept as {sent.history[-1].detail['copy_sha256']}")


@click.command("counter")
@click.argument("notice_id", metavar="ID")
@click.option("--received", type=DAY, metavar="YYYY-MM-DD", required=True, help="The day on which it was received.")
@_BY
@_NOTE
@pass_session
def counter_notice(session: Session, notice_id: str, received: datetime, by: str | None, note: str | None) -> None:
    """Record a counter notice, and say when the material may be restored: after 10 to 14 business days."""
    from guardian.notices.steps import note_counter, notice_starting_with

    def step(tx: "Transaction") -> "tuple[Notice, CounterWindow]":
        notice = notice_starting_with(tx, notice_id)
        return note_counter(tx, notice.id, received.date(), _by(by), session.config.notices, note)

    with opened_store(session) as store:
        notice, window = store.run(step)
    _told(notice)
    click.echo(
        f"unless the provider learns of an action in court first, it restores the material between {window.earliest} "
        f"and {window.latest} (17 U.S.C. 512(g)(2)(C))"
    )


@click.command("withdraw")
@click.argument("notice_id", metavar="ID")
@_BY
@_NOTE
@pass_session
def withdraw_notice(session: Session, notice_id: str, by: str | None, note: str | None) -> None:
    """Withdraw a notice, sent or not, because its mail came back for instance.

    A case about which no other notice is out waits for somebody again.
    """
    from guardian.notices.steps import notice_starting_with, withdraw

    def step(tx: "Transaction") -> Notice:
        return withdraw(tx, notice_starting_with(tx, notice_id).id, _by(by), note)

    with opened_store(session) as store:
        _told(store.run(step))


async def _verify(session: Session, notice_id: str, by: str | None, *, always: bool) -> Notice:
    """Look at the addresses of a notice and record what was seen; return it. Without `always` only if it is due."""
    from guardian.app import opened_app
    from guardian.config import require_contact
    from guardian.notices.steps import (
        is_verified,
        note_verified,
        notice_starting_with,
        points_of_people,
        require_open,
    )
    from guardian.scan.recheck.notice_addresses import dead_addresses, recipient_doubt

    with opened_store(session) as store, store.read() as tx:
        notice = notice_starting_with(tx, notice_id)
        require_open(notice)
        is_waiting = bool(points_of_people(tx, notice, session.config.notices, datetime.now(UTC)))
    if not always and (is_waiting or is_verified(notice, datetime.now(UTC))):
        return notice

    require_contact(session.config, session.config_path)
    async with opened_app(session.config) as app:
        dead, doubt = await dead_addresses(app.services, notice), await recipient_doubt(notice)
        if doubt is not None:
            click.echo(f"note: {doubt}", err=True)
        return app.store.run(lambda tx: note_verified(tx, notice.id, dead, _by(by), doubt))


@contextmanager
def _told_by_commands(notice: Notice) -> Iterator[None]:
    """Raise UsageError for a NoticeIncomplete of the body: the same, with the command that settles each point."""
    try:
        yield
    except NoticeIncomplete as error:
        points = [f"  - {point_text(point, notice)}" for point in error.points]
        raise UsageError("\n".join([f"{error.problem}:", *points])) from error


def point_text(point: OpenPoint, notice: Notice) -> str:
    """Return what has to be done with a notice, and the command that does it where there is one."""
    from guardian.notices.drafting import reference_of

    command = _COMMANDS.get(point.step) if point.step is not None else None
    if command is None:
        return missing_text(point.words, notice)
    return f"{point.words}: `guardian notice {command.format(reference=reference_of(notice.id))}`"


def missing_text(words: str, notice: Notice) -> str:
    """Return what a notice lacks, one of its `missing`, and the command that gives it where there is one."""
    from guardian.notices.elements import GIVE_TITLES, NAME_FEE

    commands = []
    if words.endswith(GIVE_TITLES):
        commands = [f"`guardian asset edit {item.asset_id} --title TITLE`" for item in notice.items if not item.title]
    elif words.endswith(NAME_FEE):
        commands = ["`guardian notice draft CASE... --fee '250 EUR'`"]
    return f"{words}: {', '.join(commands)}" if commands else words


def _by(name: str | None) -> "StepAuthor":
    from guardian.notices.steps import StepAuthor

    return StepAuthor(name or user_name(), datetime.now(UTC), this_user())


def _told(notice: Notice) -> None:
    echo(Screen.of_output().wrapped(notice_text(notice), 2, first=""))


COMMANDS = (consider_notice, approve_notice, verify_notice, sent_notice, counter_notice, withdraw_notice)
