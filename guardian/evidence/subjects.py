"""What a capture is about: one use of a work, with all that the steps of the capture need to know of it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from guardian.cases.capture_orders import strongest
from guardian.errors import GuardianError
from guardian.model import Asset, Case, Comparison, Finding, Licence, Work
from guardian.store import Transaction


class Originals(Protocol):
    """Where the owner's own pictures lie by their SHA-256."""

    def path_of(self, digest: str) -> Path:
        """Return the path for the bytes with this digest."""
        ...


@dataclass(frozen=True, slots=True)
class CaptureSubject:
    """One use of a work, as it is recorded at `now`.

    What lies in a local folder has no `page_url` or `image_url` that could be requested.
    """

    case: Case

    work: Work

    asset: Asset
    """The version of the work that the finding matched."""

    finding: Finding
    """The strongest use of the case that is still there, or the one that is to be captured."""

    licence: Licence | None
    """The licence that gives the finding's status (`finding.licence`)."""

    original: Path
    """The file of the asset, which may be missing."""

    now: datetime

    @property
    def page_url(self) -> str | None:
        """The page that shows the picture, as it can be requested; None when it was seen on no page of the web."""
        return _on_the_web(self.finding.page_url) if self.finding.page_url != self.finding.image_url else None

    @property
    def image_url(self) -> str | None:
        """The address of the picture, as it can be requested; None for a picture within its page, or on a disk."""
        return _on_the_web(self.finding.image_url)

    @property
    def image_sha256(self) -> str | None:
        """The digest of the picture's bytes in the vault; None when they were not kept."""
        return self.finding.image_sha256

    @property
    def page_sha256(self) -> str | None:
        """The digest of the page's bytes in the vault; None when they were not kept."""
        return self.finding.page_sha256

    @property
    def comparison(self) -> Comparison:
        """What was measured when the use was last seen."""
        return self.finding.comparison

    @property
    def rule(self) -> str:
        """The name of the rule that decided about the use."""
        return self.finding.decision.rule

    def original_bytes(self) -> bytes:
        """Return the owner's own file as it was when it was protected.

        Raises GuardianError with a clause, for who reads the evidence, when it is missing, damaged or cannot be read.
        """
        try:
            content = self.original.read_bytes()
        except FileNotFoundError as error:
            raise GuardianError("the owner's own file is missing") from error
        except OSError as error:
            raise GuardianError(f"the owner's own file cannot be read ({error.strerror})") from error
        if hashlib.sha256(content).hexdigest() != self.asset.sha256:
            raise GuardianError("the owner's own file is damaged")
        return content


def subject_of(
    tx: Transaction, case_id: str, finding_id: str | None, originals: Originals, now: datetime
) -> CaptureSubject | None:
    """Return what a capture of a case is about; None when the case is gone, or has no finding any more.

    `finding_id`: the use to be captured; None for the strongest that is still there.
    """
    case = tx.cases.get(case_id)
    findings = tx.findings.list(case.id) if case is not None else []
    if case is None or not findings:
        return None

    named = tx.findings.get(finding_id) if finding_id is not None else None
    finding = named if named is not None and named.case_id == case.id else strongest(findings)
    asset, work = tx.assets.get(finding.asset_id), tx.works.of_asset(finding.asset_id)
    if asset is None or work is None:
        return None

    licence = tx.licences.get(finding.licence_id) if finding.licence_id is not None else None
    return CaptureSubject(case, work, asset, finding, licence, originals.path_of(asset.sha256), now)


def _on_the_web(url: str) -> str | None:
    return url if url.startswith(("http://", "https://")) else None
