"""Messages on their way to destinations, and the destinations, as JSON and in words."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from guardian.model import Message, Task, TaskState
from guardian.views.timestamps import json_timestamp, second_text

DELIVERY_TEXTS = {TaskState.DUE: "on the way", TaskState.DONE: "accepted", TaskState.DEAD: "given up"}
"""What has become of a message to a destination."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about, as its body says. None where it does not speak of such a thing."""

    type: str
    case_id: str | None = None
    operator: str | None = None
    asset_id: str | None = None
    asset_title: str | None = None
    source: str | None = None


def subject_of(message: Message) -> Subject:
    """Return what a stored message is about; only its type when its body says nothing that this version knows."""
    try:
        data = json.loads(message.body)["data"]
        case, asset = data.get("case") or {}, data.get("asset") or {}
        return Subject(
            message.type, case.get("id"), case.get("operator"), asset.get("id"), asset.get("title"), data.get("source")
        )
    except (ValueError, KeyError, AttributeError, TypeError):
        # Messages of other versions stay listable whatever they hold.
        return Subject(message.type)


def subject_text(subject: Subject, case_id: str | None) -> str:
    """Return what a message is about, in words: "“Harbour” at shop.example, case_0123". `case_id` as it is shown."""
    if case_id is not None:
        return f"{subject_case_name(subject)}, {case_id}"
    return f"source {subject.source}" if subject.source else ""


def subject_case_name(subject: Subject) -> str:
    """Return what people call the case that a message is about: "“Harbour” at shop.example"."""
    title = f"“{subject.asset_title}”" if subject.asset_title else subject.asset_id or "an image"
    return f"{title} at {subject.operator or 'an unknown place'}"


def delivery_json(task: Task, subject: Subject | None, *, is_held: bool) -> dict[str, Any]:
    """Return the object of one message to one destination, without its body: `delivery list --json`.

    `subject` is None when the message is lost. `is_held`: it is due, but its destination is disabled.
    """
    return {
        "id": task.id,
        "webhook_id": task.message_id,
        "destination": task.destination,
        "state": task.state.value,
        "held": is_held,
        "attempts": task.attempts,
        "created_at": json_timestamp(task.created_at),
        # Of a message that is done or dead the column holds only when it was last due.
        "due_at": json_timestamp(task.due_at) if task.state is TaskState.DUE else None,
        "last_error": task.last_error,
        "key": task.key,
        "about": asdict(subject) if subject else None,
    }


def delivery_facts(task: Task, subject: Subject, *, is_held: bool) -> dict[str, str]:
    """Return short labels and the text of each, in reading order: what `delivery show` says above the body.

    The last error may hold words of the receiver: escape it for the medium.
    """
    state = "held: its destination is disabled" if is_held else task.state.value
    facts = {
        "id": str(task.id),
        "webhook-id": task.message_id,
        "destination": task.destination,
        "type": subject.type,
        "case": subject.case_id,
        "asset": f"“{subject.asset_title}” ({subject.asset_id})" if subject.asset_id else None,
        "source": subject.source,
        "state": state,
        "attempts": str(task.attempts),
        "created": second_text(task.created_at),
        "due": second_text(task.due_at) if task.state is TaskState.DUE else None,
        "last error": task.last_error,
    }
    return {label: text for label, text in facts.items() if text is not None}


def destination_json(name: str, kind: str, url: str, disabled_because: str | None) -> dict[str, Any]:
    """Return the object of one destination: `destination list --json`.

    `url` must already be free of what nobody may see in logs (passwords, tokens).
    """
    state = "enabled" if disabled_because is None else "disabled"
    return {"name": name, "kind": kind, "url": url, "state": state, "reason": disabled_because}
