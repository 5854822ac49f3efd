"""Lets cases follow what guardian sees of their uses. What people decide about cases is in `deciding`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from guardian.cases.capture_orders import owe_captures
from guardian.cases.captures import note_capture
from guardian.cases.messages import compose
from guardian.cases.operators import domain_operator, operator
from guardian.cases.priority import commercial_signs, is_step, rank_of
from guardian.cases.splits import divided_case
from guardian.cases.uses import RecordedUse, addresses_of, finding_of
from guardian.model import (
    ACTIONS_BY_STRENGTH,
    LOOKALIKE_RULE,
    PURSUED_STATES,
    SETTLED_STATES,
    SEVERITIES_BY_STRENGTH,
    Action,
    Audience,
    Case,
    CaseEvent,
    CaseFilter,
    CaseState,
    CommercialSign,
    Decision,
    DismissReason,
    Finding,
    FindingDigest,
)
from guardian.outbox import Subject, route
from guardian.store import Transaction
from guardian.store.leases import CLOCK_SLACK
from guardian.urls.accounts import Platform
from guardian.views.licences import grant_text, scope_text

_REOPENED_STATES = (*SETTLED_STATES, CaseState.LICENSED, CaseState.GONE)
"""A case in one of these states is opened again by a use that is new, or back."""

_TELLING_STATES = (*PURSUED_STATES, CaseState.GONE)
"""A case in one of these states sends the message that could not be sent before, for want of a destination."""

_TOLD = frozenset({"case.opened", "case.escalated", "case.reopened"})
"""Events that have a message; the others are only noted."""

_SPREAD_EVERY = timedelta(days=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A use as it was written: its finding, and the version of the finding that was seen, if that is known.

    `news` is what makes the finding news, None for one that goes on as it was.
    """

    use: RecordedUse
    finding: Finding
    version: FindingDigest | None
    news: str | None


def record(tx: Transaction, use: RecordedUse, audience: Audience, platforms: Sequence[Platform] = ()) -> Finding:
    """Write a use that was seen, its case and the messages about it in the caller's transaction; return its finding.

    A use that the rules ignore but record (a licensed one, a look-alike) opens no case. `audience` has all configured
    destinations, of which the decision may name some; `platforms` are those, beside the usual ones, whose accounts are
    operators of their own. When a case changes and what is told of it: docs/cases.md.

    Raises ValueError for a use that the rules ignore and do not record.
    """
    decision = use.decision
    if decision.action is Action.IGNORE and not decision.record:
        raise ValueError("the rules ignore this use, so it is not recorded")

    # Somebody may join or split works at the same time: where this use belongs is settled for this transaction.
    tx.works.hold([use.asset.id])

    known = tx.findings.at(use.asset.id, *addresses_of(use))
    if decision.action is Action.IGNORE:
        finding, _ = tx.findings.upsert(finding_of(use, known, None))
        note_capture(tx, known, finding, use.kept)
        if finding.decision.rule == LOOKALIKE_RULE:
            _note_lookalike(tx, finding, use.at)
        else:
            note_licensed(tx, finding, use.at)
        return finding

    case = _case_for(tx, use, known, platforms)
    finding, is_new = tx.findings.upsert(finding_of(use, known, case.id))
    version = note_capture(tx, known, finding, use.kept)
    _follow(tx, case, _Seen(use, finding, version, _news(known, finding, is_new=is_new)), audience)
    owe_captures(tx, case, known, finding, version)
    rank(tx, case.id, finding)
    return finding


def tell_of_end(
    tx: Transaction, before: Finding, use: RecordedUse, audience: Audience, platforms: Sequence[Platform]
) -> Case:
    """Write that a licence no longer covers a recorded use, and tell of it as `record` does; return its case.

    `before` is the finding as it was licensed, `use` the same as it is judged now. The finding itself must have been
    updated already.
    """
    case = _case_for(tx, use, before, platforms)
    finding = tx.findings.put_into_case(before.id, case.id)
    versions = tx.versions.of(finding.id)
    shown = (finding.candidate_sha256, finding.page_sha256)
    version = next(
        (one for one in versions if (one.candidate_sha256, one.page_sha256) == shown),
        max(versions, key=lambda one: one.last_seen_at, default=None),
    )
    _follow(tx, case, _Seen(use, finding, version, _news(before, finding, is_new=False)), audience)
    owe_captures(tx, case, before, finding, None)
    rank(tx, case.id, finding)
    return tx.cases.get(case.id) or case


