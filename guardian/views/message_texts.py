"""Messages as people read them in mail and chat: a title and a few lines of plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

from guardian.views.comparisons import percent_text
from guardian.views.counting import counted
from guardian.views.plain_text import cleaned

_TITLES = {
    "case.opened": "Copy found",
    "case.escalated": "A case is more serious",
    "case.reopened": "A closed case is open again",
    "case.spread": "A copy is shown at more places",
    "case.changed": "A case was changed",
    "case.licensed": "A case is licensed",
    "case.dismissed": "A case was dismissed",
    "case.gone": "A copy is gone",
    "case.returned": "A copy is back",
    "case.relocated": "A copy has moved",
    "notice.deadline": "A day after a notice",
    "licence.lapsing": "A licence ends soon",
    "licence.lapsed": "A licence has ended",
    "source.failing": "A source cannot be scanned",
    "source.silent": "A source is silent",
    "source.shrinking": "A source shows much less than usual",
    "flood.held": "Messages are held",
    "watch.found": "A watch met new pictures",
    "digest": "What came since the last digest",
    "destination.test": "A test",
}

_DEADLINES = {
    "answer": "nobody has answered by",
    "restore_from": "a provider may restore the material from",
    "restore_by": "a provider must restore the material by",
}

_MOST_LINES = 40
_MOST_CHARACTERS = 500

Data = Mapping[str, Any]


def message_title(type_: str, data: Data) -> str:
    """Return one line that says what a message is about, without line breaks whatever strangers wrote."""
    words = [f"guardian: {_TITLES.get(type_, type_)}"]
    case, asset, licence = _part(data, "case"), _part(data, "asset"), _part(data, "licence")
    if asset:
        words.append(f"“{_line(asset.get('title'))}”")
    if case:
        words.append(f"at {_line(case.get('operator'))}")
    if licence:
        words.append(_line(licence.get("place")))
    if data.get("source") and not case:
        words.append(_line(data["source"]))
    return " ".join(words)[:_MOST_CHARACTERS]


def message_body(type_: str, data: Data, desk_url: str | None) -> str:
    """Return what people need to know of a message, a fact a line.

    The last one leads to its case: by a link to the desk, or by its id where nobody has said how people reach the desk.
    """
    lines = list(_facts(type_, data))
    if id_ := _part(data, "case").get("id"):
        lines.append(f"{desk_url.rstrip('/')}/cases/{id_}" if desk_url else f"case: {id_}")
    return "\n".join(lines[:_MOST_LINES])


def _facts(type_: str, data: Data) -> list[str]:
    facts: list[tuple[str, object]] = []
    case, asset, change = _part(data, "case"), _part(data, "asset"), _part(data, "change")
    if case:
        facts += [("operator", case.get("operator")), ("state", case.get("state")), ("severity", case.get("severity"))]
    if asset:
        facts += [("your picture", f"{asset.get('title')} ({asset.get('id')})")]
    facts += [("page", data.get("page_url")), ("picture there", data.get("image_url"))]
    facts += [("what was done to it", _part(data, "recovered").get("description"))]
    probability = _part(data, "measured").get("probability")
    if probability is not None:
        facts.append(("probability of a copy", percent_text(probability)))
    facts += [("rule", _part(data, "rule").get("name")), ("licence", _licence_words(data.get("licence")))]
    notice, deadline = _part(data, "notice"), _part(data, "deadline")
    if notice and deadline:
        what = _DEADLINES.get(str(deadline.get("what")), deadline.get("what"))
        facts += [("notice", f"{notice.get('id')}, {notice.get('kind')} to {notice.get('operator')}")]
        facts += [(str(what), deadline.get("on"))]
    if change:
        facts += [
            (
                str(change.get("kind")),
                " ".join(str(change[name]) for name in ("by", "detail", "note") if change.get(name)),
            )
        ]
    for name in ("detail", "note", "about", "limit", "hour", "what_to_do", "message"):
        facts.append((name.replace("_", " "), data.get(name)))
    lines = [f"{label}: {_line(fact)}" for label, fact in facts if fact not in (None, "")]
    if type_ == "watch.found":
        return lines + _watch_lines(data)
    return lines + (_digest_lines(data) if type_ == "digest" else [])


def _watch_lines(data: Data) -> list[str]:
    pictures: Sequence[Data] = data.get("pictures") or ()
    following = "" if data.get("is_all", True) else "; another message may follow"
    count = counted(int(data.get("count") or 0), "picture") + following
    lines = [f"watch: {_line(_part(data, 'watch').get('name'))}, {count}"]
    for picture in pictures:
        place = picture.get("page_url") or picture.get("image_url") or picture.get("id")
        lines.append(f"{_line(place)}: {_line(picture.get('why'))} ({picture.get('score')})")
    return lines


def _digest_lines(data: Data) -> list[str]:
    events: Sequence[Data] = data.get("events") or ()
    lines = [f"{counted(int(data.get('count') or 0), 'event')} in all"]
    for event in events:
        case, asset = _part(event, "case"), _part(event, "asset")
        what = _TITLES.get(str(event.get("type")), str(event.get("type")))
        lines.append(f"{what}: “{_line(asset.get('title'))}” at {_line(case.get('operator'))} ({case.get('id')})")
    return lines


def _licence_words(licence: object) -> str | None:
    if not isinstance(licence, Mapping):
        return str(licence) if licence else None
    until = f" until {licence['valid_until']}" if licence.get("valid_until") else ""
    left = f", {counted(licence['days_left'], 'day')} left" if licence.get("days_left") is not None else ""
    return f"{licence.get('place')}{_scope_words(licence)}{until}{left}"


def _scope_words(licence: Data) -> str:
    """Return what a licence is for, after the name of who may use it; "" where the message does not say."""
    if licence.get("collection"):
        return f" for the collection {licence['collection']}"
    if licence.get("tag"):
        return f" for the images with the tag {licence['tag']}"
    return f" for {licence['asset_id']}" if licence.get("asset_id") else ""


def _part(data: Data, name: str) -> Data:
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}


def _line(fact: object) -> str:
    return cleaned(str(fact))[:_MOST_CHARACTERS]
