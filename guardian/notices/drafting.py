"""Drafts a notice from cases of one operator: fills the templates, names what is missing, writes it down."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import structlog

from guardian.cases.reading import case_starting_with
from guardian.errors import UsageError
from guardian.evidence import Vault
from guardian.licences import standing_of
from guardian.model import Action, Actor, Asset, Case, CaseEvent, CaseState, Finding, LicenceStatus
from guardian.model.notices import (
    Notice,
    NoticeItem,
    NoticeKind,
    NoticeLanguage,
    NoticeLine,
    NoticePlace,
    NoticeStep,
    PlaceState,
)
from guardian.notices.business_days import first_working_day
from guardian.notices.elements import blanks_in, missing_elements
from guardian.notices.facts import NoticeFacts, item_facts, owner_facts
from guardian.notices.four_eyes import detail_of
from guardian.notices.licence_check import licences_at
from guardian.notices.recipients import TO_WHO_SHOWS_IT, Addressee, addressee_of
from guardian.notices.rendering import render
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.store import Store, Transaction
from guardian.store.ids import new_id
from guardian.urls.addresses import is_web_address
from guardian.views.counting import counted
from guardian.views.plain_text import cleaned

MOST_PLACES = 500
"""Places that one notice lists; nobody reads a longer list."""

_LONGEST_TEXT = 4_000
_NAME = 200
_REFERENCE = len("notice_") + 8
_ADDRESSEE = "addressee"
"""The key of the first line's detail that says to whom a letter is written, where guardian has found that out."""

