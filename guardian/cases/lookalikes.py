"""Pictures that are not yours: said at one case, it makes them quiet at all cases of the work.

Which bytes show the same whole picture, in another size or compression, the matcher says: scan/lookalikes.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from guardian.cases.deciding import Edit, decide
from guardian.cases.reading import case_with_id
from guardian.errors import UsageError
from guardian.model import PURSUED_STATES, Case, CaseFilter, CaseState, DismissReason, Finding, LookAlike
from guardian.store import Transaction
from guardian.store.ids import new_id, part_of_batch

_NEAR_BITS = 12
"""Of the 64 bits of two published hashes so many may differ for the matcher to be asked. It decides."""

_MOST_PICTURES = 50
"""A case with more different pictures than this is no single mistake of the matcher."""

MOST_NOT_MINE = 500
"""Cases whose pictures are called not one's own at once: each picture is compared with all that may be the same."""


@dataclass(frozen=True, slots=True)
class NotMine:
    """What it does to call the picture of a case not one's own: the case, and others that are closed with it."""

    case: Case
    closed: tuple[Case, ...] = ()


def refuse_too_many(count: int) -> None:
    """Raise UsageError when the pictures of so many cases cannot be called not one's own at once."""
    if count > MOST_NOT_MINE:
        raise UsageError(
            f"the pictures of at most {MOST_NOT_MINE} cases are called not yours at once, and these are {count:,}: "
            "choose fewer, those of one work or operator for example, or dismiss them for another reason"
        )


def pictures_of(tx: Transaction, case_id: str) -> list[Finding]:
    """Return a finding for each different picture (by its bytes) of a case that is still there, the latest first.

    Raises UsageError for an unknown case, and for one with more than 50 pictures.
    """
    case = case_with_id(tx, case_id)
    latest = sorted(tx.findings.list(case.id), key=lambda finding: finding.last_seen_at, reverse=True)
    pictures = {finding.candidate_sha256: finding for finding in reversed(latest)}
    if len(pictures) > _MOST_PICTURES:
        raise UsageError(
            f"{case.id} has {len(pictures)} different pictures, too many to be one mistake: dismiss it instead, "
            "or split the work"
        )
    return list(pictures.values())


def possibly_same(tx: Transaction, case: Case, pictures: Sequence[Finding]) -> dict[str, Finding]:
    """Return the pictures of other cases of the work that wait and may show one of these: by their bytes, a finding."""
    found: dict[str, Finding] = {}
    for other in tx.cases.matching(CaseFilter(states=PURSUED_STATES, asset_id=case.asset_id)):
        if other.id == case.id:
            continue
        for finding in tx.findings.list(other.id):
            if any(are_near(finding, picture) for picture in pictures):
                found[finding.candidate_sha256] = finding
    return found


def are_near(one: Finding, other: Finding) -> bool:
    """Return whether two findings have the same bytes, or so similar published hashes that they may show the same."""
    if one.candidate_sha256 == other.candidate_sha256:
        return True
    return are_hashes_near(one.perceptual_hash, other.perceptual_hash)


def are_hashes_near(one: str | None, other: str | None) -> bool:
    """Return whether two published hashes are so similar that the matcher must tell; False when one is missing."""
    if one is None or other is None:
        return False
    return (int(one, 16) ^ int(other, 16)).bit_count() <= _NEAR_BITS


def closed_with(tx: Transaction, case: Case, same: Collection[str]) -> list[Case]:
    """Return the cases that wait and have nothing but pictures of these bytes (and uses that are gone)."""
    found = []
    for other in tx.cases.matching(CaseFilter(states=PURSUED_STATES, asset_id=case.asset_id)):
        present = [finding for finding in tx.findings.list(other.id) if not finding.is_absent]
        if other.id != case.id and present and all(finding.candidate_sha256 in same for finding in present):
            found.append(other)
    return found


def would_close(tx: Transaction, case_id: str, same: Collection[str]) -> list[Case]:
    """Return the cases that `call_not_mine` would close with this one. Raises as `pictures_of`."""
    pictures = pictures_of(tx, case_id)
    case = case_with_id(tx, case_id)
    return closed_with(tx, case, {*same, *(picture.candidate_sha256 for picture in pictures)})


def call_not_mine(
    tx: Transaction, case_id: str, same: Collection[str], edit: Edit, besides: Collection[str] = ()
) -> NotMine:
    """Dismiss a case since its pictures are not one's own, and make them known look-alikes of its work.

    `same` are the digests of other bytes that show the same. Cases that have nothing else are dismissed with it (reason
    `look_alike`), and from now on their pictures are quiet everywhere. All lines share a batch: `undo` of this case
    takes all of it back. Where several cases are called so at once, `edit.batch` is that of all, in which each has a
    part of its own, and `besides` are their ids: none of them is closed because of another. Raises as `decide` and
    `pictures_of`.
    """
    batch = part_of_batch(edit.batch, case_id) if edit.batch is not None else new_id("batch")
    edit = replace(edit, batch=batch)
    pictures = pictures_of(tx, case_id)
    case = decide(tx, case_id, CaseState.DISMISSED, edit, reason=DismissReason.NOT_MINE)
    known = {*same, *(picture.candidate_sha256 for picture in pictures)}
    closed = [other for other in closed_with(tx, case, known) if other.id not in besides]

    for picture in pictures:
        lookalike = LookAlike(
            id=new_id("alike"),
            work_id=case.work_id,
            sha256=picture.candidate_sha256,
            image_sha256=picture.image_sha256,
            perceptual_hash=picture.perceptual_hash,
            case_id=case.id,
            batch=batch,
            at=edit.at,
            by=edit.by,
        )
        tx.lookalikes.add(lookalike)
        for sha256 in same:
            tx.lookalikes.add_digest(lookalike.id, sha256)

    note = f"its pictures are those of {case.id}, which are not yours"
    their_edit = replace(edit, note=note, expected=None)
    dismissed = [
        decide(tx, other.id, CaseState.DISMISSED, their_edit, reason=DismissReason.LOOK_ALIKE) for other in closed
    ]
    return NotMine(case, tuple(dismissed))
