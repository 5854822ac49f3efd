"""Shows who is behind a site, as a capture found it: contacts.json, whose fields a report names in words."""

from collections.abc import Mapping
from typing import Any

from reportlab.platypus import Flowable

_MOST_ROWS = 60
_DEEPEST = 3


def contact_facts(contacts: Mapping[str, Any]) -> list[tuple[str, Flowable | str]]:
    """Return the fields of contacts.json as labels and texts; deeper ones are named by their path."""
    rows: list[tuple[str, Flowable | str]] = []
    _add(rows, "", contacts, 0)
    return rows[:_MOST_ROWS]


def _add(rows: list[tuple[str, Flowable | str]], label: str, value: Any, depth: int) -> None:
    if len(rows) >= _MOST_ROWS or value in (None, "", [], {}):
        return
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            words = str(key).replace("_", " ")
            _add(rows, f"{label}, {words}" if label else words.capitalize(), inner, depth + 1)
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        rows.append((label[:80], ", ".join(value[:20])))
    elif isinstance(value, list) and depth < _DEEPEST:
        for inner in value[:10]:
            _add(rows, label, inner, depth + 1)
    else:
        rows.append((label[:80], str(value)[:2000]))
