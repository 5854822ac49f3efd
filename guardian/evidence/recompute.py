"""Computes the comparisons of an evidence bundle again, from the two pictures in it, and says which numbers hold.

Needs no database, configuration or network. First every byte of the bundle is verified; who signed and stamped it is
what `guardian evidence verify` tells.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guardian.errors import GuardianError, UsageError, WorkersUnavailable
from guardian.evidence.bundle_members import BundleMembers, LostBefore, opened_members
from guardian.evidence.comparison import FORMAT, JSON_NAME
from guardian.evidence.recorded_comparison import NamedFile, RecordedComparison, RecordedMeasurement, parsed_as
from guardian.evidence.verifying import verify
from guardian.matching.recipe import FINGERPRINT_VERSION, FITTED, MATCHING_VERSION
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.workers import Workers
from guardian.model import Transform
from guardian.views.comparisons import percent_text
from guardian.views.plain_text import cleaned

if TYPE_CHECKING:
    from guardian.evidence.compared_pictures import MeasuredAgain, MeasuredWith
    from guardian.matching.pair import PairReport, Start

_MAX_JSON = 64 * 1024**2
_PATIENCE = timedelta(minutes=5)
"""For one comparison: nothing else waits for it, and the machine may be a slow one."""

_BEYOND_ANY_NUMBER = 1e12
_AGREES = 0.5
"""Correlation from which a cell counts as agreeing (cells.AGREES, whose file brings OpenCV)."""


class Verdict(StrEnum):
    """What became of a number that was computed again."""

    EXACT = "exact"
    WITHIN = "within tolerance"
    DIFFERENT = "does not hold"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much a number may differ on another machine: `absolute`, or `relative` (0-1) of it if that is more.

    Decoders and vector units of processors round differently, by one grey level at most. Each tolerance is about three
    times the largest difference that was seen when a level of noise was added to every pixel of both pictures of 40
    pairs (docs/evidence.md).
    """

    absolute: float
    relative: float = 0.0

    def allows(self, recorded: float, computed: float) -> bool:
        """Return whether a computed number is near enough to the recorded one."""
        return abs(recorded - computed) <= max(self.absolute, self.relative * abs(recorded))


TOLERANCES = {
    "probability": Tolerance(0.05),
    "probability_beside_others": Tolerance(0.05),
    "hash_distance": Tolerance(6),
    "keypoint_inliers": Tolerance(10, 0.25),
    "asset_coverage": Tolerance(0.05),
    "candidate_coverage": Tolerance(0.05),
    "aligned_similarity": Tolerance(0.06),
    "agreeing_cells": Tolerance(3, 0.1),
    # How far the corners of the overlap lie apart, as a share of the longer side of the picture that was found.
    "corners_apart": Tolerance(0.05),
}
"""The numbers that are compared, and by how much each may differ."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number, as it was recorded and as it was computed; None for what was not measured."""

    name: str
    recorded: float | None
    computed: float | None

    @property
    def verdict(self) -> Verdict:
        """Whether it holds."""
        if self.recorded == self.computed:
            return Verdict.EXACT
        if self.recorded is None or self.computed is None:
            return Verdict.DIFFERENT
        is_near = TOLERANCES[self.name].allows(self.recorded, self.computed)
        return Verdict.WITHIN if is_near else Verdict.DIFFERENT


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One comparison of a bundle, computed again."""

    where: str
    """The folder of its capture."""

    sentence: str

    numbers: tuple[Number, ...] = ()

    faults: tuple[str, ...] = ()
    """Why it cannot be computed from what the bundle holds, in sentences."""

    remarks: tuple[str, ...] = ()
    """What else must be known to read the numbers."""

    lost: str | None = None
    """Which file is needed and was lost before the bundle was made; None when none was."""

    @property
    def holds(self) -> bool:
        """Whether all files are there and whole, and all numbers hold."""
        return (
            not self.faults
            and self.lost is None
            and all(number.verdict is not Verdict.DIFFERENT for number in self.numbers)
        )


@dataclass(frozen=True, slots=True)
class _Tools:
    """An empty folder, and the pool of worker processes; None for one of its own."""

    folder: Path
    pool: WorkerPool | None


@dataclass(frozen=True, slots=True)
class _ComparedFiles:
    """The bytes that one comparison was made of: the owner's file, the picture found, and the fit of the confidence."""

    original: bytes
    found: bytes
    confidence: bytes