def note_licensed(tx: Transaction, finding: Finding, at: datetime) -> Case | None:
    """Let the case of a finding that is licensed follow, if licences cover all of its findings; return it if it does.

    An open or confirmed case becomes licensed and asks for nothing. What a person has called settled stays so.
    """
    case = tx.cases.lock(finding.case_id) if finding.case_id is not None and finding.is_licensed else None
    if case is None or not all(one.is_licensed or one.is_absent for one in tx.findings.list(case.id)):
        return None
    if case.licensed_since is not None:
        # Licensed already; a person may have opened it again, which stays. Its licence may be another one now.
        return tx.cases.update(replace(case, licence_id=finding.licence_id))

    licensed = replace(case, licence_id=finding.licence_id, licensed_since=at, updated_at=at)
    if case.state in (*PURSUED_STATES, CaseState.GONE):
        licensed = replace(licensed, state=CaseState.LICENSED, action=Action.IGNORE, severity=None)
    licence = tx.licences.get(finding.licence_id) if finding.licence_id is not None else None
    asset = tx.assets.get(licence.asset_id) if licence is not None and licence.asset_id is not None else None
    note = f"{licence.id}: {grant_text(licence, scope_text(licence, asset))}" if licence is not None else None
    tx.case_history.note(CaseEvent(case.id, at, "licensed", note=note))
    log.info("case_changed", case=case.id, change="licensed", operator=case.operator, licence=finding.licence_id)
    return tx.cases.update(licensed)


def _note_lookalike(tx: Transaction, finding: Finding, at: datetime) -> None:
    """Dismiss the case of a finding that is a known look-alike, if it is pursued and has nothing else."""
    case = tx.cases.lock(finding.case_id) if finding.case_id is not None else None
    if case is None or case.state not in (*PURSUED_STATES, CaseState.GONE):
        return
    if all(one.decision.rule == LOOKALIKE_RULE or one.is_absent for one in tx.findings.list(case.id)):
        reason = DismissReason.LOOK_ALIKE
        tx.case_history.note(CaseEvent(case.id, at, CaseState.DISMISSED.value, detail=reason.value))
        log.info("case_changed", case=case.id, change="dismissed", operator=case.operator)
        tx.cases.update(replace(case, state=CaseState.DISMISSED, reason=reason, updated_at=at))


def _follow(tx: Transaction, case: Case, seen: _Seen, audience: Audience) -> None:
    """Let a case follow one of its findings, and enqueue the message that it calls for."""
    use = seen.use
    audience = audience.narrowed_to(use.decision.deliver_to)
    kind = _event(case, use.decision, audience, is_news=seen.news is not None)
    if kind is not None:
        _apply_event(tx, kind, case, seen, audience)
    elif seen.news is not None:
        tx.cases.update(replace(case, updated_at=use.at, licence_id=None, licensed_since=None))
        _note_spread(tx, case, seen.news, use.at)


def _note_spread(tx: Transaction, case: Case, news: str, at: datetime) -> None:
    """Note that a case has a use at another place, at most once a day: its findings say all of them."""
    last = tx.case_history.last_of_kind(case.id, "spread") if case.state in PURSUED_STATES else at
    # A line that lies ahead was written by a clock that was put back since.
    if last is None or not -CLOCK_SLACK <= at - last < _SPREAD_EVERY:
        # Whoever decides about the case is not held up by it.
        tx.case_history.note(CaseEvent(case.id, at, "spread", note=news), disturbs=False)


