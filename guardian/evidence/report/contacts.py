"""Shows who is behind a site, as contacts.json of a capture says it: what was found, and what was not asked."""

from collections.abc import Mapping
from typing import Any

from reportlab.platypus import Flowable

_MOST_ROWS = 40
_MOST_VALUES = 12


def contact_facts(contacts: Mapping[str, Any]) -> list[tuple[str, Flowable | str]]:
    """Return labels and texts of contacts.json; what it does not have is left out, what it has besides is shown too."""
    rows: list[tuple[str, Flowable | str]] = []
    site = _mapping(contacts.get("site"))
    for name, label in (
        ("names", "Names on the site"),
        ("postal", "Postal address"),
        ("emails", "Mail on the site"),
        ("phones", "Telephone"),
        ("numbers", "Numbers of registers"),
    ):
        rows += _row(label, site.get(name))
    read = [one["url"] for one in _list(site.get("pages")) if isinstance(one, Mapping) and "sha256" in one]
    rows += _row("Pages that were read", read)

    rows += _section("security.txt", _mapping(contacts.get("security_txt")))
    rows += _section("Domain", _mapping(contacts.get("domain")))
    rows += _section("Hosting network", _mapping(contacts.get("network")))
    for hint in _list(contacts.get("notices")):
        one = _mapping(hint)
        rows += _row("Where notices go", f"{one.get('address', '')} ({one.get('why', '')})")
    rows += _row("Looked at", contacts.get("looked_at"))
    return rows[:_MOST_ROWS]


def _section(label: str, told: Mapping[str, Any]) -> list[tuple[str, Flowable | str]]:
    """Return one row for all that a part says; a problem is said as it is."""
    parts = []
    for name, value in told.items():
        if value in (None, "", [], {}, False):
            continue
        words = name.replace("_", " ")
        parts.append(str(value) if name == "problem" else f"{words}: {_text(value)}")
    return _row(label, "; ".join(parts))


def _row(label: str, value: object) -> list[tuple[str, Flowable | str]]:
    text = _text(value)
    return [(label, text)] if text else []


def _text(value: object) -> str:
    """Return a value as a person reads it: lists with commas, deeper values with their names."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {_text(inner)}" for name, inner in value.items() if inner)
    if isinstance(value, list):
        shown = ", ".join(_text(one) for one in value[:_MOST_VALUES])
        left = len(value) - _MOST_VALUES
        return f"{shown} and {left} more" if left > 0 else shown
    return str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
