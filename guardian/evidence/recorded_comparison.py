"""Reads comparison.json: an untrusted file, of which nothing is taken that does not fit."""

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

M = TypeVar("M", bound=BaseModel)

_MOST_CELLS = 1_000
_Pixels = Annotated[int, Field(ge=1, le=10_000_000)]


class _Untrusted(BaseModel):
    """Later versions may add fields; those that are read must be as they are here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class RecordedStart(_Untrusted):
    """Where the comparison began; see pair.Start."""

    matrix: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    mirrored: bool | None = None
    inverted: bool | None = None
    frame: int | None = None
    asset_frame: int | None = None


class RecordedCells(_Untrusted):
    """See pair.CellGrid."""

    box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    correlation: tuple[tuple[FiniteFloat | None, ...], ...] = Field(max_length=_MOST_CELLS)


class RecordedMeasurement(_Untrusted):
    """See pair.PairReport."""

    comparison: dict[str, Any]
    found_size: tuple[_Pixels, _Pixels]
    projection: tuple[FiniteFloat, ...] = Field(min_length=9, max_length=9)
    cells: RecordedCells


class RecordedCatalogue(_Untrusted):
    """See pair.InCatalogue."""

    values: dict[str, FiniteFloat]
    probability: FiniteFloat


class RecordedSettings(_Untrusted):
    """By which method and how closely was measured."""

    fingerprint_version: int
    matching_version: int
    profile: Literal["full", "fast"]


class RecordedTools(_Untrusted):
    """See compared_pictures.MeasuredWith."""

    libraries: dict[str, str]
    machine: str


class NamedFile(_Untrusted):
    """A file by its digest (hex SHA-256), and how it was called."""

    sha256: str
    file: str = ""


class RecordedNow(_Untrusted):
    """What was measured on the picture that came for the capture, where it was another one than was judged."""

    sentence: str
    found: NamedFile
    measured: RecordedMeasurement | None = None
    measured_with: RecordedTools | None = None
    start: RecordedStart = RecordedStart()
    catalogue: RecordedCatalogue | None = None


class RecordedComparison(_Untrusted):
    """What comparison.json says, as far as it is computed again. `measured`: None when nothing was measured."""

    format: str
    sentence: str
    settings: RecordedSettings
    original: NamedFile
    found: NamedFile
    confidence: NamedFile
    identical_bytes: bool
    measured: RecordedMeasurement | None = None
    measured_with: RecordedTools | None = None
    start: RecordedStart = RecordedStart()
    catalogue: RecordedCatalogue | None = None
    now: RecordedNow | None = None

    def of_now(self) -> "RecordedComparison | None":
        """Return what was measured on the picture that came for the capture, as a comparison; None without one."""
        if self.now is None:
            return None
        return self.model_copy(
            update={name: getattr(self.now, name) for name in RecordedNow.model_fields} | {"now": None}
        )


def parsed_as(kind: type[M], content: bytes, name: str) -> M:
    """Return the JSON of a member as this kind. Raises ValueError, in words, when it is none."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is no JSON") from error
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{name} is not as guardian writes it: {place}: {first['msg']}") from error
