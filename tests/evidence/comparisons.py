"""A use of a picture whose comparison is taken as captures take it, and a bundle that holds it."""

import hashlib
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.matching.worker_pool import WorkerPool
from guardian.model import (
    Action,
    Asset,
    Case,
    CaseState,
    Comparison,
    Decision,
    Finding,
    LicenceStatus,
    Severity,
    Work,
)


class KeptPool(WorkerPool):
    """Workers that outlive the jobs of one test."""

    async def aclose(self) -> None:
        """Keep them."""


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


def written_bundle(path: Path, members: dict[str, bytes], *, changed: dict[str, bytes] | None = None) -> Path:
    """Write a bundle of these members with their manifest; `changed` are put in place of members after that."""
    listed = [
        {
            "name": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "media_type": "",
            "about": "",
        }
        for name, content in members.items()
    ]
    manifest = {"format": "guardian-evidence/1", "case": "case_1", "made_at": SEEN.isoformat(), "members": listed}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest, sort_keys=True, separators=(",", ":")))
        for name, content in (members | (changed or {})).items():
            archive.writestr(name, content)
    return path
