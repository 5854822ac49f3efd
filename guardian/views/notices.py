"""Notices and rechecks as JSON and in words. Pure functions."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from guardian.model.notices import (
    TOKEN_OF,
    Notice,
    NoticeKind,
    NoticeLine,
    NoticePlace,
    NoticeState,
    NoticeStep,
    PlaceLook,
    PlaceState,
    Recheck,
    RecheckOutcome,
)
from guardian.views.counting import counted
from guardian.views.timestamps import json_timestamp, second_text

KIND_TEXTS = {
    NoticeKind.DMCA: "notification under 17 U.S.C. 512(c)(3)",
    NoticeKind.DSA: "notice under Article 16 DSA",
    NoticeKind.CEASE: "cease and desist letter",
    NoticeKind.LICENCE_OFFER: "offer of a licence",
}

KIND_TITLES = {kind: text[0].upper() + text[1:] for kind, text in KIND_TEXTS.items()}
"""The same as headlines; what is written in capitals stays so."""

STEP_TEXTS = {
    NoticeStep.DRAFTED: "drafted",
    NoticeStep.LICENCE_CHECKED: "licences checked",
    NoticeStep.CONSIDERED: "exceptions considered",
    NoticeStep.VERIFIED: "addresses found live",
    NoticeStep.NOT_VERIFIED: "addresses not all live",
    NoticeStep.APPROVED: "approved",
    NoticeStep.SENT: "sent",
    NoticeStep.COUNTERED: "counter notice received",
    NoticeStep.WITHDRAWN: "withdrawn",
}

OUTCOME_TEXTS = {
    RecheckOutcome.THERE: "still there",
    RecheckOutcome.PARTLY: "gone in part",
    RecheckOutcome.GONE: "gone",
    RecheckOutcome.MOVED: "moved: gone where it was, and shown elsewhere on the host",
    RecheckOutcome.BACK: "back after it was gone",
    RecheckOutcome.UNCLEAR: "could not be told",
}


def kind_text(kind: NoticeKind) -> str:
    """Return what a kind of notice is, for people."""
    return KIND_TEXTS[kind]


def notice_text(notice: Notice) -> str:
    """Return one line about a notice: its id, what it is, to whom, about how much, and what it is now."""
    works = f"{counted(len(notice.items), 'work')} at {counted(len(notice.places), 'address', 'addresses')}"
    lacking = f", {counted(len(notice.missing), 'element')} missing" if notice.missing else ""
    return f"{notice.id}  {kind_text(notice.kind)} to {notice.operator}, {works}: {notice.state.value}{lacking}"


def line_text(line: NoticeLine, moment: Callable[[datetime], str] = second_text) -> str:
    """Return one line of a notice's history for people: when, what, by whom, and in which words.

    `moment` writes the time.
    """
    words = f"{moment(line.at)}  {step_words(line)} by {_who(line)}"
    return f"{words}: {line.note}" if line.note else words


def _who(line: NoticeLine) -> str:
    if TOKEN_OF not in line.detail:
        return line.by
    return f"{line.by} (a token that {line.detail[TOKEN_OF] or 'somebody'} made)"


def step_words(line: NoticeLine) -> str:
    """Return what a line of a notice's history says, without when, by whom and in which words."""
    words = STEP_TEXTS[line.step]
    detail = line.detail
    if line.step is NoticeStep.SENT:
        return f"{words} to {detail.get('to', '?')}"
    if line.step is NoticeStep.COUNTERED:
        return f"{words} on {detail['received']} ({_restoring(line)})"
    if line.step is NoticeStep.NOT_VERIFIED:
        return f"{words} ({'; '.join(f'{address}: {why}' for address, why in detail.items())})"
    if line.step is NoticeStep.DRAFTED and "left_out" in detail:
        return f"{words} (left out: {detail['left_out']})"
    return f"{words} ({detail['recorded']})" if "recorded" in detail else words


