"""What the pages of the desk share: who may see and do what, what they need, and where a form leads back to."""

from collections.abc import Callable

from fastapi import Depends

from guardian.cases import Edit
from guardian.cases.rejudging import Judging
from guardian.errors import UsageError
from guardian.model import BrowserSession, Permission, Role
from guardian.scan.services import Services
from guardian.search.search import Search
from guardian.web.auth.pages import local_path
from guardian.web.auth.requests import NotPermitted, signed_in
from guardian.web.desk import Desk

LONGEST_FIELD = 10_000
"""Characters of one field of a form."""

__all__ = ["LONGEST_FIELD", "edit_by", "local_path", "needed_judging", "person_may", "search_of", "services_of"]


def person_may(permission: Permission) -> Callable[[BrowserSession], BrowserSession]:
    """Return a dependency that lets people through who may do this; it raises NotSignedIn and NotPermitted."""

    def check(session: BrowserSession = Depends(signed_in)) -> BrowserSession:  # noqa: B008 - FastAPI's way
        if permission not in session.person.role.scopes:
            role = session.person.role.value
            able = next(one.value for one in Role if permission in one.scopes)
            raise NotPermitted(f"{session.person.name} is a {role} and may not do this; a role that may: {able}")
        return session

    return check


def edit_by(session: BrowserSession, desk: Desk, note: str | None, *, expected: int | None, batch: str | None) -> Edit:
    """Return the edit of somebody who is signed in, made now."""
    return Edit(session.person.name, desk.clock(), (note or "").strip() or None, expected=expected, batch=batch)


def needed_judging(judging: Judging | None) -> Judging:
    """Return what uses are judged by. Raises UsageError where the rules are not at hand."""
    if judging is None:
        raise UsageError("the rules are not opened here, so no licence can be judged; ask the daemon")
    return judging


def services_of(desk: Desk) -> Services:
    """Return what pictures are compared with. Raises UsageError where only the database is at hand."""
    if desk.services is None:
        raise UsageError("the matcher is not opened here; ask the daemon (`guardian run`)")
    return desk.services


def search_of(desk: Desk) -> Search:
    """Return the search of a desk. Raises as `services_of`."""
    return Search(desk.store, services_of(desk).workers, desk.data_dir)
