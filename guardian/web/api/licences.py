"""Licences: listed, added, changed, taken out. Recorded uses are judged again at once."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from pydantic import Field
from starlette.exceptions import HTTPException

from guardian.cases.licensing import add, asset_named, edit, path_named, place_named, remove
from guardian.cases.rejudging import Rejudged
from guardian.errors import UsageError
from guardian.licences import speaks_about, status_of
from guardian.model import Actor, Licence, Permission
from guardian.store import Transaction
from guardian.urls.addresses import host_in
from guardian.views.licences import licence_json
from guardian.web.api import schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.dependencies import judging_of
from guardian.web.api.inputs import IdInPath, Input, Name, Note
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import Desk, desk_of
from guardian.web.licence_files import import_licences, keep_proof, proof_of

router = APIRouter(prefix="/licences", tags=["licences"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.LICENCES_READ))]
Licensor = Annotated[Actor, Depends(permitted(Permission.LICENCES_WRITE))]


class LicenceQuery(Input):
    """Which licences are wanted."""

    host: Name | None = Field(None, description="That speak about this host, the hosts above it or below it.")


class Terms(Input):
    """What a licence says beside whom and what it is for."""

    path: Name | None = Field(None, description="A part of the site, such as /blog.")
    valid_from: date | None = None
    valid_until: date | None = Field(None, description="The last day, included; null: without end.")
    territory: Name | None = None
    medium: Name | None = None
    note: Note | None = None


class NewLicence(Terms):
    """Who may use what: exactly one of `asset`, `collection` and `tag`."""

    host: Name = Field(description="The licensee's site, with its subdomains, or an account's address.")
    asset: Name | None = None
    collection: Name | None = None
    tag: Name | None = None


@router.get(
    "", summary="List licences", response_model=schemas.Licences, responses=problems(), operation_id="list_licences"
)
def list_licences(request: Request, actor: Reader, query: Annotated[LicenceQuery, Query()]) -> dict[str, Any]:
    """Return all licences by host, and what each is today."""
    desk = desk_of(request)
    host = host_in(query.host) if query.host is not None else None
    if query.host is not None and not host:
        raise UsageError(f"{query.host!r} is not a host; write one such as customer.example")
    with desk.store.read() as tx:
        found = tx.licences.list()
    if host is not None:
        found = [one for one in found if speaks_about(one, host)]
    return {"items": [_object_of(desk, one) for one in found]}


@router.post(
    "/imports",
    summary="Add the licences of a file",
    response_model=schemas.ImportedLicences,
    responses=problems(409, 413, 415),
    operation_id="import_licences",
)
async def import_file(
    request: Request,
    actor: Licensor,
    file: Annotated[UploadFile, File(description="CSV as `guardian licence import` reads, without proofs.")],
) -> dict[str, Any]:
    """Add all licences of a CSV file or, when a row is wrong, none; the error then names each such row."""
    done = await import_licences(desk_of(request), actor, file)
    return {
        "added": done.added,
        "known": done.known,
        "cases_licensed": [case.id for rejudged in done.rejudged for case in rejudged.licensed],
        "cases_not_licensed": [case.id for rejudged in done.rejudged for case in rejudged.unlicensed],
    }


@router.get(
    "/{licence_id}/proof",
    summary="Fetch the proof of a licence",
    response_class=Response,
    responses=problems(404) | {200: {"description": "The file.", "content": {"application/octet-stream": {}}}},
    operation_id="get_proof",
)
def get_proof(request: Request, actor: Reader, licence_id: IdInPath) -> Response:
    """Return the file that proves a licence."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        licence = _licence(tx, licence_id)
    return proof_of(desk, licence)


@router.put(
    "/{licence_id}/proof",
    summary="Keep the proof of a licence",
    response_model=schemas.Licence,
    responses=problems(404, 409, 413, 415),
    operation_id="keep_proof",
)
async def put_proof(
    request: Request,
    actor: Licensor,
    licence_id: IdInPath,
    file: Annotated[UploadFile, File(description="The contract or e-mail that proves it.")],
) -> dict[str, Any]:
    """Keep a file as the proof of a licence, in place of the one before."""
    desk = desk_of(request)
    licence = await keep_proof(desk, actor, licence_id, file)
    if licence is None:
        raise _none(licence_id)
    return _object_of(desk, licence)