async def recompute(path: Path, original: Path | None = None, pool: WorkerPool | None = None) -> list[Recomputed]:
    """Compute all comparisons of a bundle again, in the order of its captures. One that is damaged is not computed.

    `original`: the owner's file, where the bundle was made without it. `pool`: where worker processes are taken from;
    None for new ones. Raises NotABundle; UsageError for a bundle without a comparison, and when the owner's file is
    needed or another one was given; OSError, WorkersUnavailable.
    """
    verified = await asyncio.to_thread(verify, path)
    if verified.damage is not None or verified.manifest is None:
        return [Recomputed("the bundle", "", faults=(f"it is damaged: {verified.damage}",))]

    with opened_members(path, verified) as bundle, tempfile.TemporaryDirectory(prefix="guardian-") as folder:
        places, lost = bundle.folders_with(JSON_NAME), bundle.folders_without(JSON_NAME)
        if not places and not lost:
            raise UsageError(f"{path} holds no comparison: none of its captures has {JSON_NAME}")
        found: list[Recomputed] = []
        for place in (*places, *lost):
            found += await _recomputed_capture(bundle, place, original, _Tools(Path(folder), pool))
        return found


async def _recomputed_capture(bundle: BundleMembers, place: str, given: Path | None, tools: _Tools) -> list[Recomputed]:
    """Compute the comparison of a capture again, and that of the picture that came for it where it was another."""
    sentence = ""
    try:
        told = parsed_as(RecordedComparison, bundle.content(f"{place}/{JSON_NAME}", _MAX_JSON), JSON_NAME)
        sentence = told.sentence
        if told.format != FORMAT:
            raise ValueError(f"{JSON_NAME} has format {cleaned(told.format)[:80]}; this guardian reads {FORMAT}")
    except LostBefore as error:
        return [Recomputed(place, sentence, lost=str(error))]
    except ValueError as error:
        return [Recomputed(place, sentence, faults=(str(error),))]

    found = [await _recomputed(bundle, place, told, given, tools)]
    now = told.of_now()
    if now is not None:
        again = await _recomputed(bundle, place, now, given, tools)
        found.append(replace(again, where=f"{place}, the picture that came for the capture"))
    return found


async def _recomputed(
    bundle: BundleMembers, place: str, told: RecordedComparison, given: Path | None, tools: _Tools
) -> Recomputed:
    """Compute one comparison again."""
    max_bytes, sentence = MatchingSettings().max_bytes, told.sentence
    try:
        files = _ComparedFiles(
            original=_original(bundle, told, given, max_bytes),
            found=_named(bundle, place, told.found, max_bytes),
            confidence=_named(bundle, place, told.confidence, _MAX_JSON),
        )
    except LostBefore as error:
        return Recomputed(place, sentence, lost=str(error))
    except ValueError as error:
        return Recomputed(place, sentence, faults=(str(error),))

    if told.measured is None:
        remark = "Nothing was measured when it was captured, so there is nothing to compute again"
        same = "; both files are the same, byte for byte." if files.original == files.found else "."
        return Recomputed(place, sentence, remarks=(remark + same,))
    return await _measured_again(place, told, files, tools)


def _named(bundle: BundleMembers, place: str, named: NamedFile, max_bytes: int) -> bytes:
    """Return the bytes of a file of a capture. Raises ValueError when comparison.json was made of another one."""
    content = bundle.content(f"{place}/{named.file}", max_bytes)
    if hashlib.sha256(content).hexdigest() != named.sha256:
        raise ValueError(f"{JSON_NAME} speaks of another file than the bundle holds as {cleaned(named.file)[:120]}")
    return content


async def _measured_again(place: str, told: RecordedComparison, files: _ComparedFiles, tools: _Tools) -> Recomputed:
    # Imported late: it brings OpenCV and the kernels, which only workers need.
    from guardian.evidence.compared_pictures import measure_again

    settings = MatchingSettings(workers=1, profile=told.settings.profile, timeout=_PATIENCE)
    workers = Workers(settings, EmbeddingSettings(), tools.folder / "index", tools.pool)
    # What this guardian was shipped with needs no reading; another one was fitted on the owner's own works.
    fitted = None if files.confidence == FITTED.read_bytes() else files.confidence
    decided = told.catalogue.values if told.catalogue is not None else {}
    try:
        again = await workers.run_with_matcher(
            measure_again, files.original, files.found, _start_of(told), decided, fitted
        )
    except WorkersUnavailable:
        raise
    except GuardianError as error:
        return Recomputed(place, told.sentence, faults=(f"nothing can be computed again: {error}",))
    finally:
        await workers.aclose()
    return Recomputed(place, told.sentence, _numbers(told, again), (), _remarks(told, again))


def _original(bundle: BundleMembers, told: RecordedComparison, given: Path | None, max_bytes: int) -> bytes:
    """Return the owner's file. Raises UsageError when it is not here, or is another one; ValueError for a large one."""
    wanted = told.original.sha256
    if given is not None:
        try:
            content = given.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {given}: {error.strerror or error}") from error
        if hashlib.sha256(content).hexdigest() != wanted:
            raise UsageError(f"{given} is another file: the one that was compared has the SHA-256 {cleaned(wanted)}")
        return content

    member = bundle.named_by(wanted, "original/")
    if member is None:
        why = "the bundle was made without the owner's picture"
        if bundle.is_lost(wanted):
            why = "the owner's picture was lost before the bundle was made"
        raise UsageError(
            f"{why}: name it with --original FILE; it was called "
            f"{cleaned(told.original.file)[:120]}, and its SHA-256 is {cleaned(wanted)}"
        )
    return bundle.content(member.name, max_bytes)


