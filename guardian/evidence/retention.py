"""Holds cases, and deletes the evidence of cases: when an administrator asks for it, or when it is old enough.

Of a case on hold nothing is deleted, by anybody or anything. What was deleted leaves a trace: names, sizes and digests.
The case itself, its findings and its history stay.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog

from guardian.errors import UsageError
from guardian.evidence.pruning import remove_needless
from guardian.evidence.settings import KeptFor
from guardian.evidence.vault import Vault
from guardian.model import (
    Actor,
    Case,
    DeletedFile,
    DeletionReason,
    EvidenceCapture,
    EvidenceDeletion,
    EvidenceHold,
    FindingDigest,
)
from guardian.model.people import BY_GUARDIAN
from guardian.store import Store, Transaction
from guardian.store.ids import new_id
from guardian.store.versions import Droppable
from guardian.urls.addresses import host_is_under, host_of
from guardian.views.evidence import hold_text

log = structlog.get_logger(__name__)


def hold(tx: Transaction, case: Case, actor: Actor, note: str, now: datetime) -> EvidenceHold:
    """Put a case on hold. Raises UsageError when it is on hold already, or when no reason is given."""
    if not note.strip():
        raise UsageError("say why: the number of a matter, for example, or the name of a court")
    # Who deletes holds it alone, so that nothing is deleted which is being put on hold.
    tx.released_evidence.share()
    put = EvidenceHold(case.id, now, actor.name, note.strip())
    if not tx.holds.put(put):
        raise UsageError(f"{case.id} is already {hold_text(tx.holds.get(case.id) or put)}")
    tx.audit.add(actor, "evidence.held", case.id, now, {"note": put.note})
    return put


def release(tx: Transaction, case: Case, actor: Actor, note: str, now: datetime) -> None:
    """End the hold on a case. Raises UsageError when there is none."""
    if not tx.holds.end(case.id):
        raise UsageError(f"{case.id} is not on hold")
    tx.audit.add(actor, "evidence.released", case.id, now, {"note": note.strip()})


def require_free_host(tx: Transaction, host: str | None) -> None:
    """Raise UsageError when a use on a host, or anywhere for None, is of a case on hold: it must not be forgotten."""
    for held in tx.holds.list():
        places = [address for one in tx.findings.list(held.case_id) for address in (one.page_url, one.image_url)]
        if host is None or any(host_is_under(host_of(place), host) for place in places):
            where = "somewhere" if host is None else f"on {host}"
            raise UsageError(
                f"{held.case_id} has a use {where} and is {hold_text(held)}; nothing of it may be forgotten; "
                f"`guardian evidence release {held.case_id}` ends the hold"
            )


def delete_evidence(
    tx: Transaction, vault: Vault, case: Case, actor: Actor, reason: DeletionReason, note: str, now: datetime
) -> EvidenceDeletion | None:
    """Delete captures and kept bytes of a case and return the trace that stays; None when it has none.

    `remove_needless` then frees the disk. Bytes that other cases need, or that a look-alike is recognised by, stay.
    Raises UsageError when the case is on hold.
    """
    tx.released_evidence.hold_alone()
    _require_no_hold(tx, case)
    captures = tx.evidence.of_case(case.id)
    versions = _versions_with_bytes(tx, case)
    files = [*_captured_files(captures), *_kept_files(vault, (one.version for one in versions))]
    if not captures and not files:
        return None

    for one in versions:
        tx.versions.drop(one, f"deleted on {now:%Y-%m-%d} ({note or reason.value})", now)
    tx.evidence.delete([capture.id for capture in captures])
    released = {file.sha256 for file in files}
    tx.released_evidence.add(released - tx.versions.needed(released), now)

    deletion = EvidenceDeletion(
        id=new_id("deletion"),
        case_id=case.id,
        at=now,
        by=actor.name,
        reason=reason,
        note=note,
        captures=len(captures),
        size_bytes=sum(file.size_bytes for file in files),
        files=tuple(files),
    )
    tx.deletions.add(deletion)
    detail = {"deletion": deletion.id, "reason": reason.value, "note": note, "files": str(len(files))}
    tx.audit.add(actor, "evidence.deleted", case.id, now, detail)
    return deletion


def delete_aged(store: Store, vault: Vault, kept_for: KeptFor, now: datetime) -> int:
    """Delete the evidence of cases that their states keep no longer; return how many cases lost some.

    A case counts from when it was last changed or its picture last seen, whichever is later. Cases on hold, and those
    that somebody still has to deal with, are passed over.
    """
    done = 0
    for state, age in kept_for.ages.items():
        with store.read() as tx:
            old = [case for case in tx.cases.list(state=state) if _last_news(tx, case) < now - age]
        for case in old:
            with store.begin() as tx:
                # It may have been opened again, or put on hold, since it was read.
                current = tx.cases.get(case.id)
                if current is None or current.state is not state or tx.holds.get(case.id) is not None:
                    continue
                note = f"{state.value} for longer than {age.days} days"
                deleted = delete_evidence(tx, vault, current, BY_GUARDIAN, DeletionReason.AGE, note, now)
            done += deleted is not None

    if done:
        freed = remove_needless(store, vault)
        log.info("aged_evidence_deleted", cases=done, bytes=freed)
    return done


def _require_no_hold(tx: Transaction, case: Case) -> None:
    """Raise UsageError when a case is on hold."""
    held = tx.holds.get(case.id)
    if held is not None:
        raise UsageError(
            f"{case.id} is {hold_text(held)}; nothing of it may be deleted; "
            f"`guardian evidence release {case.id}` ends the hold"
        )


def _versions_with_bytes(tx: Transaction, case: Case) -> list[Droppable]:
    """Return the versions, at all findings of a case, whose picture or page is kept."""
    return [
        Droppable(finding.id, version)
        for finding in tx.findings.list(case.id)
        for version in tx.versions.of(finding.id)
        if version.dropped_at is None and (version.image_sha256 or version.page_sha256)
    ]


def _captured_files(captures: Sequence[EvidenceCapture]) -> Iterator[DeletedFile]:
    """Yield the files of captures, each named after its capture."""
    for capture in captures:
        for file in capture.files:
            yield DeletedFile(f"{capture.id}/{file.name}", file.sha256, file.size_bytes)


def _last_news(tx: Transaction, case: Case) -> datetime:
    return max([case.updated_at, *(finding.last_seen_at for finding in tx.findings.list(case.id))])


def _kept_files(vault: Vault, versions: Iterator[FindingDigest]) -> Iterator[DeletedFile]:
    """Yield what scans kept of some versions, each file once; what lies on another machine has no size here."""
    seen: set[str] = set()
    for version in versions:
        for kind, digest in (("picture", version.image_sha256), ("page", version.page_sha256)):
            if digest is None or digest in seen:
                continue
            seen.add(digest)
            path = vault.path_of(digest)
            yield DeletedFile(f"scans/{kind}", digest, path.stat().st_size if vault.holds(digest) else 0)