def next_day_text(notice: Notice) -> str:
    """Return the days that somebody waits for: those of an answer, or of material being restored; "" for none."""
    countered = notice.last(NoticeStep.COUNTERED)
    if notice.state is NoticeState.COUNTERED and countered is not None:
        return _restoring(countered)
    return f"answer by {notice.answer_by}" if notice.state is NoticeState.SENT else ""


def _restoring(countered: NoticeLine) -> str:
    return f"to be restored between {countered.detail['earliest']} and {countered.detail['latest']}"


def form_blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of a notice's form, each with the name of its field, which stands in brackets above it.

    What stands above the first name is a block without one.
    """
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            blocks.append((line[1:-1], []))
        else:
            blocks[-1][1].append(line)
    return [(name, "\n".join(lines).strip()) for name, lines in blocks if name or any(lines)]


def notice_json(notice: Notice) -> dict[str, Any]:
    """Return the object of a notice with its schedule and its history, without its text."""
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "language": notice.language.value,
        "state": notice.state.value,
        "operator": notice.operator,
        "recipient": notice.recipient,
        "subject": notice.subject,
        "drafted_at": json_timestamp(notice.drafted_at),
        "drafted_by": notice.drafted_by,
        "answer_by": notice.answer_by.isoformat(),
        "cases": list(notice.case_ids),
        "items": [
            {
                "case": item.case_id,
                "asset": item.asset_id,
                "title": item.title,
                "places": [_place_json(place) for place in item.places],
            }
            for item in notice.items
        ],
        "missing": list(notice.missing),
        "template_sha256": notice.template_sha256,
        "history": [_line_json(line) for line in notice.history],
    }


def _place_json(place: NoticePlace) -> dict[str, Any]:
    return {"finding": place.finding_id, "page_url": place.page_url, "image_url": place.image_url}


def _line_json(line: NoticeLine) -> dict[str, Any]:
    return {
        "at": json_timestamp(line.at),
        "step": line.step.value,
        "by": line.by,
        "note": line.note,
        "detail": dict(line.detail),
    }


def recheck_json(recheck: Recheck) -> dict[str, Any]:
    """Return the object of one recheck of a case."""
    return {
        "id": recheck.id,
        "case": recheck.case_id,
        "notice": recheck.notice_id,
        "day": recheck.day,
        "at": json_timestamp(recheck.at),
        "outcome": recheck.outcome.value,
        "asked_by": recheck.asked_by,
        "places": [_look_json(look) for look in recheck.places],
        "elsewhere": [_look_json(look) for look in recheck.elsewhere],
    }


def recheck_text(recheck: Recheck, *, with_name: bool = True) -> str:
    """Return what a recheck has shown, for people, and with `with_name` who asked for it."""
    if recheck.asked_by:
        why = f"asked for by {recheck.asked_by}" if with_name else "asked for"
    else:
        why = f"{counted(recheck.day or 0, 'day')} after the notice"
    return f"looked again ({why}): {outcome_text(recheck)}"


def outcome_text(recheck: Recheck) -> str:
    """Return what became of a case; of one that is gone also how much of its site could not be seen."""
    text = OUTCOME_TEXTS[recheck.outcome]
    unseen = [look for look in recheck.elsewhere if look.state is PlaceState.UNSEEN]
    if recheck.outcome is not RecheckOutcome.GONE or not unseen:
        return text
    pictures = sum(look.image_url is not None for look in unseen)
    numbers = {"picture": pictures, "page": len(unseen) - pictures}
    parts = [counted(number, name) for name, number in numbers.items() if number]
    return f"{text}, but {' and '.join(parts)} of the site could not be seen"


def look_text(look: PlaceLook) -> str:
    """Return what was seen at one place, for people."""
    where = look.image_url if look.state is PlaceState.UNSEEN else look.page_url
    return f"{where or look.page_url or look.image_url}: {look.state.value}, {look.detail}"


def _look_json(look: PlaceLook) -> dict[str, Any]:
    return {
        "page_url": look.page_url,
        "image_url": look.image_url,
        "state": look.state.value,
        "detail": look.detail,
        "finding": look.finding_id,
    }
