"""What a filter of assets wants, as conditions in SQL."""

import json
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, cast, type_coerce

from guardian.model import AssetFilter
from guardian.store.tables import assets


def conditions(wanted: AssetFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter. Of tags and labels they may let more through: see `has_text`."""
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(assets.c.state == wanted.state)
    if wanted.collection is not None:
        found.append(assets.c.collection == wanted.collection)
    if wanted.weak:
        found.append(type_coerce(assets.c.self_check, JSON)["weakness"].as_string().is_not(None))
    if wanted.added_since is not None:
        found.append(assets.c.added_at >= wanted.added_since)
    if wanted.tag is not None:
        found.append(has_text(assets.c.tags, wanted.tag))
    if wanted.label is not None:
        found.append(has_text(assets.c.labels, wanted.label))
    if wanted.words is not None:
        # Tags as the JSON of their list spells them.
        spelled = json.dumps(wanted.words)[1:-1]
        found.append(
            assets.c.title.icontains(wanted.words, autoescape=True)
            | assets.c.path.icontains(wanted.words, autoescape=True)
            | cast(assets.c.tags, Text).icontains(spelled, autoescape=True)
        )
    return found


def has_text(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return the condition that a JSON document may hold a text: it does so as JSON spells it, in any case."""
    return cast(column, Text).contains(json.dumps(text), autoescape=True)
