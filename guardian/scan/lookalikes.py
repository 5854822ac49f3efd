"""Recognises pictures that a person has called not theirs, and finds the same pictures elsewhere.

The matcher compares the whole of both, and only what it confirms is the same. What cannot be compared (its bytes were
not kept, say) is not, so that nothing is quiet by mistake.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from guardian.cases.lookalikes import are_hashes_near, pictures_of, possibly_same
from guardian.cases.reading import case_with_id
from guardian.errors import GuardianError, UsageError
from guardian.evidence import Vault
from guardian.matching.workers import Workers
from guardian.model import (
    LOOKALIKE_RULE,
    Action,
    Candidate,
    Decision,
    Fetched,
    Finding,
    JudgedMatch,
    LookAlike,
    MatchReport,
)
from guardian.scan.services import Services
from guardian.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SamePictures:
    """Bytes that show the pictures of a case, by digest, and how many that may show them could not be compared."""

    digests: frozenset[str]
    not_compared: int = 0


@dataclass(frozen=True, slots=True)
class Archive:
    """Where pictures are looked for and compared: rows, kept evidence, the originals of assets, and the matcher."""

    store: Store
    vault: Vault
    originals: Vault
    workers: Workers


async def find_same_pictures(archive: Archive, case_id: str) -> SamePictures:
    """Return the pictures at other open cases of the work that show the same as those of a case.

    Raises UsageError for an unknown case, and when one of its pictures is a version of one's own asset: to call that
    not mine would hide every copy.
    """

    def read() -> tuple[list[Finding], dict[str, Finding], list[str]]:
        with archive.store.read() as tx:
            pictures = pictures_of(tx, case_id)
            case = case_with_id(tx, case_id)
            work = tx.works.of_asset(case.asset_id)
            return pictures, possibly_same(tx, case, pictures), [asset.sha256 for asset in work.assets] if work else []

    pictures, near, own = await asyncio.to_thread(read)
    for picture in pictures:
        if await _is_own(archive, picture, own):
            raise UsageError(
                f"{picture.image_url} shows the same picture as an asset of this work, so it is yours; dismiss the "
                "case for another reason, or withdraw the asset"
            )

    digests, not_compared = set(), 0
    for sha256, finding in near.items():
        answers = [await _is_same(archive, finding, picture) for picture in pictures]
        if any(answers):
            digests.add(sha256)
        elif None in answers:
            not_compared += 1
    return SamePictures(frozenset(digests), not_compared)


async def _is_own(archive: Archive, picture: Finding, own: Sequence[str]) -> bool:
    """Return whether the picture of a finding is one's own asset, whole: the same bytes, or a version of it."""
    if picture.candidate_sha256 in own:
        return True
    # Only what shows all of the asset can be a version of it; nearly no look-alike does.
    if not picture.comparison.shows_whole or picture.image_sha256 is None:
        return False
    for original in own:
        if archive.originals.holds(original) and archive.vault.holds(picture.image_sha256):
            content = await asyncio.to_thread(archive.originals.get, original)
            if await _is_same_as(archive.vault, archive.workers, picture.image_sha256, content):
                return True
    return False


async def _is_same(archive: Archive, finding: Finding, picture: Finding) -> bool | None:
    """Return whether two findings show the same whole picture; None when they cannot be compared."""
    if finding.candidate_sha256 == picture.candidate_sha256:
        return True
    if not are_hashes_near(finding.perceptual_hash, picture.perceptual_hash):
        return False
    if finding.image_sha256 is None or picture.image_sha256 is None or not archive.vault.holds(finding.image_sha256):
        return None
    content = await _kept(archive.vault, finding.image_sha256)
    if content is None:
        return None
    return await _is_same_as(archive.vault, archive.workers, picture.image_sha256, content)


async def _is_same_as(vault: Vault, workers: Workers, digest: str, content: bytes) -> bool | None:
    """Return whether kept evidence shows the same whole picture as some bytes; None when that cannot be said."""
    kept = await _kept(vault, digest)
    if kept is None:
        return None
    try:
        return await workers.is_same_picture(kept, content)
    except GuardianError as error:
        log.warning("lookalike_not_compared", digest=digest, reason=str(error))
        return None


async def _kept(vault: Vault, digest: str) -> bytes | None:
    """Return the bytes under a digest; None when they are lost or damaged."""
    try:
        return await asyncio.to_thread(vault.get, digest)
    except GuardianError as error:
        log.warning("lookalike_not_compared", digest=digest, reason=str(error))
        return None


async def quiet_lookalikes(
    services: Services, candidate: Candidate, judged: Sequence[JudgedMatch], report: MatchReport
) -> tuple[JudgedMatch, ...]:
    """Return the matches of a picture, those decided anew of whose works it is a known look-alike.

    Such a match is recorded without a case, and nobody is told. Bytes that turn out to show the same are remembered.
    """
    if all(match.decision.action is Action.IGNORE for match in judged):
        # True for nearly every picture, and costs no query.
        return tuple(judged)

    def read() -> list[tuple[bool, list[LookAlike]]]:
        with services.store.read() as tx:
            known = tx.lookalikes.with_digest(candidate.sha256)
            found = []
            for match in judged:
                of_work = tx.lookalikes.of_work(match.asset.id)
                found.append((any(one.work_id in known for one in of_work), of_work))
            return found

    quiet: list[JudgedMatch] = []
    for match, (is_known, of_work) in zip(judged, await asyncio.to_thread(read), strict=True):
        alike = is_known or await _shows_lookalike(services, candidate, report, of_work)
        decision = Decision(Action.IGNORE, LOOKALIKE_RULE, record=True)
        asks = match.decision.action is not Action.IGNORE
        quiet.append(replace(match, decision=decision) if alike and asks else match)
    return tuple(quiet)


async def _shows_lookalike(
    services: Services, candidate: Candidate, report: MatchReport, of_work: Sequence[LookAlike]
) -> bool:
    """Return whether a picture shows the same as one of these look-alikes, and remember it if it does."""
    if not isinstance(candidate, Fetched):
        # Unchanged bytes: they were compared when they came.
        return False

    for one in of_work:
        is_near = are_hashes_near(one.perceptual_hash, report.perceptual_hash)
        if not is_near or one.image_sha256 is None or not services.vault.holds(one.image_sha256):
            continue
        if await _is_same_as(services.vault, services.workers, one.image_sha256, candidate.content):
            await asyncio.to_thread(_remember, services.store, one.id, candidate.sha256)
            return True
    return False


def _remember(store: Store, lookalike_id: str, sha256: str) -> None:
    with store.begin() as tx:
        tx.lookalikes.add_digest(lookalike_id, sha256)
