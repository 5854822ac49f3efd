"""The comparison of a capture: numbers, rule and licence as they were, in a file from which all can be computed again.

Beside `comparison.json` lie the exact bytes of the found picture and the fitted confidence, which the numbers follow
from, and drawings for people. `recompute.py` reads what is written here; docs/evidence.md explains it to an expert.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from guardian import __version__
from guardian.errors import CaptureFull, GuardianError, Unmatchable, WorkerLost
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.step_result import StepResult, is_fault_of_machine, reason_of
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.matching.recipe import FINGERPRINT_VERSION, MATCHING_VERSION
from guardian.matching.workers import Workers
from guardian.media.sniff import picture_type
from guardian.model import NO_RULE, Comparison, EvidenceFile, Licence, LicenceStatus, NotTaken, SkipReason
from guardian.rules import Rules, Use, ownership_of
from guardian.rules.use import facts_of
from guardian.urls.addresses import host_of
from guardian.views.comparisons import percent_text, recorded_comparison_json, share_text
from guardian.views.licences import USE_TEXTS, for_others, licence_json
from guardian.views.overlap import finding_sentence
from guardian.views.timestamps import json_timestamp

if TYPE_CHECKING:
    from guardian.evidence.compared_pictures import Drawn, MeasuredWith
    from guardian.matching.pair import PairReport, Start

R = TypeVar("R")

FORMAT = "guardian-comparison/1"
JSON_NAME = "comparison/comparison.json"
CONFIDENCE_NAME = "comparison/confidence.json"
FOUND_NAME = "comparison/found"

CATALOGUE_TEXT = (
    "All numbers but these four follow from the two files alone, the profile and the start. These depend on what else "
    "was protected at that time: a detail that many protected pictures share is no evidence for one of them. They are "
    "therefore recorded here, and are not measured again."
)

_PLACE_OF_RULE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::\d+)?")

_DRAWINGS = {
    "comparison/original-outlined.png": (
        "The owner's picture; the outline shows the part that the picture found shows too."
    ),
    "comparison/found-outlined.png": (
        "The picture that was found; the outline shows where the owner's picture lies in it."
    ),
    "comparison/heat-map.png": (
        "The owner's picture in grey; blue where both show the same, orange where they differ, uncoloured where there "
        "is nothing to compare."
    ),
}


@dataclass(frozen=True, slots=True)
class ComparisonServices:
    """What comparisons are made with: `vault` has the pictures that were found, `own_hosts` are the owner's sites."""

    vault: Vault
    workers: Workers
    rules: Rules
    own_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was measured on two pictures, from where on, and with which libraries."""

    report: "PairReport"
    start: "Start"
    used: "MeasuredWith"


@dataclass(frozen=True, slots=True)
class _Compared:
    """The picture that was judged, compared once more: numbers and drawings, each None where they could not be made.

    `problem` says why one of them could not; `is_worth_repeating` that this machine is to blame.
    """

    measured: _Measured | None = None
    drawn: "Drawn | None" = None
    problem: str | None = None
    is_worth_repeating: bool = False


@dataclass(frozen=True, slots=True)
class _Now:
    """Another picture that came for the capture: what holds of it, in a sentence, and the numbers if there are any."""

    content: bytes
    sentence: str
    measured: _Measured | None = None
    is_worth_repeating: bool = False


async def take_comparison(
    subject: CaptureSubject, folder: CaptureFolder, services: ComparisonServices, came: bytes | None
) -> StepResult:
    """Compare the picture that was found with the owner's own file and keep all that the answer follows from.

    `came`: the picture as it came for the capture, None if it did not. One with other bytes than those that were judged
    is measured too, and what holds of it is said. Pictures are decoded in worker processes only. Raises VaultFull,
    IndexNotReady, WorkersUnavailable; what cannot be compared for another reason is said.
    """
    if subject.image_sha256 is None or not services.vault.holds(subject.image_sha256):
        reason = "the bytes of the picture that was found were not kept, so it cannot be compared again"
        return StepResult(not_taken=(NotTaken("comparison", reason),))
    found = await asyncio.to_thread(services.vault.get, subject.image_sha256)
    now = None
    try:
        original = await asyncio.to_thread(subject.original_bytes)
    except GuardianError as error:
        compared = _Compared(problem=f"{error}, so nothing could be measured again")
    else:
        compared = await _compare(subject, services.workers, original, found)
        if came is not None and came != found:
            now = await _compare_now(subject, services, original, came)

    told = await asyncio.to_thread(_comparison_json, subject, services, found, compared.measured, now)
    files, left_out = await asyncio.to_thread(_keep, folder, told, found, compared.drawn, services.workers)
    if compared.problem is not None:
        left_out = [NotTaken("comparison", compared.problem), *left_out]
    return StepResult(
        files=tuple(files),
        not_taken=tuple(left_out),
        differences=(now.sentence,) if now is not None else (),
        is_worth_repeating=compared.is_worth_repeating or (now is not None and now.is_worth_repeating),
    )


async def heat_map_of(workers: Workers, original: bytes, found: bytes, comparison: Comparison) -> bytes:
    """Return the owner's picture with its cells coloured by how well they agree, as PNG.

    Measured anew where the comparison saw it. Raises Unmatchable, and what `Workers.run` raises.
    """
    # Imported late: they bring OpenCV and the kernels, which only workers need.
    from guardian.evidence.compared_pictures import heat_map
    from guardian.matching.pair import Start

    start = Start(comparison.transform, comparison.frame, comparison.asset_frame)
    return await workers.run_with_matcher(heat_map, original, found, start)


async def shared_points_of(workers: Workers, original: bytes, found: bytes, comparison: Comparison) -> bytes:
    """Return both pictures side by side with the points that were recognised in both, as PNG; see `heat_map_of`."""
    # Imported late, as above.
    from guardian.evidence.compared_pictures import shared_points
    from guardian.matching.pair import Start

    start = Start(comparison.transform, comparison.frame, comparison.asset_frame)
    return await workers.run_with_matcher(shared_points, original, found, start)


def heat_map_name(workers: Workers, original: str, found: str, comparison: Comparison) -> str:
    """Return a name (hex digits) for the heat map of two files by their SHA-256, and of where they were compared."""
    seen = repr((comparison.transform, comparison.frame, comparison.asset_frame))
    return hashlib.sha256("\n".join((workers.report_recipe, original, found, seen)).encode()).hexdigest()


def settings_of(workers: Workers) -> dict[str, Any]:
    """Return all settings on which the numbers depend."""
    settings = workers.settings
    return {
        "fingerprint_version": FINGERPRINT_VERSION,
        "matching_version": MATCHING_VERSION,
        "profile": settings.profile,
        "max_bytes": settings.max_bytes,
        "max_pixels": settings.max_pixels,
        "max_frames": settings.max_frames,
        "recipe": workers.report_recipe,
    }


async def _compare(subject: CaptureSubject, workers: Workers, original: bytes, found: bytes) -> _Compared:
    """Measure the picture that was judged on the owner's own, and draw what was measured."""
    # Imported late: it brings OpenCV and the kernels, which only workers need otherwise.
    from guardian.evidence.compared_pictures import drawn

    measured = None
    try:
        measured = await _measure(subject, workers, original, found)
        # A job of its own: where it fails, the numbers are there all the same.
        return _Compared(measured, await _run(workers, drawn, original, found, measured.report))
    except (Unmatchable, WorkerLost) as error:
        what = "measured on each other" if measured is None else "drawn"
        problem = f"the two pictures could not be {what}: {reason_of(error)}"
        return _Compared(measured, problem=problem, is_worth_repeating=is_fault_of_machine(error))


