"""The audit log in words: who did what, when and from where, to what."""

from collections.abc import Collection
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from guardian.model import AuditLine, Permission
from guardian.store import Transaction
from guardian.views.audit_words import ACTION_TEXTS, action_text, detail_text
from guardian.views.notices import KIND_TITLES
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.pages.deciding import case_name
from guardian.web.rendering import page

router = APIRouter(include_in_schema=False)

_MOST = 200


@router.get("/audit", dependencies=[Depends(person_may(Permission.PEOPLE))])
async def show_audit(
    request: Request,
    subject: str = Query("", max_length=200),
    who: str = Query("", max_length=200),
    what: str = Query("", max_length=200),
    before: int | None = Query(None, ge=1, lt=2**63),
) -> Response:
    """Show lines of the audit log, the newest first: of this person, this kind, this case or the like."""
    desk = desk_of(request)

    def read() -> tuple[list[AuditLine], dict[str, str]]:
        with desk.store.read() as tx:
            lines = tx.audit.latest(
                _MOST + 1, subject.strip() or None, actor=who.strip(), action=what.strip(), before=before
            )
            return lines, _names(tx, {line.subject for line in lines if line.subject} | {subject})

    lines, names = await run_in_threadpool(read)
    shown = lines[:_MOST]
    chosen = {name: text for name, text in (("subject", subject), ("who", who), ("what", what)) if text}
    return page(
        request,
        "audit.html",
        lines=[(line, action_text(line.action), detail_text(line)) for line in shown],
        names=names,
        subject=subject,
        who=who,
        what=what,
        actions=sorted(ACTION_TEXTS.items(), key=lambda one: one[1]),
        older=urlencode(chosen | {"before": shown[-1].number}) if len(lines) > _MOST else None,
    )


def _names(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Return what people call what lines are about, by id, as far as the database still knows it."""
    names = {one.id: one.name for one in tx.people.all()} | {one.id: one.name for one in tx.api_tokens.all()}
    found = {id_: _name(tx, id_) for id_ in ids if id_ not in names}
    return names | {id_: name for id_, name in found.items() if name is not None}


def _name(tx: Transaction, id_: str) -> str | None:
    """Return what people call a case, an image, a notice or a licence; None for what is none or gone."""
    match id_.partition("_")[0]:
        case "case":
            return case_name(tx, id_)
        case "asset":
            asset = tx.assets.get(id_)
            return asset.title if asset is not None else None
        case "notice":
            notice = tx.notices.get(id_)
            return f"{KIND_TITLES[notice.kind]} to {notice.operator}" if notice is not None else None
        case "lic":
            licence = tx.licences.get(id_)
            return f"Licence of {licence.place}" if licence is not None else None
        case _:
            return None
