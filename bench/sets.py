"""Sets of pictures to measure on: a folder with refs/, queries/ and manifest.csv, or one made on the spot."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from demo.photographs import DISTRACTORS, PROTECTED, copy_protected, opened
from guardian.errors import NotRecognisable
from guardian.evaluation import attacks

SEED = 20261124


@dataclass(frozen=True)
class Query:
    """A picture to ask about. `ref`: file name of the reference it copies; None for a distractor."""

    path: Path
    attack: str
    ref: str | None

    @property
    def family(self) -> str:
        """The family of the edit; the name of the edit itself when it is of another collection."""
        families = {"standard": attacks.STANDARD, "hard": attacks.HARD, "wild": attacks.WILD}
        return next((name for name, edits in families.items() if self.attack in edits), self.attack)


@dataclass(frozen=True)
class BenchSet:
    """References to protect, and pictures to ask about."""

    name: str
    refs: tuple[Path, ...]
    queries: tuple[Query, ...]


def read(folder: Path) -> BenchSet:
    """A set from a folder: columns query, attack, kind (pos or neg) and ref of manifest.csv count."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    queries = [
        Query(folder / "queries" / row["query"], row["attack"], row["ref"] if row["kind"] == "pos" else None)
        for row in rows
    ]
    refs = folder / "refs" if (folder / "refs").is_dir() else folder.parent / "standard" / "refs"
    return BenchSet(folder.name, tuple(sorted(path for path in refs.iterdir() if path.is_file())), tuple(queries))


def made(folder: Path) -> Iterator[str]:
    """Write a small set of the demo's photographs under every attack there is; yields each query's name."""
    copy_protected(PROTECTED, folder / "refs")
    queries = folder / "queries"
    queries.mkdir()
    distractors = [np.asarray(opened(photograph)) for photograph in DISTRACTORS]
    random = np.random.default_rng(SEED)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["query", "attack", "kind", "ref"])
        for photograph, is_copy in [*((one, True) for one in PROTECTED), *((one, False) for one in DISTRACTORS)]:
            pixels = np.asarray(opened(photograph))
            for attack in attacks.EDITS:
                name = f"{'pos' if is_copy else 'neg'}_{attack}_{photograph.name}.jpg"
                try:
                    edited = attacks.apply(attack, pixels, random, distractors * 2)
                except NotRecognisable:
                    # A ninth of the sky copies nothing.
                    continue
                Image.fromarray(edited).save(queries / name, quality=90)
                manifest.writerow([name, attack, "pos" if is_copy else "neg", photograph.file if is_copy else ""])
                yield name
