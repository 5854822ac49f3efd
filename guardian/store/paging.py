"""Lists that go on where an earlier part of them ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, or_


def comes_after(
    place: tuple[float | datetime | ScalarSelect[datetime], str], value: ColumnElement[Any], key: ColumnElement[str]
) -> ColumnElement[bool]:
    """Return the SQL condition for rows that come after the one with the value and the key of `place`.

    The largest value comes first, and of equal values the smallest key: so no comparison of pairs tells it.
    """
    last_value, last_key = place
    return or_(value < last_value, and_(value == last_value, key > last_key))