def _news(before: Finding | None, now: Finding, *, is_new: bool) -> str | None:
    """Return what makes a finding news: its address, a licence that ended, or that it is back; None for nothing."""
    if is_new:
        return f"at {now.page_url}"
    if before is not None and before.is_licensed:
        return f"no longer licensed ({now.licence.value}): {now.page_url}"
    if before is not None and before.is_absent and before.first_missed_at is not None:
        return f"back after it was gone since {before.first_missed_at:%Y-%m-%d}: {now.page_url}"
    return None


def rank(tx: Transaction, case_id: str, seen: Finding | None = None) -> None:
    """Rank a case anew after it changed; `seen` is a finding of it that may say more of how the work is used."""
    case = tx.cases.get(case_id)
    if case is None:
        return

    ranked = case
    if seen is not None:
        shares = [share for share in (case.share_used, seen.comparison.share_shown) if share is not None]
        signs = {*case.commercial, *commercial_signs(seen.context)}
        ranked = replace(
            case,
            share_used=max(shares, default=None),
            commercial=tuple(sign for sign in CommercialSign if sign in signs),
            confidence=max(case.confidence or 0.0, seen.comparison.probability),
        )
    works = tx.operators.count_cases(case.operator)
    ranked = replace(ranked, rank=rank_of(ranked, works))
    if ranked == case:
        return

    tx.cases.rank(ranked)
    # The first finding of a case: its operator uses one more work, by which its other cases may be more urgent.
    if seen is not None and case.finding_count == 1 and case.rank == 0.0 and is_step(works):
        # Locked in one order, so that nobody's news of them is written over, and two who do this do not deadlock.
        others = tx.cases.matching(CaseFilter(operator=case.operator))
        for one in sorted(others, key=lambda other: (other.work_id, other.id)):
            other = tx.cases.lock(one.id)
            if other is not None:
                tx.cases.rank(replace(other, rank=rank_of(other, works)))


def note_gone(tx: Transaction, missed: Sequence[str], at: datetime) -> list[Case]:
    """Let the cases of findings that a scan missed follow: one that is pursued and has no use left is gone.

    Returns those cases. What a person has settled or dismissed, and what is licensed, stays so.
    """
    gone = []
    for case_id in tx.findings.cases_of(missed):
        case = tx.cases.lock(case_id)
        if case is None or case.state not in PURSUED_STATES or not tx.findings.are_all_absent(case.id):
            continue
        tx.case_history.note(CaseEvent(case.id, at, "gone"))
        log.info("case_changed", case=case.id, change="gone", operator=case.operator)
        gone.append(tx.cases.update(replace(case, state=CaseState.GONE, updated_at=at)))
    return gone


def _case_for(tx: Transaction, use: RecordedUse, known: Finding | None, platforms: Sequence[Platform]) -> Case:
    """Return the case that this use belongs to, before the use is written, with its row locked.

    `known` is the finding of this use, if there is one. A new case has no findings yet. A finding stays in its case,
    also when another source finds it or the list of public suffixes changes.
    """
    if known is not None and known.case_id is not None:
        case = tx.cases.lock(known.case_id)
        if case is not None:
            return case

    sighting, decision = use.sighting, use.decision
    of_operator = operator(sighting.page_url, sighting.image_url, sighting.source, platforms)
    earlier = _case_with_account(tx, use, of_operator, platforms)
    if earlier is not None:
        return earlier
    case, is_new = tx.cases.insert(use.asset.id, of_operator, decision.action, decision.severity, use.at)
    return divided_case(tx, case, addresses_of(use), use.at) if is_new else case


def _case_with_account(tx: Transaction, use: RecordedUse, account: str, platforms: Sequence[Platform]) -> Case | None:
    """Return the case of a whole platform that has uses by this account, from when accounts were not told apart.

    What was decided about it, and told of it, holds for this account too. None when there is no such case.
    """
    sighting = use.sighting
    domain = domain_operator(sighting.page_url, sighting.image_url, sighting.source)
    case = tx.cases.find(use.asset.id, domain) if domain != account else None
    if case is None:
        return None
    pages = (finding.page_url for finding in tx.findings.list(case.id))
    return tx.cases.lock(case.id) if any(operator(page, None, "", platforms) == account for page in pages) else None


