"""What people do with a notice once it is drafted: consider, approve, record as sent or countered, withdraw.

Each step is a line of the notice's history and of the audit log, and says who took it. guardian sends nothing itself:
`mark_sent` writes down what a person has sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from guardian.cases import Edit, decide
from guardian.cases.capture_orders import owe_capture
from guardian.errors import NoticeIncomplete, UsageError
from guardian.model import Actor, CaptureOrder, CaptureReason, Case, CaseEvent, CaseState
from guardian.model.notices import OUT_STATES, Notice, NoticeKind, NoticeLine, NoticeState, NoticeStep, OpenPoint
from guardian.notices.business_days import CounterWindow, counter_window
from guardian.notices.drafting import WHY_NOT
from guardian.notices.following import owe_rechecks
from guardian.notices.four_eyes import detail_of, why_not_approved_by
from guardian.notices.licence_check import licences_at, licensed_places
from guardian.notices.settings import NoticeSettings
from guardian.store import Transaction
from guardian.store.leases import CLOCK_SLACK
from guardian.views.counting import counted
from guardian.views.notices import kind_text
from guardian.views.plain_text import cleaned
from guardian.views.short_ids import only_one, with_prefix
from guardian.views.timestamps import minute_text

VERIFIED_FOR = timedelta(hours=24)
"""How long the addresses of a notice count as live after somebody has looked."""

_LONGEST_WORDS = 4_000
_LONGEST_NAME = 300
_WORDS_AT_LEAST = 3
"""Of a consideration; "ok" is none."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StepAuthor:
    """Who takes a step, and when. `actor` is who the audit log knows, `name` what the history shows."""

    name: str
    at: datetime
    actor: Actor


def notice_starting_with(tx: Transaction, start: str) -> Notice:
    """Return the only notice whose id begins with `start`, which may lack "notice_". Raises UsageError."""
    found = tx.notices.starting_with(with_prefix(start, "notice_"))
    return only_one(found, [one.id for one in found], start, "notice", "`guardian notice list` shows them")


def require_open(notice: Notice) -> None:
    """Raise UsageError for a notice that was sent or withdrawn already."""
    if not notice.is_open:
        raise UsageError(f"{notice.id} is {notice.state.value} already; draft another one")


def check_licence(tx: Transaction, notice_id: str, words: str, by: StepAuthor) -> Notice:
    """Record that a person has checked that no licence covers the uses, in their words; return the notice.

    What the recorded licences say is written beside it. Raises UsageError when one of them covers a use.
    """
    notice = _open(tx, notice_id)
    known = _licences_text(tx, notice, by.at.date())
    return _write(tx, notice, NoticeStep.LICENCE_CHECKED, by, _words(words, "what was checked"), {"recorded": known})


def consider(tx: Transaction, notice_id: str, words: str, by: StepAuthor) -> Notice:
    """Record a person's words about fair use, quotation, parody and other exceptions; return the notice."""
    notice = _open(tx, notice_id)
    return _write(tx, notice, NoticeStep.CONSIDERED, by, _words(words, "why no exception applies"), {})


def approve(
    tx: Transaction, notice_id: str, by: StepAuthor, settings: NoticeSettings, note: str | None = None
) -> Notice:
    """Record that somebody lets a notice go out; return it.

    Raises NoticeIncomplete where something has to come first, and UsageError for the drafter where `four_eyes` is on:
    a program that drafted counts as the person who made its token, and programs approve nothing.
    """
    notice = _open(tx, notice_id)
    lacking = _lacking(notice)
    if lacking:
        raise NoticeIncomplete(f"{notice.id} cannot be approved yet", lacking)
    why_not = why_not_approved_by(notice, by.name, detail_of(by.actor)) if settings.four_eyes else None
    if why_not is not None:
        raise UsageError(why_not)
    for case in _cases_now(tx, notice):
        # What is shown when the notice goes out is kept as proof.
        owe_capture(tx, CaptureOrder(case.id, CaptureReason.NOTICE), notice.id, by.at)
    return _write(tx, notice, NoticeStep.APPROVED, by, _optional(note), detail_of(by.actor))


def note_verified(
    tx: Transaction, notice_id: str, problems: Mapping[str, str], by: StepAuthor, note: str | None = None
) -> Notice:
    """Record a look at all addresses of a notice; return it.

    `problems`: by address why it is not live. `note`: what is said of the recipient's address.
    """
    notice = _open(tx, notice_id)
    step = NoticeStep.NOT_VERIFIED if problems else NoticeStep.VERIFIED
    return _write(tx, notice, step, by, _optional(note), problems)


def open_points(tx: Transaction, notice: Notice, settings: NoticeSettings, now: datetime) -> list[OpenPoint]:
    """Return what has to be done before a notice may be recorded as sent; [] when nothing has."""
    return [*points_of_people(tx, notice, settings, now), *_not_verified(notice, now)]


