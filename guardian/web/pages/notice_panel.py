"""What the pages of a case and of an operator show of notices: those there are, and what a draft needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from guardian.model import Case, TaskKind
from guardian.model.notices import Notice, NoticeKind, Recheck
from guardian.notices.recipients import recipients_of
from guardian.store import Transaction
from guardian.tasks.user_requests import may_ask_again, owed_text
from guardian.views.notices import KIND_TITLES, recheck_text
from guardian.web.desk import Desk


@dataclass(frozen=True, slots=True)
class NoticePanel:
    """The notices, newest first; the rechecks with their words; the usual language; whom a notice could go to.

    `looks_owed`: looks at all places that somebody has asked for, in words; `may_look`: whether asking for one has an
    effect.
    """

    notices: Sequence[Notice]
    rechecks: Sequence[tuple[Recheck, str]]
    language: str
    contacts: Sequence[str]
    kind_titles: Mapping[NoticeKind, str]
    looks_owed: Sequence[str] = ()
    may_look: bool = True


def panel_of_case(tx: Transaction, desk: Desk, case: Case) -> NoticePanel:
    """Return what is shown of notices on the page of a case."""
    rechecks = [(one, recheck_text(one)) for one in reversed(tx.notices.rechecks_of(case.id))]
    contacts = [one.address for one in recipients_of(tx, desk.vault, [case.id])]
    owed = tx.tasks.owed(TaskKind.RECHECK_ASKED, case.id)
    panel = _panel(desk, list(reversed(tx.notices.of_case(case.id))), rechecks, contacts)
    looks = [owed_text(task, "A look at all its places") for task in owed]
    return replace(panel, looks_owed=looks, may_look=may_ask_again(owed))


def panel_of_operator(tx: Transaction, desk: Desk, operator: str, contacts: Sequence[str]) -> NoticePanel:
    """Return what is shown of notices on the page of an operator."""
    return _panel(desk, tx.notices.list(operator=operator), [], contacts)


def _panel(
    desk: Desk, notices: Sequence[Notice], rechecks: Sequence[tuple[Recheck, str]], contacts: Sequence[str]
) -> NoticePanel:
    return NoticePanel(notices, rechecks, desk.notice_config.settings.language.value, contacts, KIND_TITLES)