def _apply_event(tx: Transaction, kind: str, case: Case, seen: _Seen, audience: Audience) -> None:
    """Update a case for an event, enqueue its message for who wants it, and write both into the history.

    An event that no destination can be told of now is remembered, to be told later.
    """
    use, names = seen.use, audience.wanting(kind)
    is_told = bool(names) and kind in _TOLD
    updated = tx.cases.update(_after_event(case, kind, use, is_told=is_told))
    message_id = None
    if is_told:
        message = compose(kind, updated, seen.finding.id, use)
        route(tx, message, names, audience.routing, Subject(case.work_id, use.decision.rule, updated.severity))
        message_id = message.id
    if names and seen.version is not None:
        tx.versions.mark_told(seen.finding.id, seen.version)

    # The history must say why a settled case is open again; of all else the message says enough.
    note = seen.news if case.state in _REOPENED_STATES else None
    # Without destinations a case counts as opened at each sighting. Its history says so once, and again with a message.
    is_repeated = kind == "case.opened" and case.finding_count > 0 and case.state not in _REOPENED_STATES
    if message_id is not None or not is_repeated:
        tx.case_history.note(CaseEvent(case.id, use.at, kind.removeprefix("case."), note=note, message_id=message_id))
        log.info(
            "case_changed",
            case=case.id,
            change=kind,
            operator=case.operator,
            asset=use.asset.id,
            title=use.asset.title,
            page_url=use.sighting.page_url,
            image_url=use.sighting.image_url,
            message=message_id,
        )


def _after_event(case: Case, kind: str, use: RecordedUse, *, is_told: bool) -> Case:
    """Return a case as it is after an event: open if it was settled, as strong as the use, and licensed no longer."""
    return replace(
        case,
        state=CaseState.OPEN if case.state in _REOPENED_STATES else case.state,
        action=max(case.action, use.decision.action, key=ACTIONS_BY_STRENGTH.index),
        severity=max(case.severity, use.decision.severity, key=SEVERITIES_BY_STRENGTH.index),
        updated_at=use.at,
        alerted_at=use.at if is_told else case.alerted_at,
        message_count=case.message_count + is_told,
        licence_id=None,
        licensed_since=None,
        untold=None if is_told else _untold(case, kind),
    )


def _event(case: Case, decision: Decision, audience: Audience, *, is_news: bool) -> str | None:
    """Return the event that a finding of a case is: what it calls for, or what could not be told before; else None."""
    kind = _message_type(case, decision, is_news=is_news)
    if kind in (None, "case.returned") and case.untold is not None and case.state in _TELLING_STATES:
        pending = f"case.{case.untold}"
        return pending if audience.wanting(pending) else kind
    return kind


def _message_type(case: Case, decision: Decision, *, is_news: bool) -> str | None:
    """Return the type of message that a finding of a case calls for; None for no message.

    `is_news`: the finding is new, was licensed until now, or was gone and is back.
    """
    if case.state is CaseState.DISMISSED:
        # A person has said that this operator's use of the work is of no interest.
        return None
    if case.state in SETTLED_STATES:
        # A site may take days to remove what was settled: only a use at another address, or one that is back, is news.
        return "case.reopened" if is_news else None
    if case.alerted_at is None:
        return "case.opened"
    if case.state is CaseState.LICENSED:
        return "case.reopened"

    is_stronger = ACTIONS_BY_STRENGTH.index(decision.action) > ACTIONS_BY_STRENGTH.index(case.action) or (
        SEVERITIES_BY_STRENGTH.index(decision.severity) > SEVERITIES_BY_STRENGTH.index(case.severity)
    )
    if is_stronger:
        return "case.escalated"
    return "case.returned" if case.state is CaseState.GONE else None


def _untold(case: Case, kind: str) -> str | None:
    """Return what is still to be told of a case after an event that nobody could be told of.

    A case that was never told of is opened, whatever happened to it since. A reopening is more than an escalation.
    """
    if kind not in _TOLD or kind == "case.opened":
        return case.untold
    return "reopened" if "reopened" in (case.untold, kind.removeprefix("case.")) else "escalated"
