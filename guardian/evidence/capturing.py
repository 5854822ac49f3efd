"""Captures one use as proof. Its steps read from top to bottom in `_take_all`.

What a step cannot take, for whatever reason of the world, is said in the capture and loses nothing of what others took.
All files go into the vault before one transaction writes the capture: there is a whole one or none.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from guardian import __version__
from guardian.cases.capture_orders import owe_again
from guardian.errors import GuardianError, SiteSilent, VaultFull, internal_error_text
from guardian.evidence.capture_folder import CaptureFolder, opened_capture_folder
from guardian.evidence.comparison import ComparisonServices, take_comparison
from guardian.evidence.contacts import ContactServices, take_contacts
from guardian.evidence.exchanges import Exchanges, keep_exchanges, site_of, take_exchanges
from guardian.evidence.page_visit import ExchangeServices
from guardian.evidence.pruning import with_room
from guardian.evidence.rights import Vaults, take_rights
from guardian.evidence.screenshots import take_browser_views
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.step_result import StepResult, combined, is_fault_of_machine, reason_of
from guardian.evidence.subjects import CaptureSubject, subject_of
from guardian.evidence.vault import Vault
from guardian.fetch.browser import Browser
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.matching.workers import Workers
from guardian.model import CaptureOrder, CaptureReason, EvidenceCapture, NotTaken
from guardian.rules import Rules
from guardian.store import Store, Transaction
from guardian.store.ids import new_id

_FOR_A_PERSON = frozenset({CaptureReason.ASKED, CaptureReason.NOTICE})
"""Somebody waits for these few requests, so that robots.txt does not apply, as for `guardian check`."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CaptureServices:
    """What captures need that is opened once.

    `originals`: the owner's own pictures. `fetcher_of` makes the fetcher of a source by its name, which carries the
    credentials that the source is visited with.
    """

    store: Store
    vault: Vault
    originals: Vault
    workers: Workers
    data_dir: Path
    clock: Callable[[], datetime]
    settings: EvidenceSettings
    fetcher_of: Callable[[str], Fetcher]
    rules: Rules
    own_hosts: tuple[str, ...]
    browser: Browser
    web: WebClient


async def capture(
    services: CaptureServices, order: CaptureOrder, settle: Callable[[Transaction], None], *, can_wait: bool = False
) -> EvidenceCapture | None:
    """Capture a use and return what was captured; None when there is nothing to capture any more.

    `settle` is called in the transaction that writes the capture, and may raise. Where this machine failed at a part,
    the same transaction owes another capture. Raises VaultFull when there is no room, OSError when the disk fails, and
    with `can_wait` SiteSilent when nothing of the site answered; otherwise that is said in the capture.
    """
    subject = await asyncio.to_thread(_subject, services, order)
    if subject is None:
        return None

    with opened_capture_folder(services.data_dir, services.settings.capture.max_bytes) as folder:
        taken = await _take_all(services, subject, folder, order, can_wait=can_wait)
        captured = EvidenceCapture(
            id=new_id("capture"),
            case_id=subject.case.id,
            finding_id=subject.finding.id,
            reason=order.reason,
            asked_by=order.asked_by,
            began_at=subject.now,
            ended_at=services.clock(),
            page_url=subject.page_url,
            image_url=subject.image_url,
            guardian_version=__version__,
            files=taken.files,
            not_taken=taken.not_taken,
            differences=taken.differences,
        )

        def settle_and_owe(tx: Transaction) -> None:
            settle(tx)
            if taken.is_worth_repeating:
                owe_again(tx, order, captured, services.clock())

        return await asyncio.to_thread(_write, services, folder, captured, settle_and_owe)


