"""Views of the queue that somebody has saved, for that person alone: programs have none."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.datastructures import QueryParams

from guardian.errors import UsageError
from guardian.model import Actor, Permission, Person
from guardian.people.views import forget_view, keep_view
from guardian.store import Transaction
from guardian.web.api import schemas
from guardian.web.api.answers import not_found, problems
from guardian.web.api.inputs import Input, Name, Text
from guardian.web.api.routing import GuardedRoute
from guardian.web.auth.requests import NotPermitted, permitted
from guardian.web.desk import desk_of
from guardian.web.queue_filter import queue_filter_in, unknown_fields

router = APIRouter(prefix="/views", tags=["views"], route_class=GuardedRoute)

Reader = Annotated[Actor, Depends(permitted(Permission.CASES_READ))]


def _signed_in(request: Request, actor: Reader) -> Person:
    """Return who is signed in. Raises NotPermitted for a program."""
    session = getattr(request.state, "session", None)
    if session is None:
        raise NotPermitted(f"{actor.name} is a program; views belong to people: sign in")
    person: Person = session.person
    return person


Owner = Annotated[Person, Depends(_signed_in)]


class NewView(Input):
    """A choice of the queue, and the name it is saved under."""

    name: Name = Field(examples=["Urgent, by operator"])
    query: Annotated[Text, Field(max_length=4_000)] = Field(
        description="What follows `/cases?` in the address of the page.",
        examples=["state=waiting&severity=high&group=operator"],
    )


class ViewQuery(Input):
    """Which view is meant."""

    name: Name


@router.get("", summary="List views", response_model=schemas.Views, responses=problems(), operation_id="list_views")
def list_views(request: Request, person: Owner) -> dict[str, Any]:
    """Return the views that you have saved, by name."""
    with desk_of(request).store.read() as tx:
        return {"items": _views(tx, person)}


@router.post("", summary="Save a view", response_model=schemas.Views, responses=problems(413), operation_id="save_view")
def save_view(request: Request, person: Owner, body: NewView) -> dict[str, Any]:
    """Save what the queue's form chooses under a name, in place of a view that has it; return all that you saved."""
    query = QueryParams(body.query)
    if unknown := unknown_fields(query):
        raise UsageError(
            f"the queue is not chosen by {', '.join(unknown)[:200]}; save what its page has in its address"
        )
    choice = queue_filter_in(query)
    choice.filter()

    desk = desk_of(request)
    with desk.store.begin() as tx:
        keep_view(tx, person, body.name, choice.query, desk.clock())
        return {"items": _views(tx, person)}


@router.delete(
    "", summary="Forget a view", response_model=schemas.Views, responses=problems(404), operation_id="forget_view"
)
def forget_a_view(request: Request, person: Owner, query: Annotated[ViewQuery, Query()]) -> dict[str, Any]:
    """Forget the view of this name; return those that are left."""
    with desk_of(request).store.begin() as tx:
        if all(view.name != query.name for view in tx.saved_views.of_person(person.id)):
            raise not_found("you have no view of this name; GET /api/v1/views lists them")
        forget_view(tx, person, query.name)
        return {"items": _views(tx, person)}


def _views(tx: Transaction, person: Person) -> list[dict[str, Any]]:
    return [{"name": view.name, "query": view.query} for view in tx.saved_views.of_person(person.id)]
