"""Judges recorded uses again when licences change: a case follows at once, and an end is told once.

Between two sightings nobody knows whether a use goes on, so the day that is better for the licensee counts: the day
when it was last seen, or today. A licence that has ended since the last sighting is told of when the use is seen again.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from guardian.cases.recording import note_licensed, rank, tell_of_end
from guardian.cases.uses import Kept, RecordedUse, licensed_since
from guardian.licences import holds_at, standing_of
from guardian.model import (
    ACTIONS_BY_STRENGTH,
    SEVERITIES_BY_STRENGTH,
    Action,
    Asset,
    Audience,
    Case,
    CaseEvent,
    CaseState,
    Finding,
    Licence,
    LicenceStatus,
    Sighting,
    Standing,
    Work,
)
from guardian.rules import Rules, uses_of
from guardian.store import Transaction
from guardian.urls.accounts import Platform
from guardian.urls.addresses import host_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judging:
    """What uses are judged by: the rules, the owner's own hosts, who may be told of the outcome, and platforms."""

    rules: Rules
    own_hosts: tuple[str, ...]
    audience: Audience
    platforms: tuple[Platform, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What changed: how many recorded uses, the cases that are licensed now, and those that are not any more."""

    uses: int = 0
    licensed: tuple[Case, ...] = ()
    unlicensed: tuple[Case, ...] = ()


def uses_under(tx: Transaction, licence: Licence) -> list[str]:
    """Return the ids of the findings that a licence speaks about."""
    places = tx.findings.places(asset_id=licence.asset_id, collection=licence.collection)
    return [id_ for id_, page_url in places.items() if holds_at(licence, page_url)]


def uses_in_waiting(tx: Transaction) -> list[str]:
    """Return the ids of the findings whose standing a day may change, or whose licence was not noted so far."""
    begin_one_day = list(tx.findings.places(licence=LicenceStatus.NOT_YET))
    return [*begin_one_day, *tx.findings.licensed_by_none()]


def judge_again(tx: Transaction, finding_ids: Iterable[str], judging: Judging, at: datetime) -> Rejudged:
    """Judge recorded uses by the licences of now, and let their cases follow; return what changed.

    A use that no licence covers any more is told of as a sighting would be, unless it was not seen since it became
    licensed: then the licence was a mistake, and what was told before still holds.
    """
    ids = list(finding_ids)
    # The cases before their findings, as whoever records a use locks them.
    for case_id in tx.findings.cases_of(ids):
        tx.cases.lock(case_id)

    uses = 0
    licensed: dict[str, Case] = {}
    unlicensed: dict[str, Case] = {}
    for id_ in ids:
        before = tx.findings.get(id_)
        work = tx.works.of_asset(before.asset_id) if before is not None else None
        if before is None or work is None:
            continue

        standing = _standing(tx, before, work, at)
        if (standing.status, standing.licence_id) == (before.licence, before.licence_id):
            continue

        uses += 1
        judged = _judged(before, work, standing, judging, at)
        tx.findings.judge(judged)
        if judged.is_licensed:
            case = note_licensed(tx, judged, at)
            if case is not None and not before.is_licensed:
                licensed[case.id] = case
        elif before.is_licensed:
            case = _end(tx, before, judged, work, judging, at)
            if case is not None:
                unlicensed[case.id] = case

    return Rejudged(uses, tuple(licensed.values()), tuple(unlicensed.values()))


def judge_if_any(
    tx: Transaction, finding_ids: Collection[str], judging: Callable[[], Judging], at: datetime
) -> Rejudged:
    """Judge recorded uses as `judge_again` does. Only where there are some `judging` is called, which reads the rules.

    So licences and assets can be written before there are any uses, or rules.
    """
    return judge_again(tx, finding_ids, judging(), at) if finding_ids else Rejudged()


def judge_uses_of(tx: Transaction, asset_ids: Iterable[str], judging: Callable[[], Judging], at: datetime) -> Rejudged:
    """Judge the recorded uses of assets again whose collection or work has changed, since licences go by both."""
    uses = [use for asset_id in asset_ids for use in tx.findings.places(asset_id=asset_id)]
    return judge_if_any(tx, uses, judging, at)


def _standing(tx: Transaction, finding: Finding, work: Work, at: datetime) -> Standing:
    """Return what the licences say of a recorded use, on the better one of two days: when it was last seen, and now."""
    granted = tx.licences.for_host(host_of(finding.page_url))
    today = standing_of(work, finding.page_url, at.date(), granted)
    if today.status is LicenceStatus.LICENSED:
        return today
    return standing_of(work, finding.page_url, finding.last_seen_at.date(), granted)


def _judged(finding: Finding, work: Work, standing: Standing, judging: Judging, at: datetime) -> Finding:
    """Return a finding as it is judged under another standing; what was measured stays."""
    _, decision = judging.rules.decide_versions(uses_of(finding, work, standing.status, judging.own_hosts))
    return replace(
        finding,
        licence=standing.status,
        licence_id=standing.licence_id,
        licensed_since=licensed_since(finding, standing.status, at),
        decision=decision,
    )


def _end(tx: Transaction, before: Finding, judged: Finding, work: Work, judging: Judging, at: datetime) -> Case | None:
    """Let the case of a use follow that is not licensed any more, and tell of it; return the case if there is one."""
    asset = next(one for one in work.assets if one.id == judged.asset_id)
    was_seen = before.licensed_since is None or before.last_seen_at >= before.licensed_since
    if judged.decision.action is not Action.IGNORE and was_seen and not before.is_absent:
        return tell_of_end(tx, before, _use(judged, asset, at), judging.audience, judging.platforms)

    case = tx.cases.lock(before.case_id) if before.case_id is not None else None
    if case is None:
        return None

    restored = replace(case, licence_id=None, licensed_since=None, updated_at=at)
    if case.state is CaseState.LICENSED:
        decisions = [finding.decision for finding in tx.findings.list(case.id)]
        restored = replace(
            restored,
            state=CaseState.OPEN,
            action=max((one.action for one in decisions), key=ACTIONS_BY_STRENGTH.index),
            severity=max((one.severity for one in decisions), key=SEVERITIES_BY_STRENGTH.index),
        )
    # A licence that ends may have covered several uses of the case, which are judged one after the other.
    if not any(line.kind == "unlicensed" and line.at == at for line in tx.case_history.of(case.id)):
        tx.case_history.note(CaseEvent(case.id, at, "unlicensed"))
        log.info("case_changed", case=case.id, change="unlicensed", operator=case.operator)
    tx.cases.update(restored)
    rank(tx, case.id)
    return tx.cases.get(case.id)


def _use(finding: Finding, asset: Asset, at: datetime) -> RecordedUse:
    """Return a recorded finding as the use that it was when it was last seen."""
    is_inline = finding.image_url.startswith("urn:")
    return RecordedUse(
        sighting=Sighting(
            source=finding.source,
            image_url=None if is_inline else finding.image_url,
            page_url=None if finding.page_url == finding.image_url else finding.page_url,
            seen_at=finding.last_seen_at,
            context=finding.context,
        ),
        candidate_sha256=finding.candidate_sha256,
        asset=asset,
        comparison=finding.comparison,
        licence_status=finding.licence,
        decision=finding.decision,
        at=at,
        kept=Kept(finding.image_sha256, finding.page_sha256, finding.evidence_note),
        also_at=finding.also_at,
        perceptual_hash=finding.perceptual_hash,
        licence_id=finding.licence_id,
    )
