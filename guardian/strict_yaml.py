"""Reads YAML into pydantic models, strictly: an error names file, line, column and what to do.

Refuses what YAML forgives: duplicate and unknown keys, `NO` for false, `12:30` for 750, null sections.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, PlainSerializer, ValidationError

from guardian.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|y)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
_LONGEST = 1000 * _SECONDS["y"]
"""Seconds. A thousand years before and after today are still dates."""

_SIZE = re.compile(r"(\d{1,18}(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
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
# Plain scalars that YAML 1.1 reads as something else than the text: NO (false), 12:30 (750), 010 (8).
_SURPRISES = re.compile(r"(?:y|n|yes|no|on|off)|[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?|[-+]?0[\d_]+", re.IGNORECASE)
_YES_OR_NO = re.compile("y|n|yes|no|on|off", re.IGNORECASE)
_DEEPEST = 40
_FEW_KEYS = 8
"""Where no more keys are known, and none is like the one written, all are named."""

# Tags of what JSON has too. YAML also knows dates, binary data and sets.
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}

M = TypeVar("M", bound=BaseModel)


def duration(text: str) -> timedelta:
    """Return the time that 500ms, 90s, 15m, 2h or 7d states. Raises ValueError that says the accepted form."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit: 500ms, 30s, 15m, 2h or 7d")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is too long; 1000y is the most")
    return timedelta(seconds=seconds)


def byte_size(text: str) -> int:
    """Return the number of bytes that 512kB, 20MB or 10GiB states. Raises ValueError that says the accepted form."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a size; write a number and a unit: 512kB, 20MB or 10GiB")
    return round(float(found[1]) * _BYTES[found[2]])


def show_duration(value: timedelta) -> str:
    """Return the shortest exact spelling that `duration` reads back."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds // _SECONDS[unit])}{unit}"

    # Integers, since a fraction of a second as a float would show digits that nobody wrote.
    thousandths = value // timedelta(microseconds=1)
    digits = f"{thousandths // 1000}.{thousandths % 1000:03}".rstrip("0").rstrip(".")
    return f"{digits}ms" if thousandths else "0s"


def show_byte_size(value: int) -> str:
    """Return the shortest exact spelling that `byte_size` reads back."""
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
    """The position of each value of a document, found by its path of keys and indices."""

    def __init__(self, file: Path, root: yaml.Node | None) -> None:
        self.file = file
        self._marks: dict[tuple[str | int, ...], yaml.Mark] = {}
        if root is not None:
            self._mark(root, ())

    def error(self, message: str, path: Sequence[str | int]) -> ConfigError:
        """Return an error that points at the value of a path, or at its nearest ancestor in the document."""
        mark = self._marks.get(self.written(path))
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return ConfigError(message, file=self.file, line=line, column=column)

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """Return the line, counted from 1, on which the value of a path is written; None when it is not."""
        mark = self._marks.get(tuple(path))
        return mark.line + 1 if mark else None

    def written(self, path: Sequence[str | int]) -> tuple[str | int, ...]:
        """Return the parts of a path that are in the document; pydantic's names of union members are not."""
        known: tuple[str | int, ...] = ()
        for part in path:
            if (*known, part) in self._marks:
                known = (*known, part)
        return known

    def _mark(self, node: yaml.Node, path: tuple[str | int, ...]) -> None:
        """Note the positions of a node and of all below it."""
        self._marks[path] = node.start_mark
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._mark(value, (*path, str(key.value)))
                # Errors of a value point at its key: that is where people look.
                self._marks[(*path, str(key.value))] = key.start_mark
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._mark(value, (*path, index))


def load(path: Path, model: type[M]) -> M:
    """Return a YAML file as a model. An empty file is an empty mapping. Raises ConfigError."""
    return load_with_positions(path, model)[0]


