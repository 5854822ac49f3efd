"""Whether somebody else approves a notice than has drafted it.

A program that shows a token may draft: it counts as the person who made its token. Only a person approves.
"""

from collections.abc import Mapping

from guardian.model import Actor, ActorKind
from guardian.model.notices import TOKEN_OF, Notice, NoticeStep
from guardian.views.plain_text import cleaned

_ASKS = "nothing is to be both drafted and approved by one person (notices.four_eyes)"


def detail_of(actor: Actor) -> dict[str, str]:
    """Return what a line of a notice's history keeps of a program that took the step; nothing of a person."""
    return {TOKEN_OF: actor.token_of or ""} if actor.kind is ActorKind.TOKEN else {}


def why_not_approved_by(notice: Notice, name: str, detail: Mapping[str, str]) -> str | None:
    """Return why an approval is none where notices.four_eyes is on; None when it is one.

    `name` and `detail` are those of the line of the approval, or what it would have.
    """
    name = cleaned(name)
    if TOKEN_OF in detail:
        return f"{name} is the token of a program: notices.four_eyes asks for a person to approve {notice.id}"
    if _is_same(name, notice.drafted_by):
        return f"{name} has drafted {notice.id}, and {_ASKS}"

    drafted = notice.last(NoticeStep.DRAFTED)
    maker = drafted.detail.get(TOKEN_OF) if drafted is not None else None
    if maker is None:
        return None
    if not maker:
        return f"nobody knows who made the token {notice.drafted_by}, which has drafted {notice.id}: draft another one"
    if _is_same(name, maker):
        return f"{name} made the token {notice.drafted_by}, which has drafted {notice.id}, and {_ASKS}"
    return None


def _is_same(one: str, other: str) -> bool:
    return cleaned(one).casefold() == cleaned(other).casefold()