def points_of_people(tx: Transaction, notice: Notice, settings: NoticeSettings, now: datetime) -> list[OpenPoint]:
    """Return what people have to do before it is worth a look whether the addresses of a notice are live.

    Cases, licences and days are looked at anew: much may have changed since somebody approved it.
    """
    points = _lacking(notice)
    approved = notice.last(NoticeStep.APPROVED)
    if approved is None:
        points.append(OpenPoint("nobody has approved it", NoticeStep.APPROVED))
    elif settings.four_eyes:
        why_not = why_not_approved_by(notice, approved.by, approved.detail)
        points += [OpenPoint(why_not)] if why_not is not None else []
    for case in _cases_now(tx, notice):
        if case.state in WHY_NOT:
            points.append(OpenPoint(f"{case.id} is {case.state.value} by now: withdraw the notice"))
    licensed = licensed_places(tx, notice, now.date())
    points += [
        OpenPoint(f"{page} is licensed by {licence} by now: draft another notice without")
        for page, licence in licensed.items()
    ]
    if now.date() > notice.answer_by:
        over = f"the day until which it asks for an answer, {notice.answer_by}, is over: draft another notice"
        points.append(OpenPoint(over))
    return points


def is_verified(notice: Notice, now: datetime) -> bool:
    """Return whether all addresses of a notice were live when somebody last looked, within 24 hours."""
    return not _not_verified(notice, now)


def mark_sent(
    tx: Transaction,
    notice_id: str,
    to: str,
    keep: Callable[[], str],
    by: StepAuthor,
    settings: NoticeSettings,
    note: str | None = None,
) -> Notice:
    """Record that a person has sent a notice; its cases become `notice_sent`, and rechecks are owed. Return it.

    `keep` keeps what was sent and returns its digest (see copies.py); it is called when nothing stands against the
    step, so that a refused one leaves no copy. Raises NoticeIncomplete where something has to come first.
    """
    notice = _open(tx, notice_id)
    points = open_points(tx, notice, settings, by.at)
    if points:
        raise NoticeIncomplete(f"{notice.id} cannot be recorded as sent yet", points)
    recipient = cleaned(to)[:_LONGEST_NAME]
    if not recipient:
        raise UsageError("say to whom it was sent")

    words = f"{notice.id} to {recipient}" + (f": {_optional(note)}" if note else "")
    for case in _locked_cases(tx, notice):
        decide(tx, case.id, CaseState.NOTICE_SENT, Edit(by.name, by.at, words))
        owe_rechecks(tx, notice.id, case.id, by.at)
    detail = {"to": recipient, "copy_sha256": keep()}
    return _write(tx, notice, NoticeStep.SENT, by, _optional(note), detail)


def note_counter(
    tx: Transaction, notice_id: str, received: date, by: StepAuthor, settings: NoticeSettings, note: str | None = None
) -> tuple[Notice, CounterWindow]:
    """Record that a counter notice was received on a day; return the notice, and when material may be restored.

    Raises UsageError for anything but a notification under 17 U.S.C. 512(c)(3) that was sent: nothing else has one.
    """
    notice = _known(tx, notice_id)
    if notice.kind is not NoticeKind.DMCA:
        raise UsageError(
            f"{notice.id} is a {kind_text(notice.kind)}; a counter notice, with its 10 to 14 business days, answers a "
            f"{kind_text(NoticeKind.DMCA)} alone. Keep another answer with `guardian case note`"
        )
    sent = notice.last(NoticeStep.SENT)
    if notice.state not in OUT_STATES or sent is None:
        raise UsageError(f"{notice.id} is {notice.state.value}; only what was sent can be countered")
    if not sent.at.date() - timedelta(days=1) <= received <= by.at.date() + timedelta(days=1):
        raise UsageError(f"{received} is not between the day when it was sent, {sent.at:%Y-%m-%d}, and today")

    window = counter_window(received, settings.holidays)
    detail = {
        "received": received.isoformat(),
        "earliest": window.earliest.isoformat(),
        "latest": window.latest.isoformat(),
    }
    words = f"{notice.id}: received {received}; material may be restored from {window.earliest} on"
    for case in _locked_cases(tx, notice):
        tx.case_history.note(CaseEvent(case.id, by.at, "notice_countered", by=cleaned(by.name), note=words))
    return _write(tx, notice, NoticeStep.COUNTERED, by, _optional(note), detail), window