async def _compare_now(subject: CaptureSubject, services: ComparisonServices, original: bytes, came: bytes) -> _Now:
    """Measure the picture that came for the capture on the owner's own, and say what holds of it now."""
    try:
        measured = await _measure(subject, services.workers, original, came)
    except (Unmatchable, WorkerLost) as error:
        sentence = f"The picture that came now cannot be measured: {reason_of(error)}."
        return _Now(came, sentence, is_worth_repeating=is_fault_of_machine(error))
    return _Now(came, _what_holds_now(subject, measured.report, services.rules, services.own_hosts), measured)


async def _measure(subject: CaptureSubject, workers: Workers, original: bytes, other: bytes) -> _Measured:
    """Measure a picture on the owner's own, from where it was last seen on. Raises as `Workers.run`."""
    # Imported late, as above.
    from guardian.evidence.compared_pictures import measure_captured
    from guardian.matching.pair import Start

    recorded = subject.comparison
    start = Start(recorded.transform, recorded.frame, recorded.asset_frame)
    report, used = await _run(workers, measure_captured, original, other, start, subject.asset.id)
    return _Measured(report, start, used)


async def _run(workers: Workers, job: Callable[..., R], *arguments: object) -> R:
    """Do a job in a worker; one that ran out of time is tried once more. Raises what `Workers.run` raises.

    A scan that has little time leaves such a picture for later; what is captured may be gone later.
    """
    try:
        return await workers.run_with_matcher(job, *arguments)
    except WorkerLost as error:
        if error.reason is not SkipReason.TIMED_OUT:
            raise
    return await workers.run_with_matcher(job, *arguments)


