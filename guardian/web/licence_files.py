"""Licences as files, for the pages and the API alike: read from CSV, written as CSV, and their proofs kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from urllib.parse import quote

from fastapi import UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.cases import licensing
from guardian.cases.rejudging import Rejudged
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, StoreUnusable, UsageError
from guardian.evidence.vaults import proofs_in
from guardian.model import Actor, Licence
from guardian.store import Transaction
from guardian.views.licences import licence_cells
from guardian.views.overview import csv_text
from guardian.web.api.dependencies import judging_of
from guardian.web.api.uploads import name_of, received
from guardian.web.desk import Desk

_LARGEST_PROOF = 20 * 1024**2


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file of licences: how many were new and how many known, and what they changed."""

    added: int
    known: int
    rejudged: tuple[Rejudged, ...]


async def import_licences(desk: Desk, actor: Actor, upload: UploadFile) -> Imported:
    """Add the licences of a CSV file, all of them or, when a row is wrong, none.

    Raises UsageError with a line for each row that is wrong.
    """

    def write(path: Path, tx: Transaction) -> Imported:
        try:
            terms = licensing.read_licences(tx, path, None)
        except GuardianError as error:
            # Where it lies meanwhile is nothing to anybody.
            raise UsageError(str(error).replace(str(path), path.name)) from error
        before = {licence.id for licence in tx.licences.list()}
        now = desk.clock()
        changed = [licensing.add(tx, one, lambda: judging_of(desk), now) for one in terms]
        new = {licence.id: licence for licence, _ in changed if licence.id not in before}
        for licence in new.values():
            tx.audit.add(actor, "licence.added", licence.id, now, {"host": licence.place})
        return Imported(len(new), len(terms) - len(new), tuple(rejudged for _, rejudged in changed))

    async with received(desk, upload) as path:
        return await run_in_threadpool(desk.store.run, partial(write, path))


def licences_csv(licences: Iterable[Licence]) -> str:
    """Return licences as a CSV file that `guardian licence import` and the desk read; without their proofs."""
    cells = map(licence_cells, licences)
    return csv_text(licensing.COLUMNS, [[one.get(name, "") for name in licensing.COLUMNS] for one in cells])


async def keep_proof(desk: Desk, actor: Actor, licence_id: str, upload: UploadFile) -> Licence | None:
    """Keep a file as the proof of a licence; return the licence as it is now, None when there is none of this id.

    Raises UsageError for an empty or too large file, StoreUnusable where it cannot be written.
    """
    content = await upload.read(_LARGEST_PROOF + 1)
    if not content or len(content) > _LARGEST_PROOF:
        raise UsageError(f"choose the file that proves the licence, of at most {_LARGEST_PROOF >> 20} MiB")

    def write() -> Licence | None:
        with desk.store.begin() as tx:
            licence = tx.licences.get(licence_id)
            if licence is None:
                return None
            try:
                digest = proofs_in(desk.data_dir).keep(content)
            except OSError as error:
                raise StoreUnusable(f"the proof cannot be kept: {disk_error_text(error)}") from error
            changed = replace(licence, proof_file=name_of(upload), proof_sha256=digest)
            tx.licences.edit(changed)
            tx.audit.add(actor, "licence.proof_kept", licence.id, desk.clock(), {"sha256": digest})
            return changed

    return await run_in_threadpool(write)


def proof_of(desk: Desk, licence: Licence) -> Response:
    """Return the bytes of a licence's proof as a file to be saved. Raises UsageError when there is none."""
    if licence.proof_sha256 is None:
        raise UsageError("no proof of this licence is kept")
    try:
        content = proofs_in(desk.data_dir).get(licence.proof_sha256)
    except GuardianError as error:
        raise UsageError("the proof of this licence is missing or damaged; restore `proofs/` from a backup") from error
    name = PurePath(licence.proof_file or "proof").name
    # Never shown in the desk's own origin: strangers may have written it.
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(content, media_type="application/octet-stream", headers=headers)
