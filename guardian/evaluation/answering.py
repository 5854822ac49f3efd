"""Makes an edited picture in a worker process and compares it with the catalogue there; pictures never travel."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import NotRecognisable, Unmatchable
from guardian.evaluation.attacks import apply
from guardian.evaluation.designs.sheet import artwork
from guardian.evaluation.pictures import Picture, is_recognisable, shrunk
from guardian.evaluation.questions import Kind, Question
from guardian.matching.features.image import Picture as Decoded
from guardian.matching.features.image import decode
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from guardian.model import Comparison

LARGEST_SIDE = 1000
"""Longer side in pixels at which works are edited: what the web shows of them."""

NEIGHBOURS = 9
"""How many other pictures an edit may use: hosts, neighbours in a collage."""

_THUMBNAIL_SIDE = 220
_MOST_PAIRS = 12
_NOTHING: NDArray[np.float32] = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Found:
    """A matched asset: its id, and the facts that rules are made of."""

    asset: str
    facts: dict[str, float | str | None]

    @property
    def probability(self) -> float:
        """The calibrated probability (0-1)."""
        return float(self.facts["probability"] or 0.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What an asset offers to the matcher: its size in pixels, its keypoints, and whether a person sees structure."""

    width: int
    height: int
    keypoints: int
    is_recognisable: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the matcher said. `problem`: why nothing was asked; `look` only of originals.

    `pairs` are the assets that were measured, most alike first, `features` what was measured of them, float32 [n, f].
    """

    question: str
    problem: str | None
    found: tuple[Found, ...]
    pairs: tuple[str, ...]
    features: NDArray[np.float32]
    look: Look | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the answer for the journal."""
        return {
            "question": self.question,
            "problem": self.problem,
            "found": [[one.asset, one.facts] for one in self.found],
            "pairs": list(self.pairs),
            "features": base64.b64encode(self.features.tobytes()).decode(),
            "look": None if self.look is None else list(_fields(self.look)),
        }

    @classmethod
    def failed(cls, question: str, problem: str) -> "Answer":
        """Return the answer to a question that could not be asked."""
        return cls(question, problem, (), (), _NOTHING)

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> "Answer":
        """Read an answer from the journal."""
        features = np.frombuffer(base64.b64decode(data["features"]), np.float32)
        return cls(
            question=data["question"],
            problem=data["problem"],
            found=tuple(Found(asset, facts) for asset, facts in data["found"]),
            pairs=tuple(data["pairs"]),
            features=features.reshape(len(data["pairs"]), -1) if data["pairs"] else _NOTHING,
            look=None if data["look"] is None else Look(*data["look"]),
        )


def _fields(look: Look) -> tuple[int, int, int, bool]:
    return look.width, look.height, look.keypoints, look.is_recognisable


def answer(matcher: Matcher, question: Question, others: Sequence[str]) -> Answer:
    """Make the picture that the question names and compare it. Runs in a worker.

    `others` are files of pictures that edits may use; artwork is invented where there are none.
    """
    try:
        picture = shown(question, others)
    except (NotRecognisable, Unmatchable, OSError) as error:
        return Answer.failed(question.id, str(error))

    report, compared = matcher.match_measured(picture)
    ranked = sorted(compared, key=lambda pair: -pair.measurement.alignment.mean)[:_MOST_PAIRS]
    features = np.array([pair.features for pair in ranked], np.float32) if ranked else _NOTHING
    return Answer(
        question=question.id,
        problem=None,
        found=tuple(Found(match.asset_id, _facts(match.comparison)) for match in report.matches),
        pairs=tuple(pair.asset.id for pair in ranked),
        features=features,
        look=_look(matcher, question) if question.kind is Kind.ORIGINAL else None,
    )


def shown(question: Question, others: Sequence[str]) -> Decoded:
    """Return the picture that a question asks about. Raises NotRecognisable, Unmatchable, OSError."""
    if question.edit is None:
        return _decoded(question.path)
    generator = np.random.default_rng(question.seed)
    edited = apply(question.edit, _web_sized(question.path), generator, _neighbours(others, generator))
    return Decoded(np.ascontiguousarray(edited), edited.shape[1], edited.shape[0], "JPEG")


def thumbnail(matcher: Matcher, question: Question, others: Sequence[str]) -> bytes:
    """Return a small JPEG of the picture that a question asks about; empty when there is none. Runs in a worker."""
    try:
        picture = shown(question, others).rgb
    except (NotRecognisable, Unmatchable, OSError):
        return b""
    small = shrunk(picture, min(_THUMBNAIL_SIDE, max(picture.shape[:2])))
    made = cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return made.tobytes()


def _neighbours(others: Sequence[str], generator: np.random.Generator) -> list[Picture]:
    if len(others) < NEIGHBOURS:
        return [artwork(np.random.default_rng(int(seed))) for seed in generator.integers(1 << 31, size=NEIGHBOURS)]
    return [_web_sized(others[int(n)]) for n in generator.choice(len(others), NEIGHBOURS, replace=False)]


def _facts(comparison: Comparison) -> dict[str, float | str | None]:
    """Return the facts of one comparison under the names that rule files use."""
    transform = comparison.transform
    return {
        **comparison.measured,
        "scale": transform.scale if transform else None,
        "mirrored": None if transform is None else ("yes" if transform.mirrored else "no"),
    }


def _look(matcher: Matcher, question: Question) -> Look:
    content = Path(question.path).read_bytes()
    kept = matcher.fingerprint(content)
    return Look(kept.width, kept.height, len(kept.points), is_recognisable(_web_sized(question.path)))


@lru_cache(maxsize=2)
def _decoded(path: str) -> Decoded:
    return decode(Path(path).read_bytes(), MatchingSettings())


@lru_cache(maxsize=40)
def _web_sized(path: str) -> Picture:
    """Return a picture as the web shows it; kept, since one work goes through many edits."""
    picture = _decoded(path).rgb
    small = shrunk(picture, min(LARGEST_SIDE, max(picture.shape[:2])))
    small.flags.writeable = False
    return small
