"""`guardian notice`: drafts of notices, lists and shows them; the steps after a draft are in notice_steps.py."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli import notice_steps
from guardian.cli.acting import this_user, user_name
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.notice_steps import missing_text, point_text
from guardian.cli.options import option_group
from guardian.cli.screen import Column, Cut, Row, Screen, echo
from guardian.cli.showing import json_line
from guardian.durable import new_file, sync_file
from guardian.errors import UsageError
from guardian.model.notices import Notice, NoticeKind, NoticeLanguage, NoticeState
from guardian.views.counting import counted
from guardian.views.notices import kind_text, line_text, next_day_text, notice_json, notice_text

if TYPE_CHECKING:
    from guardian.notices.drafting import NoticeConfig
    from guardian.store import Store

KINDS = [kind.value for kind in NoticeKind]
LANGUAGES = [language.value for language in NoticeLanguage]
COLUMNS = (
    Column("NOTICE"),
    Column("STATE"),
    Column("KIND"),
    Column("LANGUAGE"),
    Column("OPERATOR", Cut.MIDDLE),
)


@click.group
def command() -> None:
    """Notices to operators and hosts. guardian drafts them and keeps what was done; people send them.

    draft, consider, approve, verify, sent: in this order. ID may be shortened as long as it is unique.
    """


for _step in notice_steps.COMMANDS:
    command.add_command(_step)


@dataclass(frozen=True, slots=True)
class _DraftOptions:
    """What a notice shall be, as `notice draft` takes it."""

    kind: str
    language: str | None
    recipient: str | None
    fee: str | None
    remark: str | None
    by: str | None


@command.command("draft")
@click.argument("case_ids", metavar="CASE...", nargs=-1, required=True)
@click.option(
    "--kind",
    required=True,
    type=click.Choice(KINDS),
    help="By US law, by EU law, a letter, or an offer.",
)
@click.option("--lang", "language", type=click.Choice(LANGUAGES), help="By default notices.language.")
@click.option(
    "--to",
    "recipient",
    metavar="ADDRESS",
    help="Whom it is written to: a mail address, or a name. Letters: by default whom the site names, if it is clear.",
)
@click.option("--fee", metavar="TEXT", help="What a licence costs, such as '250 EUR' (licence-offer).")
@click.option("--remark", metavar="TEXT", help="Words of your own, put before the end.")
@click.option("--by", metavar="NAME", help="Who drafts it; by default the user of this machine.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write text, form blocks, PDF and .eml into it."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@option_group(_DraftOptions, "options")
@pass_session
def draft_notice(
    session: Session, case_ids: tuple[str, ...], options: _DraftOptions, out: Path | None, as_json: bool
) -> None:
    """Draft one notice about cases of one operator, as text, PDF and mail draft. Nothing is sent.

    Several works make a schedule of items. Elements that are missing are named: they must be there before the notice
    can be approved. Uses that are gone or licensed are left out.
    """
    from guardian.notices.documents import text_of, write_documents
    from guardian.notices.drafting import DraftRequest, draft
    from guardian.scan.recheck.notice_addresses import recipient_doubt

    notice_config = notice_config_of(session)
    wanted = DraftRequest(
        kind=NoticeKind(options.kind),
        by=options.by or user_name(),
        language=NoticeLanguage(options.language) if options.language is not None else None,
        recipient=options.recipient,
        fee=options.fee,
        remark=options.remark,
    )
    with opened_store(session) as store:
        drafted = draft(store, case_ids, wanted, notice_config, datetime.now(UTC), this_user())
        known = _recipients(session, store, drafted.notice) if wanted.recipient is None else ()
    written = write_documents(drafted.notice, notice_config.owner, out) if out is not None else []
    doubt = asyncio.run(recipient_doubt(drafted.notice))

    screen = Screen.of_output()
    said = (
        ("left out", drafted.left_out),
        ("note", (*drafted.doubts, *((doubt,) if doubt is not None else ()))),
        ("it may go to", known),
        ("missing", [missing_text(words, drafted.notice) for words in drafted.notice.missing]),
    )
    for what, texts in said:
        for text in texts:
            click.echo("\n".join(screen.wrapped(text, 2, first=f"{what}: ")), err=True)
    if as_json:
        click.echo(json_line(notice_json(drafted.notice), indent=2))
        return
    echo(screen.wrapped(notice_text(drafted.notice), 2, first=""))
    if not written:
        click.echo()
        for line in text_of(drafted.notice).splitlines():
            echo(screen.wrapped(line.strip(), len(line) - len(line.lstrip()), cut=Cut.NEVER) if line.strip() else [""])
    for path in written:
        click.echo(f"wrote {path}")


@command.command("templates")
@click.option(
    "--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to copy them."
)
@pass_session
def copy_templates(session: Session, folder: Path) -> None:
    """Copy the shipped templates into a folder, to be edited. Files that are there already are left alone."""
    from guardian.notices.rendering import SHIPPED, template_names

    copied = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in template_names():
            if not (folder / name).exists():
                (folder / name).write_bytes((SHIPPED / name).read_bytes())
                copied += 1
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    click.echo(f"copied {counted(copied, 'template')} to {folder}")
    if session.config.notices.templates is None:
        click.echo(f"to use them write `templates: {folder}` under `notices:` in {session.config_path}")


@command.command("check")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def check_templates(session: Session, files: tuple[Path, ...]) -> None:
    """Check templates: syntax, names, and that no element is missing that the law asks for.

    Without FILE all that are in use. Exit code 1 when something is wrong.
    """
    from guardian.notices.rendering import check_template, file_of, template_names

    folder = session.config.notices.templates
    if folder is not None and not folder.is_dir():
        raise UsageError(f"notices.templates names {folder}, which is no folder")
    chosen = files or [file_of(name, folder) for name in template_names()]
    mistakes = [str(mistake) for file in chosen for mistake in check_template(file)]
    for text in dict.fromkeys(mistakes):
        click.echo(text)
    if mistakes:
        raise SystemExit(1)
    click.echo(f"{counted(len(chosen), 'template')} checked, nothing is wrong")


@command.command("list")
@click.option("--state", type=click.Choice([state.value for state in NoticeState]), help="Only notices in this state.")
@click.option("--case", "case_id", metavar="CASE", help="Only notices about this case.")
@click.option("--operator", metavar="HOST", help="Only notices to this operator.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, newest first.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each notice.")
@pass_session
def list_notices(
    session: Session, state: str | None, case_id: str | None, operator: str | None, limit: int, as_lines: bool
) -> None:
    """List notices, the newest first."""
    from guardian.cases.reading import case_starting_with

    with opened_store(session) as store, store.read() as tx:
        wanted = tx.notices.list(
            operator=operator,
            case_id=case_starting_with(tx, case_id).id if case_id is not None else None,
            state=NoticeState(state) if state is not None else None,
            limit=limit,
        )

    if as_lines:
        echo(json_line(notice_json(one)) for one in wanted)
        return
    screen = Screen.of_output()
    echo(screen.table(COLUMNS, [_row(one, screen) for one in wanted]))
    if not wanted:
        click.echo("no notices to which all of the options apply" if state or operator or case_id else "no notices")


@command.command("show")
@click.argument("notice_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--form", is_flag=True, help="The blocks to paste into a form, and nothing else.")
@click.option(
    "--copy", type=click.Path(dir_okay=False, path_type=Path), help="Write what was sent, as it was kept, into a file."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write text, form blocks, PDF and .eml into it."
)
@pass_session
def show_notice(
    session: Session, notice_id: str, as_json: bool, form: bool, copy: Path | None, out: Path | None
) -> None:
    """Show a notice: its text, its history, and what has to be done before it can go out."""
    from guardian.notices.documents import text_of, write_documents
    from guardian.notices.drafting import doubts_about
    from guardian.notices.steps import notice_starting_with, open_points

    with opened_store(session) as store, store.read() as tx:
        notice = notice_starting_with(tx, notice_id)
        points = open_points(tx, notice, session.config.notices, datetime.now(UTC)) if notice.is_open else []
        doubts = doubts_about(tx, notice) if notice.is_open else []

    if copy is not None:
        _write_copy(session, notice, copy)
        return
    if out is not None:
        for path in write_documents(notice, session.config.owner, out):
            click.echo(f"wrote {path}", err=as_json)
    if as_json:
        to_do = [point_text(point, notice) for point in points]
        click.echo(json_line(notice_json(notice) | {"text": notice.text, "open_points": to_do}, indent=2))
        return
    if form:
        click.echo(notice.form, nl=False)
        return
    screen = Screen.of_output()
    echo(screen.wrapped(notice_text(notice), 2, first=""))
    click.echo()
    click.echo(text_of(notice))
    for line in notice.history:
        echo(screen.wrapped(line_text(line), 2, first=""))
    for point in points:
        echo(screen.wrapped(point_text(point, notice), 2, first="to do: "))
    for doubt in doubts:
        echo(screen.wrapped(doubt, 2, first="note: "))


def _write_copy(session: Session, notice: Notice, path: Path) -> None:
    """Write what was sent into a new file. Raises UsageError where nothing was, or the file is there already."""
    from guardian.evidence.vaults import notice_copies_in
    from guardian.notices.copies import sent_copy

    digest, content = sent_copy(notice, notice_copies_in(session.config.data_dir))
    try:
        with new_file(path) as file:
            file.write(content)
            sync_file(file)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; choose another name") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"wrote {path}, SHA-256 {digest}")


def notice_config_of(session: Session) -> "NoticeConfig":
    """Return whose notices they are, and the settings for them."""
    from guardian.evidence.vaults import evidence_in
    from guardian.notices.drafting import NoticeConfig

    config = session.config
    return NoticeConfig(config.owner, config.notices, evidence_in(config.data_dir, config.evidence))


def _recipients(session: Session, store: "Store", notice: Notice) -> tuple[str, ...]:
    """Return to whom a notice may go, in words."""
    from guardian.evidence.vaults import evidence_in
    from guardian.notices.recipients import recipients_of

    vault = evidence_in(session.config.data_dir, session.config.evidence)
    with store.read() as tx:
        return tuple(f"{one.address} ({one.why})" for one in recipients_of(tx, vault, notice.case_ids, notice.kind))


def _row(notice: Notice, screen: Screen) -> Row:
    cells = [screen.short_id(notice.id), notice.state.value, notice.kind.value, notice.language.value, notice.operator]
    works = f"{counted(len(notice.items), 'work')}, {counted(len(notice.places), 'address', 'addresses')}"
    days = f"; {next_day_text(notice)}" if next_day_text(notice) else ""
    return Row(cells, [f"{kind_text(notice.kind)}; {works}; drafted {screen.moment(notice.drafted_at)}{days}"])
