"""Changes cases, in the two ways there are: a use that was seen (`record`), and a person's decision (`review`)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from guardian.cases.captures import note_capture
from guardian.cases.messages import compose
from guardian.cases.operators import operator
from guardian.cases.uses import RecordedUse
from guardian.errors import UsageError
from guardian.model import (
    ACTIONS_BY_STRENGTH,
    SEVERITIES_BY_STRENGTH,
    Action,
    Case,
    CaseEvent,
    CaseState,
    Context,
    Decision,
    Finding,
)
from guardian.outbox import enqueue
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.urls.addresses import canonical_url
from guardian.views.plain_text import cleaned

_MAX_NOTE = 4_000

log = structlog.get_logger(__name__)


def record(tx: Transaction, use: RecordedUse, destinations: Sequence[str]) -> Finding:
    """Write a use that was seen: its finding, its case, and the messages to send, all in the caller's transaction.

    A decision to ignore that asks to be recorded (a licensed use) makes a finding without a case. Otherwise the
    case of the asset's work and operator is opened, or gets one more finding. A message is enqueued when

    - there has been none about this case (case.opened),
    - the finding is stronger than all before it: alert after review, or a higher severity (case.escalated),
    - a resolved case has a finding at a new address (case.reopened).

    Findings of a dismissed case are written without a message. `destinations` are all configured names; the
    decision's `deliver_to` narrows them. When there are none, the next sighting enqueues the message instead.

    Raises ValueError for a use that the rules did not want recorded.
    """
    decision = use.decision
    if decision.action is Action.IGNORE and not decision.record:
        raise ValueError("the rules ignore this use, so it is not recorded")

    # Somebody may join or split works at the same time: where this use belongs is settled for this transaction.
    tx.works.hold(use.asset.id)

    known = tx.findings.at(use.asset.id, *_addresses(use))
    if decision.action is Action.IGNORE:
        finding, _ = tx.findings.upsert(_finding(use, None))
        note_capture(tx, known, finding, use.kept)
        return finding

    case = _case_for(tx, use, known)
    finding, is_new = tx.findings.upsert(_finding(use, case.id))
    version = note_capture(tx, known, finding, use.kept)
    kind = _message_type(case, decision, is_new=is_new)
    if kind is not None:
        # dict.fromkeys: a rule may name a destination twice, which is then told once.
        names = tuple(dict.fromkeys(decision.deliver_to or destinations))
        _apply_event(tx, kind, case, finding.id, use, names)
        if names:
            tx.versions.mark_told(finding.id, version)
    elif is_new:
        tx.cases.update(replace(case, updated_at=use.at))

    return finding


def review(tx: Transaction, case_id: str, state: CaseState, *, by: str, note: str | None, at: datetime) -> Case:
    """Set the state that a person decided on, and add it to the case's history; return the case.

    Any state may follow any other. Raises UsageError when there is no such case.
    """
    case = tx.cases.lock(case_id)
    if case is None:
        raise UsageError(f"there is no case {case_id}")

    reviewer = cleaned(by)[:200]
    review_note = cleaned(note)[:_MAX_NOTE] if note else None
    tx.cases.note(CaseEvent(case.id, at, state.value, by=reviewer, note=review_note))
    log.info("case_reviewed", case=case.id, state=state.value, by=reviewer)
    return tx.cases.update(replace(case, state=state, reviewed_by=reviewer, review_note=review_note, updated_at=at))


def _case_for(tx: Transaction, use: RecordedUse, known: Finding | None) -> Case:
    """Return the case that this use belongs to, before the use is written, with its row locked.

    `known` is the finding of this use, if there is one. A new case has no findings yet. A finding stays in its case,
    also when another source finds it or the list of public suffixes changes.
    """
    if known is not None and known.case_id is not None:
        case = tx.cases.lock(known.case_id)
        if case is not None:
            return case

    sighting, decision = use.sighting, use.decision
    of_operator = operator(sighting.page_url, sighting.image_url, sighting.source)
    return tx.cases.insert(use.asset.id, of_operator, decision.action, decision.severity, use.at)[0]


def _apply_event(
    tx: Transaction, kind: str, case: Case, finding_id: str, use: RecordedUse, names: tuple[str, ...]
) -> None:
    """Update a case for an event, enqueue its message to each named destination, and write both into the history."""
    updated = tx.cases.update(
        replace(
            case,
            state=CaseState.OPEN if case.state is CaseState.RESOLVED else case.state,
            action=max(case.action, use.decision.action, key=ACTIONS_BY_STRENGTH.index),
            severity=max(case.severity, use.decision.severity, key=SEVERITIES_BY_STRENGTH.index),
            updated_at=use.at,
            alerted_at=use.at if names else case.alerted_at,
            message_count=case.message_count + bool(names),
        )
    )
    message_id = enqueue(tx, compose(kind, updated, finding_id, use), names).id if names else None

    # Without destinations a case counts as opened at each sighting. Its history says so once, and again with a message.
    is_repeated = kind == "case.opened" and case.finding_count > 0
    if message_id is not None or not is_repeated:
        tx.cases.note(CaseEvent(case.id, use.at, kind.removeprefix("case."), message_id=message_id))
        log.info("case_changed", case=case.id, change=kind, operator=case.operator, message=message_id)


def _message_type(case: Case, decision: Decision, *, is_new: bool) -> str | None:
    """Return the type of message that one more finding of a case calls for; None for no message."""
    if case.state is CaseState.DISMISSED:
        # A person has said that this operator's use of the work is of no interest.
        return None
    if case.state is CaseState.RESOLVED:
        # What a person called resolved may take days to vanish: only another address says it goes on.
        return "case.reopened" if is_new else None
    if case.alerted_at is None:
        return "case.opened"

    is_stronger = ACTIONS_BY_STRENGTH.index(decision.action) > ACTIONS_BY_STRENGTH.index(case.action) or (
        SEVERITIES_BY_STRENGTH.index(decision.severity) > SEVERITIES_BY_STRENGTH.index(case.severity)
    )

    return "case.escalated" if is_stronger else None


def _addresses(use: RecordedUse) -> tuple[str, str]:
    """Return the addresses of the page and of the image, canonical.

    An inline image has its digest as its address; without a page, the page's address is the image's.
    """
    sighting = use.sighting
    image_url = canonical_url(sighting.image_url) if sighting.image_url else f"urn:sha256:{use.candidate_sha256}"
    page_url = canonical_url(sighting.page_url) if sighting.page_url else image_url
    return page_url, image_url


def _finding(use: RecordedUse, case_id: str | None) -> Finding:
    page_url, image_url = _addresses(use)
    return Finding(
        # Only for a finding that is new: the store keeps the id of one that it recognises.
        id=new_id("find"),
        asset_id=use.asset.id,
        case_id=case_id,
        source=use.sighting.source,
        page_url=page_url,
        image_url=image_url,
        first_seen_at=use.sighting.seen_at,
        last_seen_at=use.sighting.seen_at,
        licence=use.licence_status,
        decision=use.decision,
        comparison=use.comparison,
        candidate_sha256=use.candidate_sha256,
        image_sha256=use.kept.image_sha256,
        page_sha256=use.kept.page_sha256,
        evidence_note=use.kept.note,
        context=_clean_context(use.sighting.context),
        also_at=tuple(canonical_url(url) for url in use.also_at),
        perceptual_hash=use.perceptual_hash,
        image_status=use.kept.image_status,
        page_status=use.kept.page_status,
    )


def _clean_context(context: Context) -> Context:
    """Return the words around the image made safe to store, at most 10,000 characters of each.

    PostgreSQL takes neither NUL nor lone surrogates, and both occur on pages.
    """

    def clean(text: str | None) -> str | None:
        return None if text is None else cleaned(text[:10_000])

    return Context(
        alt=clean(context.alt),
        caption=clean(context.caption),
        title=clean(context.title),
        page_title=clean(context.page_title),
        nearby_text=clean(context.nearby_text),
        claims=clean(context.claims),
    )
