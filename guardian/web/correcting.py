"""Corrects what is stated of an asset, for the pages and the API alike."""

from guardian.cases.rejudging import judge_uses_of
from guardian.catalog.details import Correction, changes, edited
from guardian.model import Actor, Asset
from guardian.store import Transaction
from guardian.web.api.dependencies import judging_of
from guardian.web.desk import Desk


def correct_asset(tx: Transaction, desk: Desk, actor: Actor, before: Asset, correction: Correction) -> None:
    """Write what is stated of an asset now, and to the audit log what that changes; cases follow its collection.

    Raises 503 where there are uses to be judged and the rules are not opened.
    """
    after = edited(before, correction)
    found = changes(before, after)
    if found:
        tx.assets.edit(after)
        tx.audit.add(actor, "asset.edited", before.id, desk.clock(), {one.name: one.after for one in found})
    if after.collection != before.collection:
        judge_uses_of(tx, [before.id], lambda: judging_of(desk), desk.clock())
