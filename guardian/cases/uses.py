"""One use as it is recorded: an asset seen at one place, judged by the rules; and the finding that is written of it."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.model import Asset, Comparison, Context, Decision, Finding, LicenceStatus, Sighting
from guardian.store.ids import new_id
from guardian.urls.addresses import canonical_url
from guardian.views.plain_text import cleaned


@dataclass(frozen=True, slots=True)
class Kept:
    """SHA-256 digests of the evidence that was kept; None where it was not, and `note` says why.

    The statuses are those of the HTTP answers; None where nothing was transferred.
    """

    image_sha256: str | None = None
    page_sha256: str | None = None
    note: str | None = None
    image_status: int | None = None
    page_status: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """One asset seen at one address, its evidence already kept."""

    sighting: Sighting

    candidate_sha256: str
    """The digest of the image's bytes."""

    asset: Asset

    comparison: Comparison

    licence_status: LicenceStatus

    decision: Decision

    at: datetime
    """The moment of recording (aware UTC)."""

    kept: Kept = field(default_factory=Kept)

    also_at: tuple[str, ...] = ()
    """Other addresses of the same picture."""

    perceptual_hash: str | None = None
    """The published hash of the picture seen."""

    licence_id: str | None = None
    """The licence that gives `licence_status`."""

    seen_since: datetime | None = None
    """Since when the memory has known the picture there, where that is earlier than the sighting."""


def addresses_of(use: RecordedUse) -> tuple[str, str]:
    """Return the addresses of the page and of the image, canonical.

    An inline image has its digest as its address; without a page, the page's address is the image's.
    """
    sighting = use.sighting
    image_url = canonical_url(sighting.image_url) if sighting.image_url else f"urn:sha256:{use.candidate_sha256}"
    page_url = canonical_url(sighting.page_url) if sighting.page_url else image_url
    return page_url, image_url


def finding_of(use: RecordedUse, known: Finding | None, case_id: str | None) -> Finding:
    """Return the finding of a use, `known` as it was before if there is one."""
    page_url, image_url = addresses_of(use)
    return Finding(
        # Only for a finding that is new: the store keeps the id of one that it recognises.
        id=new_id("find"),
        asset_id=use.asset.id,
        case_id=case_id,
        source=use.sighting.source,
        page_url=page_url,
        image_url=image_url,
        first_seen_at=min(use.seen_since or use.sighting.seen_at, use.sighting.seen_at),
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
        licence_id=use.licence_id,
        licensed_since=licensed_since(known, use.licence_status, use.at),
    )


def licensed_since(before: Finding | None, now: LicenceStatus, at: datetime) -> datetime | None:
    """Return since when a use counts as licensed without a break, None for one that is not."""
    if now is not LicenceStatus.LICENSED:
        return None
    if before is None or before.licence is not LicenceStatus.LICENSED:
        return at
    # Findings of earlier versions do not say.
    return before.licensed_since or before.last_seen_at


def _clean_context(context: Context) -> Context:
    """Return the words around the image made safe to store, at most 10,000 characters of each.

    PostgreSQL takes neither NUL nor lone surrogates, and both occur on pages.
    """
    return context.with_each(lambda text: cleaned(text[:10_000]))
