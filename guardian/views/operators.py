"""Operators as JSON and in words: one alone in a list, or with all that is known of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guardian.model import Asset, Case, Context, Licence, LicenceStatus, OperatorSummary
from guardian.views.counting import counted
from guardian.views.licences import licence_json
from guardian.views.timestamps import json_timestamp

_MAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}")
_MOST_CONTACTS = 20


@dataclass(frozen=True, slots=True)
class OperatorDetail:
    """An operator with its cases and their assets, the licences that speak about it, and the contacts on its pages."""

    summary: OperatorSummary
    cases: Sequence[tuple[Case, Asset | None]]
    licences: Sequence[tuple[Licence, LicenceStatus]]
    contacts: Sequence[str]


def operator_json(summary: OperatorSummary) -> dict[str, Any]:
    """Return the object of one operator: `operator list --json`."""
    return {
        "operator": summary.operator,
        "cases": summary.cases,
        "pursued": summary.pursued,
        "states": {state.value: number for state, number in summary.states},
        "sightings": summary.findings,
        "changed_at": json_timestamp(summary.changed_at),
    }


def operator_detail_json(detail: OperatorDetail, cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the object of an operator with all that is known of it; `cases` are the objects of its cases."""
    return operator_json(detail.summary) | {
        "licences": [licence_json(licence, status) for licence, status in detail.licences],
        "contacts": list(detail.contacts),
        "cases_of": list(cases),
    }


def operator_text(summary: OperatorSummary) -> str:
    """Return how much of yours an operator uses: "3 works in 12 places: 2 open, 1 closed"."""
    states = ", ".join(f"{number} {state.value.replace('_', ' ')}" for state, number in summary.states)
    return f"{counted(summary.cases, 'work')} in {counted(summary.findings, 'place')}: {states}"


def contacts_in(contexts: Sequence[Context]) -> list[str]:
    """Return the mail addresses in the words around pictures, each once, at most 20."""
    found: dict[str, None] = {}
    for context in contexts:
        for text in (context.nearby_text, context.claims, context.caption):
            found |= dict.fromkeys(address.lower() for address in _MAIL.findall(text or ""))
    return list(found)[:_MOST_CONTACTS]
