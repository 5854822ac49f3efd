"""What is asked of one's own catalogue: every edit of some of its works, and strangers, plain and edited.

The same works, strangers and seed are asked the same, by whatever number of processes, in whatever order.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from guardian.evaluation.attacks import EDITS
from guardian.model import Asset

MOST_STRANGERS = 500
"""Of more strangers so many are drawn."""


class Kind(StrEnum):
    """What is shown: a work as it is kept, an edited one, or a picture that is nobody's copy."""

    ORIGINAL = "original"
    COPY = "copy"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Question:
    """A picture to ask about: a file, edited or not. `asset` is the id of the asset that it is, None for a stranger."""

    kind: Kind
    path: str
    edit: str | None
    asset: str | None
    seed: int

    @property
    def id(self) -> str:
        """Name the question among those of one plan."""
        return f"{self.asset or self.path}/{self.edit or 'as it is'}/{self.seed:x}"


def sampled(assets: Sequence[Asset], count: int, seed: int) -> list[Asset]:
    """Draw `count` works and return one asset of each, in the order of their ids.

    Which works are drawn depends on their ids and the seed alone, so one more asset changes one work of the sample.
    """
    of_work: dict[str, Asset] = {}
    for asset in assets:
        # The first version stands for its work.
        of_work.setdefault(asset.work_id, asset)
    drawn = sorted(of_work.values(), key=lambda asset: _number(str(seed), asset.id))[:count]
    return sorted(drawn, key=lambda asset: asset.id)


def plan(
    assets: Sequence[Asset], paths: dict[str, Path], strangers: Sequence[Path], edits: Sequence[str], seed: int
) -> list[Question]:
    """Return all questions, those about one file behind each other.

    `paths`: the kept original of each asset by its id. A stranger is asked as it is and once edited.
    """
    questions = []
    for asset in assets:
        path = str(paths[asset.id])
        questions.append(Question(Kind.ORIGINAL, path, None, asset.id, 0))
        for edit in edits:
            questions.append(Question(Kind.COPY, path, edit, asset.id, _number(str(seed), asset.id, edit)))

    for stranger in _drawn(strangers, seed):
        generator = np.random.default_rng(_number(str(seed), stranger.name))
        edit = str(generator.choice(list(edits or EDITS)))
        questions.append(Question(Kind.STRANGER, str(stranger), None, None, 0))
        questions.append(Question(Kind.STRANGER, str(stranger), edit, None, _number(str(seed), stranger.name, edit)))
    return questions


def _drawn(strangers: Sequence[Path], seed: int) -> list[Path]:
    """Return the strangers, or MOST_STRANGERS of them, in the order of their names."""
    chosen = sorted(strangers, key=lambda path: _number(str(seed), path.name))[:MOST_STRANGERS]
    return sorted(chosen)


def _number(*words: str) -> int:
    """Return a number of 48 bits that depends on the words alone."""
    return int.from_bytes(hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).digest()[:6], "big")