def _start_of(told: RecordedComparison) -> "Start":
    from guardian.matching.pair import Start

    start = told.start
    if start.matrix is None:
        return Start(None, start.frame, start.asset_frame)
    everything = (0.0, 0.0, 1.0, 1.0)
    # Measuring begins at the matrix and looks at the side that the two flags name; the rest follows.
    flags = {"mirrored": bool(start.mirrored), "inverted": bool(start.inverted)}
    transform = Transform(
        start.matrix, angle_degrees=0.0, scale=1.0, asset_box=everything, candidate_box=everything, **flags
    )
    return Start(transform, start.frame, start.asset_frame)


def _numbers(told: RecordedComparison, again: "MeasuredAgain") -> tuple[Number, ...]:
    """Return every number beside the one that was recorded."""
    recorded, report = told.measured, again.report
    if recorded is None:
        return ()
    computed = report.comparison.measured | {"probability": again.probability}
    numbers = [
        Number(name, _number(recorded.comparison.get(name)), computed[name]) for name in computed if name in TOLERANCES
    ]
    if told.catalogue is not None:
        beside = (told.catalogue.probability, again.probability_beside_others)
        numbers.insert(1, Number("probability_beside_others", *beside))
    cells = (recorded.cells.correlation, report.cells.correlation)
    numbers.append(Number("agreeing_cells", *(_agreeing(one) for one in cells)))
    numbers.append(Number("corners_apart", 0.0, _corners_apart(recorded, report)))
    return tuple(numbers)


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # JSON knows numbers with hundreds of digits, none of which was measured: such a one is like no other.
    return float(value) if abs(value) < _BEYOND_ANY_NUMBER else nan


def _agreeing(cells: Sequence[Sequence[float | None]]) -> float:
    return float(sum(value is not None and value > _AGREES for row in cells for value in row))


def _corners_apart(recorded: RecordedMeasurement, report: "PairReport") -> float:
    """Return how far the corners of the overlap lie from where they were recorded, at most.

    As a share of the longer side of the picture that was found; inf where a corner lies nowhere.
    """
    left, top, right, bottom = recorded.cells.box
    corners = np.array([[left, top, 1.0], [right, top, 1.0], [right, bottom, 1.0], [left, bottom, 1.0]]).T
    placed = []
    for projection in (recorded.projection, report.projection):
        moved = np.array(projection).reshape(3, 3) @ corners
        if not np.isfinite(moved).all() or (moved[2] <= 0).any():
            return inf
        placed.append(moved[:2] / moved[2])
    return float(np.abs(placed[0] - placed[1]).max() / max(1, *recorded.found_size))


def _remarks(told: RecordedComparison, again: "MeasuredAgain") -> tuple[str, ...]:
    """Return in sentences how what is measured with now differs from then, and what was not measured again."""
    remarks = []
    # Whoever makes a bundle may fit parameters by which anything is sure.
    if again.shipped_probability is not None:
        remarks.append(
            "The probability follows from fitted parameters that came with the bundle (confidence.json), not from "
            f"those of this guardian. By its own, it is {percent_text(again.shipped_probability)}."
        )
    settings = told.settings
    then, now = (settings.fingerprint_version, settings.matching_version), (FINGERPRINT_VERSION, MATCHING_VERSION)
    if then != now:
        remarks.append(
            f"It was measured by another method: fingerprints {then[0]} and matching {then[1]}, here {now[0]} and "
            f"{now[1]}. Numbers may differ; the guardian that made the bundle measures as it did then."
        )
    if told.measured_with is not None:
        changed = _changed(told.measured_with.libraries | {"machine": told.measured_with.machine}, again.used)
        remarks.append(
            f"Measured with other tools ({'; '.join(changed)}): small differences are expected."
            if changed
            else "Measured with the same libraries on the same kind of machine: numbers should be exactly the same."
        )
    if told.catalogue is not None:
        values = ", ".join(f"{cleaned(name)} {value:g}" for name, value in sorted(told.catalogue.values.items()))
        remarks.append(
            "Four values depend on what else was protected at that time; they were taken as they were recorded: "
            f"{values}."
        )
    return tuple(remarks)


def _changed(then: Mapping[str, str], used: "MeasuredWith") -> list[str]:
    now = used.libraries | {"machine": used.machine}
    return [
        f"{name} {cleaned(then[name])[:40]} then, {version} now"
        for name, version in now.items()
        if name in then and then[name] != version
    ]
