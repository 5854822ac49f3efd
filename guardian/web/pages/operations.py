"""What guardian itself does: messages on their way, the configuration."""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.delivery.floods import drop_flood, held_floods, release_flood
from guardian.delivery.sending import delivery_numbered, retry_now
from guardian.errors import UsageError
from guardian.model import BrowserSession, Permission, Task, TaskKind, TaskState
from guardian.store import Transaction
from guardian.views.deliveries import DELIVERY_TEXTS, Subject, subject_case_name, subject_of, subject_text
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.rendering import page

router = APIRouter(include_in_schema=False)

READER = Depends(person_may(Permission.OPERATIONS_READ))
_MOST = 200


@router.get("/deliveries", dependencies=[READER])
async def show_deliveries(
    request: Request, state: str = "", before: int | None = Query(None, ge=1, lt=2**63)
) -> Response:
    """Show messages, the newest first: on their way, given up, accepted."""
    desk = desk_of(request)
    chosen = TaskState(state) if state in list(TaskState) else None

    def read() -> tuple[list[tuple[Task, str, str | None]], dict[TaskState, int], set[str], list[tuple[str, str, int]]]:
        with desk.store.read() as tx:
            rows = []
            for task in tx.tasks.list(TaskKind.DELIVER, chosen, _MOST + 1, before=before):
                message = tx.messages.get(task.message_id) if task.message_id is not None else None
                subject = subject_of(message) if message is not None else None
                rows.append((task, _about(subject), subject.case_id if subject is not None else None))
            counts = dict(tx.tasks.counts(TaskKind.DELIVER))
            floods = [(about, _flood_name(tx, about), number) for about, number in held_floods(tx).items()]
            return rows, counts, set(tx.destinations.disabled()), floods

    rows, counts, disabled, floods = await run_in_threadpool(read)
    shown = rows[:_MOST]
    older = None
    if len(rows) > _MOST:
        older = urlencode(({"state": chosen.value} if chosen else {}) | {"before": str(shown[-1][0].id)})
    return page(
        request,
        "deliveries.html",
        rows=shown,
        counts=counts,
        disabled=disabled,
        floods=floods,
        chosen=chosen,
        texts=DELIVERY_TEXTS,
        older=older,
    )


def _flood_name(tx: Transaction, about: str) -> str:
    """Return what held messages are about as people call it: of a work the title of its first image."""
    work = tx.works.get(about)
    return work.assets[0].title if work is not None else about.replace("rule:", "rule ", 1)


def _about(subject: Subject | None) -> str:
    if subject is None:
        return ""
    return subject_case_name(subject) if subject.case_id is not None else subject_text(subject, None) or subject.type


@router.post("/deliveries")
async def retry(
    request: Request,
    session: BrowserSession = Depends(person_may(Permission.OPERATIONS_WRITE)),  # noqa: B008 - FastAPI's way
    number: int = Form(),
) -> Response:
    """Try a message again now: one that was given up, or one that waits for its next try."""
    desk = desk_of(request)
    actor = person_acting(request, session)

    def again() -> bool:
        with desk.store.begin() as tx:
            task = delivery_numbered(tx, number)
            return task is not None and retry_now(tx, actor, task, desk.clock())

    if not await run_in_threadpool(again):
        raise UsageError(f"message {number} is neither given up nor waiting for another try")
    return RedirectResponse("/deliveries", status_code=303)


@router.post("/deliveries/floods")
async def end_flood(
    request: Request,
    session: BrowserSession = Depends(person_may(Permission.OPERATIONS_WRITE)),  # noqa: B008 - FastAPI's way
    about: str = Form(max_length=500),
    decision: str = Form(max_length=20),
) -> Response:
    """Send the messages of a flood that are held, or never send them."""
    decide = {"release": release_flood, "drop": drop_flood}.get(decision)
    if decide is None:
        raise UsageError("say whether the messages are released or dropped")
    desk = desk_of(request)
    actor = person_acting(request, session)

    def end() -> None:
        with desk.store.begin() as tx:
            decide(tx, actor, about, desk.clock())

    await run_in_threadpool(end)
    return RedirectResponse("/deliveries", status_code=303)


@router.get("/settings", dependencies=[Depends(person_may(Permission.PEOPLE))])
async def show_settings(request: Request) -> Response:
    """Show the configuration that is at work: what each setting is for, and where it was written. No secrets."""
    return page(request, "settings.html", groups=desk_of(request).configuration)
