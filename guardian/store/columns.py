"""Column types: timestamps in UTC, enums as words, and domain values as JSON."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from guardian.store.codec import from_json, to_json


class Instant(TypeDecorator[datetime]):
    """A timestamp, always aware and in UTC. SQLite stores no zone, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the timestamp in UTC as the driver takes it. Raises ValueError for one without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored timestamp as an aware one in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[Enum]):
    """A StrEnum stored as its word."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> str | None:
        """Return the word of a member. Raises ValueError for a string that is none of the words."""
        # By way of the enum, so that a misspelt word in a query raises instead of finding nothing.
        return None if value is None else str(self.kind(value).value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Enum | None:
        """Return the member of a stored word. Raises ValueError for a word that this version does not know."""
        return None if value is None else self.kind(value)


class Document(TypeDecorator[Any]):
    """A domain value (see codec) as a JSON document. `kind` is its annotation, also tuple[...] or dict[...]."""

    # None is SQL's NULL, which queries can ask for, and not the JSON value null.
    impl = JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the domain value as JSON values."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the domain value of stored JSON values."""
        return None if value is None else from_json(self.kind, value)
