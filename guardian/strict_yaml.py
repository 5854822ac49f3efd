"""YAML text to pydantic models, strictly: every mistake is named with file, line, column and what to do.

Refuses what YAML forgives: duplicate and unknown keys, `NO` for false, `12:30` for 750, null sections.
"""

import difflib
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, PlainSerializer, ValidationError

from guardian.errors import ConfigError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
# YAML 1.1 words and numbers that people meant as text.
_SURPRISES = re.compile(r"(?:y|n|yes|no|on|off)|[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?", re.IGNORECASE)

M = TypeVar("M", bound=BaseModel)


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `2h`, `7d`, `500ms` as a timedelta. Raises ValueError that says the accepted form."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit: 500ms, 30s, 15m, 2h or 7d")
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def byte_size(text: str) -> int:
    """`20MB`, `10GiB`, `512kB` as bytes. Raises ValueError that says the accepted form."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a size; write a number and a unit: 512kB, 20MB or 10GiB")
    return round(float(found[1]) * _BYTES[found[2]])


def show_duration(value: timedelta) -> str:
    """The shortest exact spelling that `duration` reads back."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds // _SECONDS[unit])}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0s"


def show_byte_size(value: int) -> str:
    """The shortest exact spelling that `byte_size` reads back."""
    for unit in ("TiB", "GiB", "MiB", "KiB", "GB", "MB", "kB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def _read_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return duration(value)
    raise ValueError(f"{value!r} has no unit; write a number and a unit: 30s, 15m, 2h or 7d")


def _read_byte_size(value: object) -> object:
    if isinstance(value, str):
        return byte_size(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not a size; write a number and a unit: 512kB, 20MB or 10GiB")


Duration = Annotated[timedelta, BeforeValidator(_read_duration), PlainSerializer(show_duration, return_type=str)]
"""A timedelta, written as 30s, 15m, 2h, 7d."""

ByteSize = Annotated[int, BeforeValidator(_read_byte_size), PlainSerializer(show_byte_size, return_type=str)]
"""A number of bytes, written as 512kB, 20MB, 10GiB."""


class Positions:
    """Where each value of a document stands, by its path of keys and indices."""

    def __init__(self, file: Path, root: yaml.Node | None) -> None:
        self.file = file
        self._marks: dict[tuple[str | int, ...], yaml.Mark] = {}
        if root is not None:
            self._walk(root, ())

    def error(self, message: str, path: Sequence[str | int]) -> ConfigError:
        """An error at the value of `path`, or at its nearest ancestor that was written."""
        known = tuple(path)
        while known and known not in self._marks:
            known = known[:-1]
        mark = self._marks.get(known)
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return ConfigError(message, file=self.file, line=line, column=column)

    def _walk(self, node: yaml.Node, path: tuple[str | int, ...]) -> None:
        self._marks[path] = node.start_mark
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._walk(value, (*path, str(key.value)))
                # Errors of a value point at its key: that is where people look.
                self._marks[(*path, str(key.value))] = key.start_mark
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._walk(value, (*path, index))


def load(path: Path, model: type[M]) -> M:
    """Read a YAML file into a model. An empty file is an empty mapping. Raises ConfigError."""
    return load_with_positions(path, model)[0]


def load_with_positions(path: Path, model: type[M]) -> tuple[M, Positions]:
    """Like `load`, with the positions of the values for errors that only later checks can find."""
    node = _compose(path)
    positions = Positions(path, node)
    if node is not None:
        _refuse_surprises(node, path)
    data = yaml.SafeLoader("").construct_document(node) if node is not None else {}
    if not isinstance(data, dict):
        raise ConfigError("the file must hold `key: value` lines at its top", file=path, line=1, column=1)
    try:
        return model.model_validate(data), positions
    except ValidationError as error:
        raise _first_error(error, model, positions) from error


def _compose(path: Path) -> yaml.Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("there is no such file; `guardian init DIR` writes one", file=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("the file is not UTF-8 text", file=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        hint = "; indent with spaces, not tabs" if "\\t" in str(error) else ""
        raise ConfigError(f"not valid YAML: {error.problem}{hint}", file=path, line=line, column=column) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not valid YAML: {error}", file=path) from error


def _refuse_surprises(node: yaml.Node, path: Path) -> None:
    """Duplicate keys, merge keys and plain scalars that YAML would turn into something nobody meant."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key, path, "a key must be plain text")
            if key.value in seen:
                raise _at(key, path, f"{key.value!r} stands here twice, first in line {seen[key.value]}; remove one")
            seen[key.value] = key.start_mark.line + 1
            _refuse_surprises(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_surprises(value, path)
    elif isinstance(node, yaml.ScalarNode) and node.style is None and _SURPRISES.fullmatch(node.value):
        advice = "write true or false, or quote it if you mean the text" if node.value.isalpha() else "quote it"
        raise _at(node, path, f"YAML does not read {node.value} as you may mean it; {advice}")


def _at(node: yaml.Node, path: Path, message: str) -> ConfigError:
    return ConfigError(message, file=path, line=node.start_mark.line + 1, column=node.start_mark.column + 1)


def _first_error(error: ValidationError, model: type[BaseModel], positions: Positions) -> ConfigError:
    first = error.errors()[0]
    path = tuple(part for part in first["loc"])
    written = ".".join(str(part) for part in path) or "the file"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), _fields_at(model, path[:-1]), n=1)
        suggestion = f"; did you mean {near[0]!r}?" if near else ""
        return positions.error(f"there is no key {written!r}{suggestion}", path)
    if first.get("input") is None and first["type"] != "missing":
        return positions.error(f"{written} is empty; give it a value, or remove the line to use the default", path)
    message = str(first["msg"]).removeprefix("Value error, ")
    return positions.error(f"{written}: {message}", path)


def _fields_at(model: Any, path: Sequence[str | int]) -> list[str]:
    """Names of the fields that the model has at a path; all names found where the type is a union."""
    models = [model]
    for part in path:
        if isinstance(part, int):
            continue
        annotations = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        models = [found for annotation in annotations for found in _models_in(annotation)] or models
    return [name for found in models for name in found.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