def load_with_positions(path: Path, model: type[M], *, words_are_text: bool = False) -> tuple[M, Positions]:
    """Return a YAML file as a model, and the positions of its values for later checks.

    `words_are_text` as in `load_with_mistakes`. Raises ConfigError for the mistake that is best corrected first.
    """
    loaded, positions, mistakes = load_with_mistakes(path, model, words_are_text=words_are_text)
    if loaded is None:
        raise mistakes[0]
    return loaded, positions


def load_with_mistakes(
    path: Path, model: type[M], *, words_are_text: bool = False
) -> tuple[M | None, Positions, list[ConfigError]]:
    """Return a YAML file as a model, the positions of its values, and all its mistakes.

    The model is None when there are mistakes; the one that is best corrected first comes first. `words_are_text`: yes,
    no, on and off are the words that they are in YAML 1.2, and not refused as what YAML 1.1 makes of them.
    """
    try:
        node = _compose(path)
    except ConfigError as error:
        return None, Positions(path, None), [error]

    positions = Positions(path, node)
    if words_are_text and node is not None:
        _quote_words(node)
    # Values that YAML misreads would only cause more mistakes further on.
    if surprises := list(_surprises(node, path) if node is not None else ()):
        return None, positions, surprises

    try:
        data = yaml.SafeLoader("").construct_document(node) if node is not None else {}
    except ValueError as error:
        message = f"a number cannot be read: {str(error).partition(';')[0]}"
        return None, positions, [ConfigError(message, file=path, line=1, column=1)]
    if not isinstance(data, dict):
        return None, positions, [positions.error("the file must hold `key: value` lines at its top", ())]

    try:
        return model.model_validate(data), positions, []
    except ValidationError as error:
        return None, positions, _mistakes(error, model, positions)


