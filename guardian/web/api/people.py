"""People and tokens, for admins. Passwords come in and never go out; a token's secret is shown once."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, AwareDatetime, Field

from guardian.errors import UsageError
from guardian.model import Actor, Permission, Person, Role
from guardian.people.people import add_person, change_password, change_role, remove_person
from guardian.people.tokens import add_token, revoke_token
from guardian.store import Transaction
from guardian.views.people import person_json, token_json
from guardian.web.api import schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.inputs import IdInPath, Input, Name, Text
from guardian.web.api.routing import UnrememberedRoute
from guardian.web.auth.requests import permitted
from guardian.web.desk import desk_of

router = APIRouter(tags=["people"], route_class=UnrememberedRoute)

Admin = Annotated[Actor, Depends(permitted(Permission.PEOPLE))]
Password = Annotated[Text, Field(min_length=1, max_length=1_000)]


class NewPerson(Input):
    """Somebody who signs in with a password."""

    name: Annotated[Name, Field(max_length=100)]
    role: Role
    password: Password


class PersonChanges(Input):
    """Another role, another password, or both."""

    role: Role | None = None
    password: Password | None = None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies beyond the year 9999 in UTC; leave it out for no end") from error


class NewToken(Input):
    """A token and what it may do."""

    name: Annotated[Name, Field(max_length=100)]
    scopes: list[Permission] = Field(min_length=1, max_length=20)
    until: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = Field(
        None, description="When it ends; null: never."
    )


@router.get(
    "/people", summary="List people", response_model=schemas.People, responses=problems(), operation_id="list_people"
)
def list_people(request: Request, actor: Admin) -> dict[str, Any]:
    """Return all people who may sign in."""
    with desk_of(request).store.read() as tx:
        return {"items": [person_json(one) for one in tx.people.all()]}


@router.post(
    "/people",
    summary="Add somebody",
    response_model=schemas.Person,
    responses=problems(413),
    operation_id="add_person",
)
def add_somebody(request: Request, actor: Admin, body: NewPerson) -> dict[str, Any]:
    """Add somebody who signs in with a password of at least 12 characters."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        return person_json(add_person(tx, actor, body.name, body.role, body.password, desk.clock()))


@router.patch(
    "/people/{person_id}",
    summary="Change somebody",
    response_model=schemas.Person,
    responses=problems(404, 413),
    operation_id="edit_person",
)
def edit_somebody(request: Request, actor: Admin, person_id: IdInPath, body: PersonChanges) -> dict[str, Any]:
    """Give somebody another role or password; another password signs them out everywhere. One admin always stays."""
    if body.role is None and body.password is None:
        raise UsageError("nothing to change: name `role` or `password`")
    desk = desk_of(request)
    with desk.store.begin() as tx:
        person = _person(tx, person_id)
        if body.role is not None:
            change_role(tx, actor, person.name, body.role, desk.clock())
        if body.password is not None:
            change_password(tx, actor, person.name, body.password, desk.clock())
        return person_json(_person(tx, person_id))


@router.delete(
    "/people/{person_id}",
    summary="Remove somebody",
    response_model=schemas.Person,
    responses=problems(404),
    operation_id="remove_person",
)
def remove_somebody(request: Request, actor: Admin, person_id: IdInPath) -> dict[str, Any]:
    """Let somebody sign in no more; they are signed out at once. What they decided stays under their name."""
    desk = desk_of(request)
    with desk.store.begin() as tx:
        return person_json(remove_person(tx, actor, _person(tx, person_id).name, desk.clock()))


@router.get(
    "/tokens", summary="List tokens", response_model=schemas.Tokens, responses=problems(), operation_id="list_tokens"
)
def list_tokens(request: Request, actor: Admin) -> dict[str, Any]:
    """Return all tokens, those that ended too, without their secrets."""
    desk = desk_of(request)
    with desk.store.read() as tx:
        return {"items": [token_json(one, desk.clock()) for one in tx.api_tokens.all()]}


@router.post(
    "/tokens",
    summary="Add a token",
    response_model=schemas.NewToken,
    responses=problems(413),
    operation_id="add_token",
)
def add_a_token(request: Request, actor: Admin, body: NewToken) -> dict[str, Any]:
    """Add a token for a program. `secret` is shown this once."""
    desk = desk_of(request)
    now: datetime = desk.clock()
    with desk.store.begin() as tx:
        secret, token = add_token(tx, actor, body.name, body.scopes, body.until, now)
    return token_json(token, now) | {"secret": secret}


@router.delete(
    "/tokens/{token_id}",
    summary="Revoke a token",
    response_model=schemas.Token,
    responses=problems(404),
    operation_id="revoke_token",
)
def revoke_a_token(request: Request, actor: Admin, token_id: IdInPath) -> dict[str, Any]:
    """Let a token open nothing any more."""
    desk = desk_of(request)

    with desk.store.begin() as tx:
        found = {one.id: one for one in tx.api_tokens.all()}
        if token_id not in found:
            raise not_found(f"there is no token {token_id}; GET /api/v1/tokens lists them")
        if found[token_id].revoked_at is None:
            revoke_token(tx, actor, found[token_id], desk.clock())
        revoked = next(one for one in tx.api_tokens.all() if one.id == token_id)
        return token_json(revoked, desk.clock())


def _person(tx: Transaction, person_id: str) -> Person:
    found = next((one for one in tx.people.all() if one.id == person_id), None)
    if found is None:
        raise not_found(f"there is nobody {person_id}; GET /api/v1/people lists all")
    return found