@router.get(
    "/{licence_id}",
    summary="Show a licence",
    response_model=schemas.Licence,
    responses=problems(404),
    operation_id="get_licence",
)
def get_licence(request: Request, actor: Reader, licence_id: IdInPath) -> dict[str, Any]:
    """Return a licence."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        return _object_of(desk, _licence(tx, licence_id))


@router.post(
    "",
    summary="Add a licence",
    response_model=schemas.ChangedLicence,
    responses=problems(404, 409, 413),
    operation_id="add_licence",
)
def add_licence(request: Request, actor: Licensor, body: NewLicence) -> dict[str, Any]:
    """Note who may use what. The same terms twice are one licence. Returns also which cases are licensed by it."""
    desk = desk_of(request)

    def write(tx: Transaction) -> tuple[Licence, Rejudged]:
        host, account = place_named(body.host)
        terms = Licence(
            id="",
            host=host,
            path=path_named(body.path) if body.path else account,
            asset_id=asset_named(tx, body.asset).id if body.asset is not None else None,
            collection=body.collection,
            tag=body.tag,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
            territory=body.territory,
            medium=body.medium,
            note=body.note,
        )
        licence, rejudged = add(tx, terms, lambda: judging_of(desk), desk.clock())
        tx.audit.add(actor, "licence.added", licence.id, desk.clock(), {"host": licence.host})
        return licence, rejudged

    return _changed(desk, *desk.store.run(write))


@router.patch(
    "/{licence_id}",
    summary="Change a licence",
    response_model=schemas.ChangedLicence,
    responses=problems(404, 409, 413),
    operation_id="edit_licence",
)
def edit_licence(request: Request, actor: Licensor, licence_id: IdInPath, body: Terms) -> dict[str, Any]:
    """Change what a licence says; what is left out stays. A last day in the past ends it."""
    desk = desk_of(request)
    stated = body.model_dump(exclude_unset=True)
    if not stated:
        raise UsageError("nothing to change: name at least one field")
    if stated.get("path"):
        stated["path"] = path_named(stated["path"])

    def write(tx: Transaction) -> tuple[Licence, Rejudged]:
        licence = replace(_licence(tx, licence_id), **stated)
        rejudged = edit(tx, licence, lambda: judging_of(desk), desk.clock())
        detail = {name: str(value) for name, value in stated.items()}
        tx.audit.add(actor, "licence.edited", licence.id, desk.clock(), detail)
        return licence, rejudged

    return _changed(desk, *desk.store.run(write))


@router.delete(
    "/{licence_id}",
    summary="Take a licence out",
    response_model=schemas.ChangedLicence,
    responses=problems(404, 409),
    operation_id="remove_licence",
)
def remove_licence(request: Request, actor: Licensor, licence_id: IdInPath) -> dict[str, Any]:
    """Take a licence out, as if it had never been. To end one, change its last day instead."""
    desk = desk_of(request)

    def write(tx: Transaction) -> tuple[Licence, Rejudged]:
        licence = _licence(tx, licence_id)
        rejudged = remove(tx, licence, lambda: judging_of(desk), desk.clock())
        tx.audit.add(actor, "licence.removed", licence.id, desk.clock(), {"host": licence.host})
        return licence, rejudged

    return _changed(desk, *desk.store.run(write))


def _licence(tx: Transaction, licence_id: str) -> Licence:
    licence = tx.licences.get(licence_id)
    if licence is None:
        raise _none(licence_id)
    return licence


def _none(licence_id: str) -> HTTPException:
    return not_found(f"there is no licence {licence_id}; GET /api/v1/licences lists them")


def _object_of(desk: Desk, licence: Licence) -> dict[str, Any]:
    return licence_json(licence, status_of(licence, desk.clock().date()))


def _changed(desk: Desk, licence: Licence, rejudged: Rejudged) -> dict[str, Any]:
    return _object_of(desk, licence) | {
        "cases_licensed": [case.id for case in rejudged.licensed],
        "cases_not_licensed": [case.id for case in rejudged.unlicensed],
    }
