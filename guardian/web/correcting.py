"""Corrects what is stated of an asset, for the pages and the API alike."""

from starlette.exceptions import HTTPException

from guardian.cases.standing import judge_again
from guardian.catalog.details import Correction, changes, edited
from guardian.model import Actor, Asset
from guardian.store import Transaction
from guardian.web.desk import Desk


def correct_asset(tx: Transaction, desk: Desk, actor: Actor, before: Asset, correction: Correction) -> None:
    """Write what is stated of an asset now, and to the audit log what that changes; cases follow its collection."""
    after = edited(before, correction)
    found = changes(before, after)
    if found:
        tx.assets.edit(after)
        tx.audit.add(actor, "asset.edited", before.id, desk.clock(), {one.name: one.after for one in found})
    if after.collection != before.collection:
        judge_uses_of(tx, desk, before.id)


def judge_uses_of(tx: Transaction, desk: Desk, asset_id: str) -> None:
    """Judge the recorded uses of an asset again, whose collection or work has changed: licences go by both.

    Raises 503 where the rules are not opened.
    """
    uses = list(tx.findings.places(asset_id=asset_id))
    if not uses:
        return
    if desk.judging is None:
        raise HTTPException(503, "the matcher and the rules are not opened here; ask the daemon (`guardian run`)")
    judge_again(tx, uses, desk.judging, desk.clock())