def _what_holds_now(subject: CaptureSubject, report: "PairReport", rules: Rules, own_hosts: tuple[str, ...]) -> str:
    """Return in a sentence what was measured on the picture that came for the capture, and what the rules say of it."""
    probability = report.comparison.probability if report.catalogue is None else report.catalogue.probability
    comparison = replace(report.comparison, probability=probability)
    decision = rules.decide(_use(subject, comparison, own_hosts))
    verdict = (
        "no rule counts it as a use"
        if decision.rule == NO_RULE
        else f"the rule “{decision.rule}” says {decision.action.value}"
    )
    shares = []
    if comparison.share_shown is not None:
        shares.append(f"{share_text(comparison.share_shown)} of the owner's picture can be seen in it")
    shares.append(verdict)
    return (
        "Measured on the picture that came now: the probability that it is made from the same original is "
        f"{percent_text(probability)}; {', and '.join(shares)}."
    )


def _comparison_json(
    subject: CaptureSubject, services: ComparisonServices, found: bytes, measured: _Measured | None, now: _Now | None
) -> dict[str, Any]:
    """Return what comparison.json says: what was recorded, by what was compared, and what was measured again."""
    told = _recorded(subject, services.rules, services.own_hosts) | {
        "settings": settings_of(services.workers),
        "confidence": _confidence_told(services.workers),
        "original": {
            "asset_id": subject.asset.id,
            # The name alone: the folders that it lies in are nobody's business.
            "file": Path(subject.asset.path).name,
            "sha256": subject.asset.sha256,
        },
        "found": {"sha256": subject.image_sha256, "bytes": len(found), "file": _found_name(found)[0]},
        "identical_bytes": subject.asset.sha256 == subject.image_sha256,
        **_measured_json(measured),
    }
    return told | {"now": _now_json(now)} if now is not None else told


def _now_json(now: _Now) -> dict[str, Any]:
    """Return what is told of another picture that came for the capture."""
    came = {
        "sha256": hashlib.sha256(now.content).hexdigest(),
        "bytes": len(now.content),
        "file": f"picture.{picture_type(now.content).ending}",
    }
    return {"found": came, "sentence": now.sentence, **_measured_json(now.measured)}


def _measured_json(measured: _Measured | None) -> dict[str, Any]:
    """Return the numbers, and what they were measured with; that there are none for None."""
    if measured is None:
        return {"measured": None}
    report, catalogue = measured.report, measured.report.catalogue
    return {
        "measured_with": asdict(measured.used),
        "start": start_json(measured.start),
        "measured": {
            "comparison": recorded_comparison_json(report.comparison),
            "original_size": list(report.asset_size),
            "found_size": list(report.found_size),
            "projection": list(report.projection),
            "cells": asdict(report.cells),
            "features": report.features,
        },
        "catalogue": asdict(catalogue) | {"text": CATALOGUE_TEXT} if catalogue is not None else None,
    }


def start_json(start: "Start") -> dict[str, Any]:
    """Return where the earlier comparison saw the asset."""
    transform = start.transform
    return {
        "matrix": list(transform.matrix) if transform else None,
        "mirrored": transform.mirrored if transform else None,
        "inverted": transform.inverted if transform else None,
        "frame": start.frame,
        "asset_frame": start.asset_frame,
    }


def _recorded(subject: CaptureSubject, rules: Rules, own_hosts: tuple[str, ...]) -> dict[str, Any]:
    """Return what was recorded when the use was last seen, and what was then held of it."""
    finding = subject.finding
    licence = subject.licence
    return {
        "format": FORMAT,
        "guardian": __version__,
        "made_at": json_timestamp(subject.now),
        "case": subject.case.id,
        "finding": finding.id,
        "page_url": subject.page_url,
        "image_url": subject.image_url,
        "sentence": finding_sentence(finding, subject.asset, "the owner's"),
        "recorded": {
            "last_seen_at": json_timestamp(finding.last_seen_at),
            "comparison": recorded_comparison_json(finding.comparison),
        },
        "rule": _rule_json(subject, rules, own_hosts),
        "licence": {
            "status": finding.licence.value,
            "text": USE_TEXTS[finding.licence],
            "licence": _licence_json(licence, finding.licence) if licence is not None else None,
        },
    }


