"""Makes the time line of a case: first seen, captured, decided, told, noticed, looked at again, licensed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time

from guardian.evidence.case_history import is_for_others
from guardian.licences import standing_of
from guardian.model import Case, CaseEvent, CaseState, Finding, LicenceStatus, TaskKind, TaskState
from guardian.model.notices import Notice, NoticeStep
from guardian.notices.following import NO_MORE, RECHECK_DAYS, key_of, read_key
from guardian.notices.licence_check import licences_at
from guardian.notices.settling import BACK_LINE, MOVED_LINE
from guardian.store import Transaction
from guardian.views.cases import event_words
from guardian.views.counting import counted
from guardian.views.deliveries import DELIVERY_TEXTS
from guardian.views.evidence import reason_text
from guardian.views.licences import for_others, grant_text, scope_text
from guardian.views.notices import kind_text, recheck_text, step_words
from guardian.views.timelines import TimelineEntry, TimelineKind

_TOLD_ELSEWHERE = frozenset({"notice_drafted", "notice_countered", "notice_withdrawn", "rechecked"})
"""Kinds of lines of a case's history that stand in the history of a notice, or in a recheck, too."""

_KNOWN_OUTSIDE = frozenset({NoticeStep.SENT, NoticeStep.COUNTERED})
"""Steps of a notice that whoever it was sent to knows of."""