WHY_NOT = {
    CaseState.DISMISSED: "is dismissed",
    CaseState.LICENSED: "is licensed",
    CaseState.GONE: "is gone: nothing is shown there any more",
    CaseState.CLOSED: "is closed",
    CaseState.RESOLVED: "is resolved",
}
"""What is said of a case about which no notice is written, by its state."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NoticeConfig:
    """Whose notices they are, and the settings for them.

    `vault` has what captures found of who is behind a site; without it letters are addressed to the operator's name.
    """

    owner: OwnerSettings
    settings: NoticeSettings
    vault: Vault | None = None


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What somebody wants to have drafted. `language` None: that of the settings. `fee` is for offers of licences.

    Without a `recipient` a letter is addressed to whom the site's imprint names, if it leaves no doubt.
    """

    kind: NoticeKind
    by: str
    language: NoticeLanguage | None = None
    recipient: str | None = None
    fee: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A new draft, what was left out of it and why, and what speaks for another look before it is sent."""

    notice: Notice
    left_out: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """A case with its asset, the findings that a notice may name, and why others may not be named.

    `without_page`: the ids of findings whose page does not show the picture any more, while its file is still there.
    """

    case: Case
    asset: Asset | None
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]
    without_page: frozenset[str] = frozenset()


def draft(
    store: Store, case_ids: Sequence[str], request: DraftRequest, config: NoticeConfig, now: datetime, actor: Actor
) -> Drafted:
    """Draft a notice about cases of one operator, whose ids may be shortened, and write it down; return it.

    Uses that are gone, licensed or on this machine are left out. Raises UsageError when no use is left, for cases of
    several operators and for cases that ask for no notice; ConfigError for a template that cannot be rendered.
    """
    with store.read() as tx:
        cases = {case.id: case for case in (case_starting_with(tx, case_id) for case_id in case_ids)}
        _check_cases(list(cases.values()))
        subjects = [_subject(tx, case, now) for case in cases.values()]
        addressee = _addressee(tx, subjects, request, config)

    notice = _made(subjects, request, config, now, addressee)
    left_out = tuple(text for subject in subjects for text in subject.left_out)

    def write(tx: Transaction) -> Drafted:
        tx.cases.lock_all(notice.case_ids)
        tx.notices.add(notice)
        kept = {"left_out": "; ".join(left_out)[:_LONGEST_TEXT]} if left_out else {}
        if addressee is not None:
            found_on = f" (found on {', '.join(addressee.pages)})" if addressee.pages else ""
            kept[_ADDRESSEE] = f"{', '.join(addressee.lines)}{found_on}"[:_LONGEST_TEXT]
        told = detail_of(actor) | kept
        tx.notices.note(NoticeLine(notice.id, now, NoticeStep.DRAFTED, notice.drafted_by, detail=told))
        for case_id in notice.case_ids:
            event = CaseEvent(case_id, now, "notice_drafted", by=notice.drafted_by, detail=_told(notice))
            tx.case_history.note(event, disturbs=False)
        detail = {"kind": notice.kind.value, "language": notice.language.value, "operator": notice.operator}
        tx.audit.add(actor, "notice.drafted", notice.id, now, detail)
        written = tx.notices.get(notice.id) or notice
        return Drafted(written, left_out, tuple(doubts_about(tx, written)))

    drafted = store.run(write)
    log.info("notice_drafted", notice=notice.id, kind=notice.kind.value, operator=notice.operator, by=request.by)
    return drafted


def reference_of(notice_id: str) -> str:
    """Return the reference that a notice shows: the beginning of its id, which is enough for every command."""
    return notice_id[:_REFERENCE]


def _check_cases(cases: Sequence[Case]) -> None:
    operators = sorted({case.operator for case in cases})
    if len(operators) > 1:
        raise UsageError(f"one notice goes to one operator, but these cases are about {', '.join(operators)}")
    for case in cases:
        if case.state in WHY_NOT:
            raise UsageError(f"{case.id} {WHY_NOT[case.state]}; reopen it first if a notice is wanted all the same")


def _subject(tx: Transaction, case: Case, now: datetime) -> _Subject:
    work = tx.works.of_asset(case.asset_id)
    findings = tx.findings.list(case.id)
    licences = licences_at(tx, (finding.page_url for finding in findings))
    up, without_page = _up_at_last_look(tx, case), set()
    named, left_out = [], []
    for finding in findings:
        page = finding.page_url
        standing = standing_of(work, page, now.date(), licences) if work is not None else None
        if not is_web_address(page):
            left_out.append(f"{page} is no address on the web")
        elif finding.is_licensed or (standing is not None and standing.status is LicenceStatus.LICENSED):
            left_out.append(f"{page} is licensed")
        elif finding.is_absent and finding.id in up and is_web_address(finding.image_url):
            named.append(finding)
            without_page.add(finding.id)
            left_out.append(f"{page} does not show it any more; its file {finding.image_url} is still there and named")
        elif finding.is_absent:
            left_out.append(f"{page} does not show it any more")
        else:
            named.append(finding)
    if not named:
        why = "; ".join(left_out) or "it has no use that is recorded"
        raise UsageError(f"there is nothing to write about {case.id}: {why}")
    return _Subject(case, tx.assets.get(case.asset_id), tuple(named), tuple(left_out), frozenset(without_page))


def _up_at_last_look(tx: Transaction, case: Case) -> set[str]:
    """Return the findings at which the last recheck of a case has found the picture, on its page or as a file."""
    rechecks = tx.notices.rechecks_of(case.id)
    looks = rechecks[-1].places if rechecks else ()
    return {look.finding_id for look in looks if look.finding_id is not None and look.state is PlaceState.THERE}


def _addressee(
    tx: Transaction, subjects: Sequence[_Subject], request: DraftRequest, config: NoticeConfig
) -> Addressee | None:
    if request.recipient or request.kind not in TO_WHO_SHOWS_IT or config.vault is None:
        return None
    return addressee_of(tx, config.vault, [one.case.id for one in subjects], subjects[0].case.operator)


def _made(
    subjects: Sequence[_Subject],
    request: DraftRequest,
    config: NoticeConfig,
    now: datetime,
    addressee: Addressee | None,
) -> Notice:
    """Return the notice about these cases, its templates filled."""
    places = sum(len(subject.findings) for subject in subjects)
    if places > MOST_PLACES:
        raise UsageError(f"{counted(places, 'address', 'addresses')} are too many for one notice of {MOST_PLACES}")

    language = request.language or config.settings.language
    id_ = new_id("notice")
    operator = subjects[0].case.operator
    items = [_item(subject) for subject in subjects]
    facts = NoticeFacts(
        owner=owner_facts(config.owner),
        items=tuple(
            item_facts(number, item, subject.asset, subject.findings)
            for number, (item, subject) in enumerate(zip(items, subjects, strict=True), start=1)
        ),
        operator=cleaned(operator),
        recipient="\n".join(addressee.lines) if addressee else cleaned(request.recipient or "")[:_NAME],
        reference=reference_of(id_),
        date=now.date(),
        answer_by=first_working_day((now + config.settings.answer_within).date(), config.settings.holidays),
        fee=cleaned(request.fee or "")[:_NAME],
        remark=cleaned(request.remark or "")[:_LONGEST_TEXT],
    )
    rendered = render(facts, request.kind, language, config.settings.templates)
    missing = missing_elements(facts, request.kind, language, rendered.elements)
    return Notice(
        id=id_,
        kind=request.kind,
        language=language,
        operator=operator,
        drafted_at=now,
        drafted_by=cleaned(request.by)[:_NAME],
        subject=cleaned(rendered.subject),
        text=rendered.text,
        form=rendered.form,
        items=tuple(items),
        missing=(*missing, *blanks_in(facts, f"{rendered.subject}\n{rendered.text}", missing)),
        template_sha256=rendered.sha256,
        recipient=(addressee.mail or addressee.name if addressee else facts.recipient)[:_NAME] or None,
        answer_by=facts.answer_by,
    )


def _item(subject: _Subject) -> NoticeItem:
    return NoticeItem(
        case_id=subject.case.id,
        asset_id=subject.case.asset_id,
        title=subject.asset.title if subject.asset is not None else "",
        places=tuple(_place(finding, subject.without_page) for finding in subject.findings),
    )


def _place(finding: Finding, without_page: Set[str]) -> NoticePlace:
    image = finding.image_url if is_web_address(finding.image_url) else None
    page = None if finding.id in without_page else finding.page_url
    return NoticePlace(finding.id, page, image, finding.first_seen_at, finding.last_seen_at)


def doubts_about(tx: Transaction, notice: Notice) -> list[str]:
    """Return what speaks for another look at the cases of a notice before it goes out, as they are now."""
    doubts = []
    drafted = notice.last(NoticeStep.DRAFTED)
    if drafted is not None and _ADDRESSEE in drafted.detail:
        doubts.append(f"it is addressed to {drafted.detail[_ADDRESSEE]}: check that, or draft it anew to somebody else")
    for item in notice.items:
        case = tx.cases.get(item.case_id)
        if case is not None and case.state is CaseState.OPEN:
            doubts.append(f"nobody has confirmed the case of “{item.title}” yet: look at both pictures first")
        findings = [tx.findings.get(place.finding_id) for place in item.places]
        weak = [one for one in findings if one is not None and one.decision.action is not Action.ALERT]
        doubts += [f"at {finding.page_url} the rules asked for a review, not for an alert" for finding in weak[:20]]
    return doubts


def _told(notice: Notice) -> str:
    return f"{notice.id}, {notice.kind.value}, {notice.language.value}"
