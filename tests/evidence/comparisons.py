"""A use of a picture whose comparison is taken as captures take it, and a bundle that holds it."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from guardian.evidence.bundle import BundleHead, Member, write_bundle
from guardian.evidence.signing import installation_key
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.model import (
    Action,
    Asset,
    Case,
    CaseState,
    Comparison,
    Decision,
    Finding,
    LicenceStatus,
    LostMember,
    LostState,
    Severity,
    Work,
)

SEEN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def subject_of(original: Path, vault: Vault, found: bytes, comparison: Comparison | None = None) -> CaptureSubject:
    """Return a use of the picture in a file; what was found is put into the vault."""
    asset = Asset(
        id="asset_1",
        number=1,
        title="Düne",
        collection="press",
        path=str(original),
        sha256=hashlib.sha256(original.read_bytes()).hexdigest(),
        width=400,
        height=300,
        added_at=SEEN,
        work_id="work_1",
    )
    decision = Decision(Action.ALERT, "certain-copy", Severity.HIGH, record=True)
    digest = vault.keep(found)
    finding = Finding(
        id="finding_1",
        asset_id=asset.id,
        case_id="case_1",
        source="web",
        page_url="https://shop.example/page",
        image_url="https://shop.example/i.jpg",
        first_seen_at=SEEN,
        last_seen_at=SEEN,
        licence=LicenceStatus.NONE,
        decision=decision,
        comparison=comparison or Comparison(0.99, aligned_similarity=0.9),
        candidate_sha256=digest,
        image_sha256=digest,
        page_sha256=None,
    )
    case = Case("case_1", asset.id, "work_1", "shop.example", CaseState.OPEN, Severity.HIGH, SEEN, SEEN, 1)
    return CaptureSubject(case, Work("work_1", (asset,)), asset, finding, None, original, SEEN)


def without_image(subject: CaptureSubject) -> CaptureSubject:
    """Return the same use, its bytes not kept."""
    return replace(subject, finding=replace(subject.finding, image_sha256=None))


def written_bundle(
    path: Path, members: dict[str, bytes], *, damaged: str | None = None, lost: str | None = None
) -> Path:
    """Write a bundle of these members, without a time stamp; a bit of the member `damaged` is then changed.

    The member `lost` is not there, which the bundle says.
    """
    given = [
        Member(name, content, "application/octet-stream", "A member.")
        for name, content in members.items()
        if name != lost
    ]
    missing = [
        LostMember(name, hashlib.sha256(content).hexdigest(), len(content), "A member.", LostState.MISSING)
        for name, content in members.items()
        if name == lost
    ]
    head = BundleHead("case_1", SEEN, "0.1.0", tuple(missing))
    key = installation_key(path.parent)
    asyncio.run(write_bundle(path, head, given, key, None))
    if damaged is not None:
        content = bytearray(path.read_bytes())
        content[content.index(members[damaged]) + len(members[damaged]) // 2] ^= 1
        path.write_bytes(content)
    return path