class _PlainLoader(yaml.SafeLoader):
    """Composes plain YAML: no aliases (which can make a small file enormous), no tags, no deep nesting."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self._path, self._depth = path, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(event, self._path, "anchors (&) and aliases (*) are not understood; write the value itself")
        if tag := getattr(event, "tag", None):
            raise _at(event, self._path, f"tags such as {tag} are not understood; quote the text if it is one")
        if self._depth > _DEEPEST:
            raise _at(event, self._path, f"nested more than {_DEEPEST} deep")

        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _compose(path: Path) -> yaml.Node | None:
    """Return the root node of a file, None for an empty one. Raises ConfigError."""
    text = _read(path)
    try:
        return _PlainLoader(text, path).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        hint = "; indent with spaces, not tabs" if "\\t" in str(error) else ""
        problem = "only one document, found another" if "but found another document" in str(error) else error.problem
        raise ConfigError(f"not valid YAML: {problem}{hint}", file=path, line=line, column=column) from error
    except yaml.reader.ReaderError as error:
        line, column = _place(text[: error.position])
        message = f"the character {chr(error.character)!r} must not stand here"
        raise ConfigError(message, file=path, line=line, column=column) from error


def _read(path: Path) -> str:
    """Return the text of a file without its byte order mark. Raises ConfigError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError("there is no such file; `guardian init DIR` writes one", file=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8"))
        raise ConfigError("the file is not UTF-8 text", file=path, line=line, column=column) from error


def _place(before: str) -> tuple[int, int]:
    """Return the line and column, counted from 1, at which a text ends."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _quote_words(node: yaml.Node) -> None:
    """Make plain yes, no, on and off the same as if they were quoted."""
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            _quote_words(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _quote_words(value)
    elif isinstance(node, yaml.ScalarNode) and node.style is None and _YES_OR_NO.fullmatch(node.value):
        node.tag, node.style = "tag:yaml.org,2002:str", "'"


def _surprises(node: yaml.Node, path: Path) -> Iterator[ConfigError]:
    """Yield an error for each duplicate key, merge key and plain scalar that YAML reads as something else."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                yield _at(key, path, "merge keys (<<) are not understood; write the values themselves")
            elif not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                yield _at(key, path, "a key must be plain text; quote it if it is meant as text")
            elif key.value in seen:
                yield _at(key, path, f"{key.value!r} stands here twice, first in line {seen[key.value]}; remove one")
            else:
                seen[key.value] = key.start_mark.line + 1
            yield from _surprises(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _surprises(value, path)
    elif "\0" in node.value:
        yield _at(node, path, "a NUL character has no place here")
    elif getattr(node, "style", None) is None and (_SURPRISES.fullmatch(node.value) or node.tag not in _PLAIN_TAGS):
        advice = "write true or false, or quote it if you mean the text" if node.value.isalpha() else "quote it"
        yield _at(node, path, f"YAML does not read {node.value} as you may mean it; {advice}")


def _at(node: yaml.Node | yaml.Event, path: Path, message: str) -> ConfigError:
    mark = node.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return ConfigError(message, file=path, line=line, column=column)


def _mistakes(error: ValidationError, model: type[BaseModel], positions: Positions) -> list[ConfigError]:
    """Return pydantic's errors in words for people, the one that helps most first."""
    found = error.errors()
    # A misspelt key explains a missing one beside it, so it comes first and alone.
    misspelt = [one for one in found if one["type"] == "extra_forbidden"]
    beside = {one["loc"][:-1] for one in misspelt}
    others = [
        one
        for one in found
        if one["type"] != "extra_forbidden" and not (one["type"] == "missing" and one["loc"][:-1] in beside)
    ]
    return [_mistake(one, model, positions) for one in (*misspelt, *others)]


def _mistake(found: "ErrorDetails", model: type[BaseModel], positions: Positions) -> ConfigError:
    """Return one of pydantic's errors in words for people and with its position."""
    path, kind = found["loc"], found["type"]
    place = positions.written(path)
    # A missing key does not stand in the document, but it is the one to name.
    named = (*place, path[-1]) if kind == "missing" else place
    written = ".".join(str(part) for part in named) or "the file"

    if kind == "extra_forbidden":
        keys = sorted(set(_fields_at(model, path[:-1])))
        return positions.error(f"there is no key {written!r}{_suggestion(str(path[-1]), keys)}", place)
    if kind == "missing":
        return positions.error(f"{written} is missing", place)
    if found.get("input") is None:
        return positions.error(f"{written} is empty; give it a value, or remove the line to use the default", place)
    return positions.error(f"{written}: {_what_is_wrong(found)}", place)


def _suggestion(key: str, keys: list[str]) -> str:
    """Return which of the known keys may be meant by another one, to stand behind the mistake; "" for none."""
    near = difflib.get_close_matches(key, keys, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; keys here are {', '.join(keys)}" if 0 < len(keys) <= _FEW_KEYS else ""


def _what_is_wrong(found: "ErrorDetails") -> str:
    """Return what is wrong with a value, in words for people."""
    kind = found["type"]
    if kind == "union_tag_invalid":
        known = found["ctx"]
        return f"{known['tag']!r} is no {known['discriminator']}; it is one of {known['expected_tags']}"
    if kind == "union_tag_not_found":
        return f"{found['ctx']['discriminator']} is missing"
    if kind == "tuple_type":
        return "this must be a list, such as [a, b]"
    if kind == "string_pattern_mismatch":
        return f"{found['input']!r} is not of the form {found['ctx']['pattern']}"
    if kind == "string_type" and isinstance(found["input"], int | float):
        return "this must be text; quote it"
    return str(found["msg"]).removeprefix("Value error, ")


def _fields_at(model: Any, path: Sequence[str | int]) -> list[str]:
    """Return the names of the fields that a model has at a path; those of all members where a type is a union."""
    models = [model]
    for part in path:
        if isinstance(part, int):
            continue
        annotations = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        models = [found for annotation in annotations for found in _models_in(annotation)] or models
    return [name for found in models for name in found.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a type annotation names, within unions, lists and Annotated too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
