"""Tells who is behind a site in words, as contacts.json of a capture says it, and what was not asked."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reportlab.platypus import Flowable

from guardian.evidence.json_values import as_list, as_object, objects_in
from guardian.views.timestamps import minute_text

_MOST_ROWS = 40
_MOST_VALUES = 12

_SITE = (
    ("names", "Names on the site"),
    ("postal", "Postal address"),
    ("emails", "Mail on the site"),
    ("phones", "Telephone"),
    ("numbers", "Numbers of registers"),
)
_REGISTRIES = (("domain", "Domain"), ("network", "Hosting network"))
_SECURITY = "security.txt"

_WORDS = {
    "name": "{}",
    "range": "addresses {}",
    "handle": "handle {}",
    "country": "country {}",
    "holder": "registered by {}",
    "registrar": "through the registrar {}",
    "address": "the site answered from {}",
    "abuse_emails": "mail for abuse: {}",
    "abuse_phones": "telephone for abuse: {}",
    "nameservers": "name servers {}",
    "answered_by": "as {} answered",
    "url": "at {}",
    "expires": "valid until {}",
    "problem": "{}",
}
"""How a part of what registries and security.txt say is told; what is not named here stands after its name."""

_SILENT = frozenset({"asked"})
"""Addresses of questions, which contacts.json has for those who want to ask again."""


def contact_facts(contacts: Mapping[str, Any]) -> list[tuple[str, Flowable | str]]:
    """Return labels and texts of contacts.json; what it does not have is left out, what it has besides is shown too."""
    rows: list[tuple[str, Flowable | str]] = []
    site = as_object(contacts.get("site"))
    for name, label in _SITE:
        rows += _row(label, _words(site.get(name)))
    rows += _row("Pages that were read", _words([one["url"] for one in _pages(contacts) if "sha256" in one]))

    rows += _row(_SECURITY, _told(as_object(contacts.get("security_txt"))))
    for name, label in _REGISTRIES:
        rows += _row(label, _told(as_object(contacts.get(name))))
    for hint in as_list(contacts.get("notices")):
        one = as_object(hint)
        rows += _row("Where notices go", f"{one.get('address', '')} ({one.get('why', '')})")
    rows += _row("Looked at", _moment(contacts.get("looked_at")))
    return rows[:_MOST_ROWS]


def contacts_not_taken(contacts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield labels of what was not asked or did not answer, each with the reason."""
    for one in _pages(contacts):
        if one.get("problem"):
            yield "Contacts on the site", f"{one['url']}: {one['problem']}"
    for name, label in (("security_txt", _SECURITY), *_REGISTRIES):
        problem = as_object(contacts.get(name)).get("problem")
        if problem:
            yield label, str(problem)


def _told(said: Mapping[str, Any]) -> str:
    """Return all that a part says, in the order in which people read it."""
    order = [*_WORDS, *(name for name in said if name not in _WORDS)]
    return "; ".join(filter(None, (_part(name, said[name]) for name in order if name in said)))


def _part(name: str, value: object) -> str:
    if value in (None, "", [], {}, False) or name in _SILENT:
        return ""
    if name == "is_expired":
        return "it has expired"
    if isinstance(value, Mapping):
        # Times of a registry, such as those of registration and of its end.
        return ", ".join(f"{event} on {str(at)[:10]}" for event, at in value.items())
    return _WORDS.get(name, f"{name.replace('_', ' ')}: {{}}").replace("{}", _words(value))


def _words(value: object) -> str:
    """Return a value as a person reads it: lists with commas."""
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        shown = ", ".join(_words(one) for one in value[:_MOST_VALUES])
        left = len(value) - _MOST_VALUES
        return f"{shown} and {left} more" if left > 0 else shown
    return str(value)


def _moment(value: object) -> str:
    try:
        return minute_text(datetime.fromisoformat(str(value)))
    except ValueError:
        return ""


def _row(label: str, text: str) -> list[tuple[str, Flowable | str]]:
    return [(label, text)] if text else []


def _pages(contacts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in objects_in(as_object(contacts.get("site")).get("pages")) if "url" in one]