async def _take_all(
    services: CaptureServices, subject: CaptureSubject, folder: CaptureFolder, order: CaptureOrder, *, can_wait: bool
) -> StepResult:
    """Take all that can be taken of a use, one step after the other."""
    exchanges = await take_exchanges(subject, folder, _exchange_services(services, subject, order.reason))
    if can_wait and exchanges.unreachable is not None:
        raise SiteSilent(exchanges.unreachable)

    if exchanges.refused is None:
        viewing = take_browser_views(subject, folder, services.browser, exchanges.page or exchanges.failed)
        views = await _step("screenshot.png", viewing)
    else:
        # A browser must not be the way around what guardian itself does not request.
        views = StepResult(not_taken=(NotTaken("screenshot.png", f"No screenshot was taken: {exchanges.refused}"),))

    if order.reason is CaptureReason.ABSENCE:
        # What is gone cannot be compared any more; what was captured before says what it was.
        return combined(await keep_exchanges(exchanges, folder), exchanges.taken, views)

    contacts = await _step("contacts", take_contacts(subject, folder, _contact_services(services, subject, exchanges)))
    kept = await keep_exchanges(exchanges, folder)
    comparing = ComparisonServices(services.vault, services.workers, services.rules, services.own_hosts)
    came = exchanges.image.content if exchanges.image is not None else None
    comparison = await _step("comparison", take_comparison(subject, folder, comparing, came))
    vaults = Vaults(services.vault, services.originals)
    rights = await _step("rights", take_rights(subject, folder, vaults, services.workers, exchanges))
    return combined(kept, exchanges.taken, views, comparison, rights, contacts)


def _exchange_services(services: CaptureServices, subject: CaptureSubject, reason: CaptureReason) -> ExchangeServices:
    return ExchangeServices(
        fetcher=services.fetcher_of(subject.finding.source),
        store=services.store,
        vault=services.vault,
        clock=services.clock,
        max_requests=services.settings.capture.max_requests,
        for_person=reason in _FOR_A_PERSON,
        is_of_absence=reason is CaptureReason.ABSENCE,
    )


def _contact_services(services: CaptureServices, subject: CaptureSubject, exchanges: Exchanges) -> ContactServices:
    return ContactServices(
        vault=services.vault,
        workers=services.workers,
        site=site_of(exchanges, services.fetcher_of(subject.finding.source)),
        registry=Fetcher.for_person(services.web),
        settings=services.settings,
        exchanges=exchanges,
    )


async def _step(name: str, taking: Awaitable[StepResult]) -> StepResult:
    """Return what one step took; one that fails took nothing, which is said. Raises VaultFull."""
    try:
        return await taking
    except VaultFull:
        raise
    except (GuardianError, OSError) as error:
        return StepResult(not_taken=(NotTaken(name, reason_of(error)),), is_worth_repeating=is_fault_of_machine(error))
    except Exception as error:
        # What the other steps took of a page that may be gone tomorrow must not be lost by a fault in one of them.
        log.exception("capture_step_failed", step=name)
        return StepResult(not_taken=(NotTaken(name, internal_error_text(error)),))


def _subject(services: CaptureServices, order: CaptureOrder) -> CaptureSubject | None:
    with services.store.read() as tx:
        return subject_of(tx, order.case_id, order.finding_id, services.originals, services.clock())


def _write(
    services: CaptureServices, folder: CaptureFolder, captured: EvidenceCapture, settle: Callable[[Transaction], None]
) -> EvidenceCapture | None:
    """Copy the files of a capture into the vault and write it; return it as written, None when its case is gone."""
    store, vault = services.store, services.vault
    paths = {file.sha256: folder.path_of(file) for file in captured.files}
    total = sum(path.stat().st_size for path in paths.values())

    # Should this process be killed before the capture is written, its files are needless.
    with store.begin() as tx:
        tx.released_evidence.add(paths, services.clock())

    def keep_all() -> None:
        for path in paths.values():
            vault.keep_file(path)

    with_room(store, vault, services.clock, total, keep_all)

    with store.begin() as tx:
        # Before anything else, as whoever deletes evidence of a case holds it alone before the case.
        tx.released_evidence.share()
        settle(tx)
        # Another process that made room may have removed what nobody needed until now.
        for digest, path in paths.items():
            if not vault.holds(digest):
                vault.keep_file(path)
        case_id = _case_of(tx, captured)
        if case_id is None:
            return None
        captured = replace(captured, case_id=case_id)
        tx.evidence.add(captured)
        tx.released_evidence.forget(paths)
    return captured


def _case_of(tx: Transaction, captured: EvidenceCapture) -> str | None:
    """Return the case that a captured use belongs to by now: works may have been joined or split meanwhile."""
    finding = tx.findings.get(captured.finding_id or "")
    if finding is not None and finding.case_id is not None:
        return finding.case_id
    case = tx.cases.get(captured.case_id)
    return case.id if case is not None else None
