"""Messages on their way to destinations, and the destinations, as JSON."""

from typing import Any

from guardian.model import Task, TaskState
from guardian.views.timestamps import json_timestamp


def delivery_json(task: Task, *, is_held: bool) -> dict[str, Any]:
    """Return the object of one message to one destination, without its body: `delivery list --json`.

    `is_held`: it is due, but its destination is disabled.
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
    }


def destination_json(name: str, kind: str, url: str, disabled_because: str | None) -> dict[str, Any]:
    """Return the object of one destination: `destination list --json`.

    `url` must already be free of what nobody may see in logs (passwords, tokens).
    """
    state = "enabled" if disabled_because is None else "disabled"
    return {"name": name, "kind": kind, "url": url, "state": state, "reason": disabled_because}
