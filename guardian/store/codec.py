"""Converts domain dataclasses to JSON values and back, without losing a bit of any number.

Follows type annotations: a new field with a default needs no code here, and old rows can still be read.
"""

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from guardian.model import ScanCounts

T = TypeVar("T")


def to_json(value: object) -> Any:
    """Return a dataclass, or any value that a field of one may hold, as JSON values.

    Raises ValueError for infinity and NaN, which JSON does not have, and TypeError for types without a JSON form.
    """
    if isinstance(value, ScanCounts):
        # Its words are what JSON, metrics and earlier versions' rows know.
        return value.as_words()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [to_json(part) for part in value]
    if isinstance(value, dict):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"not a number that can be stored: {value}")
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def from_json(kind: type[T], value: object) -> T:
    """Return the value of this kind that `to_json` wrote. Unknown keys are ignored, missing ones take their defaults.

    Raises ValueError when the JSON value cannot be of this kind.
    """
    return cast(T, _read(kind, value))


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_optional(kind, value)
    if origin is tuple:
        return _read_tuple(get_args(kind), value)
    if origin is dict:
        part = get_args(kind)[1]
        return {key: _read(part, item) for key, item in value.items()}
    if kind is ScanCounts:
        return ScanCounts.from_words(_read(dict[str, int], value))
    if is_dataclass(kind):
        return _read_dataclass(kind, value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and issubclass(kind, (datetime, date)):
        return kind.fromisoformat(value)
    # JSON has one type of number, so 1.0 may have come back as 1. True is an int to Python, but no number here.
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise ValueError(f"expected {kind.__name__}, found {value!r}")
    return value


def _read_optional(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    (inner,) = (part for part in get_args(kind) if part is not type(None))
    return _read(inner, value)


def _read_tuple(parts: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {value!r}")
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_read(parts[0], item) for item in value)
    return tuple(_read(part, item) for part, item in zip(parts, value, strict=True))


def _read_dataclass(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"expected a {kind.__name__}, found {value!r}")

    hints = _hints(kind)
    known = {name: _read(hints[name], value[name]) for name in hints if name in value}
    for field in fields(kind):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        if field.name not in known and not has_default:
            raise ValueError(f"{kind.__name__} without {field.name}")

    return kind(**known)


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    """Return the annotations of a dataclass, evaluated: slow enough to be worth keeping."""
    return get_type_hints(kind)
