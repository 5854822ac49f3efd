"""What all operations of the API share: the errors that they answer, the desk they work on, and who acts."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

from guardian.web.api import schemas
from guardian.web.problems import PROBLEM

_PROBLEMS: Mapping[int, tuple[type[schemas.Problem], str]] = {
    400: (schemas.Problem, "What was sent makes no sense; `detail` says why"),
    401: (schemas.Problem, "No token, or one that is not known, was revoked or has ended"),
    403: (schemas.Problem, "The token or the person may not do this"),
    404: (schemas.Problem, "There is no such thing"),
    409: (
        schemas.Problem,
        "A request with this Idempotency-Key is still being answered",
    ),
    412: (schemas.ChangedProblem, "Somebody else changed it since; `since` says what they did"),
    413: (schemas.Problem, "The body is too large"),
    415: (schemas.Problem, "The body is of another media type"),
    422: (schemas.InvalidProblem, "What was sent is not what this operation takes; `errors` says where"),
    429: (schemas.Problem, "Too many requests; Retry-After says for how many seconds to wait"),
    503: (schemas.Problem, "This cannot be done at the moment; `detail` says why"),
}

_EVERYWHERE = (400, 401, 403, 422, 429, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the errors that an operation answers: those of all operations, and these."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*_EVERYWHERE, *statuses}):
        model, text = _PROBLEMS[status]
        schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        found[status] = {"description": text, "content": {PROBLEM: {"schema": schema}}}
    return found


PROBLEM_MODELS = (schemas.Problem, schemas.InvalidProblem, schemas.ChangedProblem)


def not_found(what: str) -> HTTPException:
    """Return the error of something that is not there. `what` is a sentence that says where to look."""
    return HTTPException(404, what)