def withdraw(tx: Transaction, notice_id: str, by: StepAuthor, note: str | None = None) -> Notice:
    """Record that a notice is withdrawn, sent or not (its mail may have come back); return it.

    A case about which no other notice is out any more waits for somebody again: it is open.
    """
    notice = _known(tx, notice_id)
    if notice.state is NoticeState.WITHDRAWN:
        raise UsageError(f"{notice.id} is withdrawn already")
    for case in _locked_cases(tx, notice):
        event = CaseEvent(case.id, by.at, "notice_withdrawn", by=cleaned(by.name), note=_optional(note))
        tx.case_history.note(event, disturbs=False)
        others = [one for one in tx.notices.of_case(case.id) if one.state in OUT_STATES and one.id != notice.id]
        if notice.state in OUT_STATES and case.state is CaseState.NOTICE_SENT and not others:
            decide(tx, case.id, CaseState.OPEN, Edit(by.name, by.at, f"{notice.id} was withdrawn"))
    return _write(tx, notice, NoticeStep.WITHDRAWN, by, _optional(note), {})


def _cases_now(tx: Transaction, notice: Notice) -> list[Case]:
    """Return the cases of a notice as they stand now, each once: some may have become one since it was drafted."""
    found = (tx.cases.get(case_id) for case_id in notice.case_ids)
    return list({case.id: case for case in found if case is not None}.values())


def _locked_cases(tx: Transaction, notice: Notice) -> list[Case]:
    """Return the cases of a notice likewise, locked, so that what somebody decides meanwhile is not taken back."""
    tx.cases.lock_all([case.id for case in _cases_now(tx, notice)])
    return _cases_now(tx, notice)


def _known(tx: Transaction, notice_id: str) -> Notice:
    notice = tx.notices.lock(notice_id)
    if notice is None:
        raise UsageError(f"there is no notice {notice_id}; `guardian notice list` shows them")
    return notice


def _open(tx: Transaction, notice_id: str) -> Notice:
    """Return a notice that nobody has sent or withdrawn yet, with its row locked."""
    notice = _known(tx, notice_id)
    require_open(notice)
    return notice


def _write(
    tx: Transaction, notice: Notice, step: NoticeStep, by: StepAuthor, note: str | None, detail: Mapping[str, str]
) -> Notice:
    """Write a step into the history and the audit log; return the notice as it now stands."""
    name = cleaned(by.name)[:_LONGEST_NAME]
    if not name:
        raise UsageError("say who takes this step")
    tx.notices.note(NoticeLine(notice.id, by.at, step, name, note, detail))
    audited = {"by": name, **({"note": note} if note else {}), **detail}
    tx.audit.add(by.actor, f"notice.{step.value}", notice.id, by.at, audited)
    log.info("notice_changed", notice=notice.id, step=step.value, by=name)
    written = tx.notices.get(notice.id)
    if written is None:
        raise LookupError(f"{notice.id} was locked a moment ago")
    return written


def _lacking(notice: Notice) -> list[OpenPoint]:
    """Return what the text of a notice lacks, and what nobody has considered yet."""
    points = [OpenPoint(words) for words in notice.missing]
    if notice.last(NoticeStep.LICENCE_CHECKED) is None:
        points.append(OpenPoint("nobody has recorded a licence check", NoticeStep.LICENCE_CHECKED))
    if notice.last(NoticeStep.CONSIDERED) is None:
        words = "nobody has recorded whether an exception applies (fair use, quotation, parody)"
        points.append(OpenPoint(words, NoticeStep.CONSIDERED))
    return points


def _not_verified(notice: Notice, now: datetime) -> list[OpenPoint]:
    looked = [line for line in notice.history if line.step in (NoticeStep.VERIFIED, NoticeStep.NOT_VERIFIED)]
    # A look that lies ahead is one by a clock that was put back since.
    if not looked or not -CLOCK_SLACK <= now - looked[-1].at <= VERIFIED_FOR:
        since = f" since {minute_text(looked[-1].at)}" if looked else ""
        return [OpenPoint(f"nobody has looked whether its addresses are live{since}", NoticeStep.VERIFIED)]
    return [OpenPoint(f"{address} is not live: {why}") for address, why in looked[-1].detail.items()]


def _licences_text(tx: Transaction, notice: Notice, on: date) -> str:
    """Return what the recorded licences say of the places of a notice. Raises UsageError when one is covered."""
    licensed = licensed_places(tx, notice, on)
    if licensed:
        covered = ", ".join(f"{page} is licensed by {licence}" for page, licence in licensed.items())
        raise UsageError(f"{covered}: draft another notice without")
    licences = licences_at(tx, (place.address for place in notice.places if place.address is not None))
    if not licences:
        return f"no licence speaks about {notice.operator}"
    return f"{counted(len(licences), 'licence')} of {notice.operator}, none of which covers these uses"


def _words(text: str, what: str) -> str:
    words = cleaned(text)[:_LONGEST_WORDS]
    if len(words.split()) < _WORDS_AT_LEAST:
        said = f"“{words}” says too little" if words else "nothing was written"
        raise UsageError(f"{said}: write in at least {_WORDS_AT_LEAST} words {what}; they may be read in court")
    return words


def _optional(text: str | None) -> str | None:
    return (cleaned(text)[:_LONGEST_WORDS] or None) if text else None