def _licence_json(licence: Licence, status: LicenceStatus) -> dict[str, Any]:
    # Captures are handed to people outside as they are, and a note is for one's own.
    return licence_json(replace(for_others(licence), note=None), status)


def _rule_json(subject: CaptureSubject, rules: Rules, own_hosts: tuple[str, ...]) -> dict[str, Any]:
    """Return the rule that decided, each of its conditions beside the value that it was asked of, and where it stands.

    `in_force`: False when no rule of that name is there any more.
    """
    finding = subject.finding
    decision = finding.decision
    facts = facts_of(_use(subject, finding.comparison, own_hosts))
    told: dict[str, Any] = {
        "name": decision.rule,
        "action": decision.action.value,
        "severity": decision.severity.value if decision.severity else None,
        "in_force": False,
    }
    rule = next((one for one in rules.rules if one.name == decision.rule), None)
    if rule is None:
        return told

    conditions = [
        {"text": str(one), "value": facts.get(one.fact), "holds": one.holds(facts.get(one.fact))}
        for one in rule.conditions
    ]
    return told | {"in_force": True, "why": rule.why, "conditions": conditions, "file": _rule_file(rule.where)}


def _use(subject: CaptureSubject, comparison: Comparison, own_hosts: tuple[str, ...]) -> Use:
    finding = subject.finding
    place = ownership_of(finding.page_url, finding.image_url, own_hosts)
    return Use(comparison, subject.asset, finding.licence, place, host_of(finding.page_url), finding.source)


def _rule_file(where: str) -> dict[str, Any] | None:
    """Return name and digest of the file that a rule stands in, and the rule's own lines (`where`: file:line:column).

    What else stands there, about other customers for example, is nobody's business. None when the file is gone.
    """
    found = _PLACE_OF_RULE.fullmatch(where)
    if found is None:
        return None
    path = Path(found["file"])
    try:
        content = path.read_bytes()
    except OSError:
        return None
    text = _entry_at(content.decode("utf-8", "replace"), int(found["line"]))
    return {"name": path.name, "sha256": hashlib.sha256(content).hexdigest(), "text": text}


def _entry_at(text: str, number: int) -> str:
    """Return the entry of a YAML list that begins at a line: up to the next line that is indented no further."""
    lines = text.splitlines(keepends=True)[max(0, number - 1) :]
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    inner = takewhile(lambda line: not line.strip() or len(line) - len(line.lstrip()) > indent, lines[1:])
    return "".join([*lines[:1], *inner])


def _confidence_told(workers: Workers) -> dict[str, Any]:
    content = workers.confidence.read_bytes()
    return {"file": CONFIDENCE_NAME, "sha256": hashlib.sha256(content).hexdigest()}


def _keep(
    folder: CaptureFolder, told: Mapping[str, Any], found: bytes, drawings: "Drawn | None", workers: Workers
) -> tuple[list[EvidenceFile], list[NotTaken]]:
    """Keep the files of a comparison, what is needed to compute it again first; say which do not fit any more."""
    name, media_type = _found_name(found)
    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    files = [
        (JSON_NAME, content, "application/json", "The comparison of both pictures: every number, and why."),
        (name, found, media_type, "The picture that was found: the exact bytes that were compared."),
        (
            CONFIDENCE_NAME,
            workers.confidence.read_bytes(),
            "application/json",
            "The fitted parameters that make a probability of what was measured.",
        ),
    ]
    if drawings is not None:
        drawn = (drawings.original, drawings.found, drawings.heat_map)
        files += [(one, png, "image/png", about) for (one, about), png in zip(_DRAWINGS.items(), drawn, strict=True)]

    kept: list[EvidenceFile] = []
    left_out: list[NotTaken] = []
    for one, bytes_of_it, kind, about in files:
        try:
            kept.append(folder.add(one, bytes_of_it, kind, about))
        except CaptureFull as error:
            left_out.append(NotTaken(one, str(error)))
    return kept, left_out


def _found_name(content: bytes) -> tuple[str, str]:
    """Return name and media type for the bytes of a picture, by how they begin."""
    kind = picture_type(content)
    return f"{FOUND_NAME}.{kind.ending}", kind.media_type