def timeline_of(tx: Transaction, case: Case, now: datetime) -> list[TimelineEntry]:
    """Return everything that happened to a case and what is still to come, in the order of time."""
    findings = tx.findings.list(case.id)
    entries = [
        *_seen(tx, findings),
        *_captured(tx, case),
        *_decided(tx, case),
        *_notices(tx, case, now),
        *_rechecked(tx, case),
        *_licences(tx, case, findings, now),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _seen(tx: Transaction, findings: Sequence[Finding]) -> Iterator[TimelineEntry]:
    versions = tx.versions.of_all([finding.id for finding in findings])
    for number, finding in enumerate(findings):
        first = "first seen" if number == 0 else "also seen"
        on_page = f" (picture {finding.image_url})" if finding.image_url != finding.page_url else ""
        words = f"{first} at {finding.page_url}{on_page}: {finding.comparison.description}"
        yield TimelineEntry(finding.first_seen_at, TimelineKind.SEEN, words, finding.id, for_others=words)
        for version in versions.get(finding.id, ())[1:]:
            words = f"other bytes were seen at {finding.page_url}"
            yield TimelineEntry(version.first_seen_at, TimelineKind.SEEN, words, finding.id, for_others=words)
        if finding.last_seen_at > finding.first_seen_at:
            words = f"last seen at {finding.page_url}"
            yield TimelineEntry(finding.last_seen_at, TimelineKind.SEEN, words, finding.id, for_others=words)
        if finding.is_absent and finding.first_missed_at is not None:
            words = f"no longer seen at {finding.page_url}"
            yield TimelineEntry(finding.first_missed_at, TimelineKind.SEEN, words, finding.id, for_others=words)


def _captured(tx: Transaction, case: Case) -> Iterator[TimelineEntry]:
    for capture in tx.evidence.of_case(case.id):
        missing = f", {counted(len(capture.not_taken), 'part')} could not be taken" if capture.not_taken else ""
        kept = f"{counted(len(capture.files), 'file')} kept{missing}"
        words = f"captured ({reason_text(capture)}): {kept}"
        short = f"captured ({reason_text(capture, with_name=False)}): {kept}"
        yield TimelineEntry(capture.began_at, TimelineKind.CAPTURED, words, capture.id, for_others=short)


def _decided(tx: Transaction, case: Case) -> Iterator[TimelineEntry]:
    for line in tx.case_history.of(case.id):
        is_of_notice = line.kind == CaseState.NOTICE_SENT and (line.note or "").startswith("notice_")
        if line.kind not in _TOLD_ELSEWHERE and not is_of_notice and not _is_of_recheck(line):
            words = event_words(line)
            short = words if is_for_others(line.kind, line.by, line.note) else None
            yield TimelineEntry(
                line.at, TimelineKind.DECIDED, words, line.message_id, line.by, line.note, for_others=short
            )
        if line.message_id is None:
            continue
        for task in tx.tasks.of_message(line.message_id):
            words = (
                f"message to {task.destination}: {DELIVERY_TEXTS[task.state]} after {counted(task.attempts, 'attempt')}"
            )
            yield TimelineEntry(task.created_at, TimelineKind.TOLD, words, line.message_id)


def _notices(tx: Transaction, case: Case, now: datetime) -> Iterator[TimelineEntry]:
    for notice in tx.notices.of_case(case.id):
        for line in notice.history:
            words = f"{kind_text(notice.kind)}: {step_words(line)}"
            short = words if line.step in _KNOWN_OUTSIDE else None
            yield TimelineEntry(line.at, TimelineKind.NOTICE, words, notice.id, line.by, line.note, for_others=short)
        yield from _to_come(tx, notice, case, now)


def _to_come(tx: Transaction, notice: Notice, case: Case, now: datetime) -> Iterator[TimelineEntry]:
    if notice.is_open or notice.state == "withdrawn":
        return
    planned = [(notice.answer_by, f"{kind_text(notice.kind)}: it asks for an answer until then")]
    countered = notice.last(NoticeStep.COUNTERED)
    if countered is not None:
        for name, words in (("earliest", "may first be restored"), ("latest", "must last be restored")):
            planned.append((date.fromisoformat(countered.detail[name]), f"counter notice: material {words}"))
    for day, words in planned:
        at = _midnight(day)
        yield TimelineEntry(at, TimelineKind.NOTICE, words, notice.id, is_planned=at > now)

    if case.state in NO_MORE:
        return
    # A case that was merged into this one is named by the id that it had.
    same = [id_ for id_ in notice.case_ids if (known := tx.cases.get(id_)) is not None and known.id == case.id]
    # One that became part of this case before the notice was sent is looked at under the id of this case.
    about = dict.fromkeys([*same, case.id])
    keys = [key_of(notice.id, id_, day) for id_ in about for day in RECHECK_DAYS]
    for task in tx.tasks.of_keys(TaskKind.RECHECK_NOTICE, keys):
        if task.state is TaskState.DUE:
            words = f"its places are looked at again, {counted(read_key(task.key)[2], 'day')} after the notice"
            yield TimelineEntry(task.due_at, TimelineKind.RECHECKED, words, notice.id, is_planned=True)


def _rechecked(tx: Transaction, case: Case) -> Iterator[TimelineEntry]:
    # The line by which a recheck opened the case again says more: where, and what was captured before.
    said = {line.detail: line.note for line in tx.case_history.of(case.id) if _is_of_recheck(line)}
    for recheck in tx.notices.rechecks_of(case.id):
        words, short = said.get(recheck.id) or recheck_text(recheck), recheck_text(recheck, with_name=False)
        yield TimelineEntry(recheck.at, TimelineKind.RECHECKED, words, recheck.id, for_others=short)


def _is_of_recheck(line: CaseEvent) -> bool:
    """Return whether a line of a case's history is that by which a recheck opened the case again."""
    return line.kind in (MOVED_LINE, BACK_LINE) and (line.detail or "").startswith("recheck_")


def _licences(tx: Transaction, case: Case, findings: Sequence[Finding], now: datetime) -> Iterator[TimelineEntry]:
    work = tx.works.of_asset(case.asset_id)
    if work is None:
        return
    # A licence may be of one part of what the operator shows: its pages are asked about, too.
    places = list(dict.fromkeys([case.operator, *(finding.page_url for finding in findings)]))
    for licence in licences_at(tx, places):
        statuses = {standing_of(work, place, now.date(), [licence]).status for place in places}
        if statuses <= {LicenceStatus.NONE, LicenceStatus.OUT_OF_SCOPE}:
            continue
        asset = tx.assets.get(licence.asset_id) if licence.asset_id else None
        text = grant_text(for_others(licence), scope_text(licence, asset))
        for day, what in ((licence.valid_from, "begins"), (licence.valid_until, "ends")):
            if day is not None:
                at = _midnight(day)
                yield TimelineEntry(
                    at,
                    TimelineKind.LICENCE,
                    f"licence {what}: {text}",
                    licence.id,
                    is_planned=at > now,
                    for_others=f"licence {what}: {text}",
                )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
