"""Looks through what you own: the same picture twice, scenes of one shoot, and files that are too poor to keep."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from guardian.model import Asset, Rights
from guardian.search.aspects import SCALE, Aspect, projections
from guardian.search.rows import Rows
from guardian.views.word_tokens import tokens

SAME_LOOK = 0.9
"""Cosine of the looks of two files of one picture: of 60 photographs 98 % reach it at JPEG quality 30, all at a quarter
of the size; of pairs of 200 other photographs one in two thousand does."""

SIBLING_LOOK = 0.9
"""Cosine of the looks of pictures of one scene, whose colours and composition must be alike as well.

Photographs look much alike to each other. 200 of them, hardly any two from one shoot, make 19,900 pairs: at a cosine of
0.6, 568 of these would be siblings; at 0.9, 8 are.
"""

SMALL_SIDE = 320
"""Pixels of the shorter side below which a picture is tiny: no print, and few copies of crops would be found."""

LEAST_SHARP = 0.16
"""Energy of the finest detail, relative to the next coarser, below which a picture is blurred."""

LEAST_QUALITY = 40
"""JPEG quality (as the IJG's library counts) below which compression shows."""

_NO_NAMES = frozenset(
    tokens(
        "a an and the by of for all rights right reserved copyright copyrighted c r tm inc ltd llc gmbh ag co corp "
        "company alle rechte vorbehalten und von tous droits réservés et de la le les du todos los derechos reservados "
        "y www com org net http https photo photos foto fotos photography image images"
    )
)
"""Words of copyright notices, and of names of firms, that name nobody."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Cluster:
    """Assets that belong together, the best version first."""

    assets: tuple[Asset, ...]


class Poorness(StrEnum):
    """Why a file is poor."""

    TINY = "tiny"
    BLURRED = "blurred"
    COMPRESSED = "over-compressed"
    OTHERS = "names another owner"


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one file: sharpness (see LEAST_SHARP), JPEG quality (None for other formats)."""

    shorter_side: int
    sharpness: float
    jpeg_quality: int | None

    @property
    def poor(self) -> tuple[Poorness, ...]:
        """Why the file is poor; empty when it is not."""
        found = []
        if self.shorter_side < SMALL_SIDE:
            found.append(Poorness.TINY)
        if self.sharpness < LEAST_SHARP:
            found.append(Poorness.BLURRED)
        if self.jpeg_quality is not None and self.jpeg_quality < LEAST_QUALITY:
            found.append(Poorness.COMPRESSED)
        return tuple(found)


def names_another_owner(rights: Rights, owner: Sequence[str]) -> str | None:
    """Return the copyright notice or licensor that names nobody of the owner; None when none does.

    `owner`: the names under which the owner is known; one word of them in the notice is enough. Notices without a name
    ("all rights reserved") name nobody.
    """
    own = {word for name in owner for word in tokens(name)} - _NO_NAMES
    for text in (rights.copyright_notice, rights.licensor):
        names = {word for word in tokens(text or "") if not word.isdecimal()} - _NO_NAMES
        if own and names and not names & own:
            return text
    return None


def duplicates(
    assets: Mapping[int, Asset], hashes: Mapping[int, NDArray[np.uint8]], rows: Sequence[Rows], bits: int
) -> list[Cluster]:
    """Return clusters of assets that show the same whole picture, the largest clusters first.

    Versions of one work, which were compared pixel by pixel, belong together; so do pictures whose hashes (uint8 [32])
    differ in at most `bits` of 256 and that look the same.
    """
    looks = _vectors_by_number(rows, Aspect.LOOK)
    groups = _Groups(len(assets))
    works: dict[str, int] = {}
    for place, asset in enumerate(assets.values()):
        groups.join(works.setdefault(asset.work_id, place), np.array([place]))

    measured = [(place, number) for place, number in enumerate(assets) if number in hashes and number in looks]
    if measured:
        places = np.array([place for place, _ in measured])
        codes = np.stack([hashes[number] for _, number in measured]).view(np.uint64)
        _join_alike(groups, places, codes, np.stack([looks[number] for _, number in measured]), bits)
    return _clusters(groups, list(assets.values()))


def _join_alike(
    groups: "_Groups", places: NDArray[np.int64], codes: NDArray[np.uint64], looks: NDArray[np.int8], bits: int
) -> None:
    """Join the pictures at some places (int64 [n]) whose hashes (uint64 [n, 4]) are near and that look the same."""
    # One array for each word: a sum over four numbers side by side takes ten times as long.
    words = np.ascontiguousarray(codes.T)
    vectors = looks.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1)

    for one in range(len(places) - 1):
        apart = np.zeros(len(places) - one - 1, dtype=np.uint16)
        for word in words:
            apart += np.bitwise_count(word[one + 1 :] ^ word[one])

        near = np.flatnonzero(apart <= bits) + one + 1
        near = near[groups.are_apart(places[one], places[near])]
        cosines = vectors[near] @ vectors[one] / np.maximum(lengths[near] * lengths[one], 1e-9)
        groups.join(places[one], places[near[cosines >= SAME_LOOK]])


def siblings(assets: Mapping[int, Asset], rows: Sequence[Rows]) -> list[Cluster]:
    """Return clusters of assets that show one scene or shoot and are no versions of one picture.

    They look alike, with much the same colours and a like composition.
    """
    found = {aspect: _vectors_by_number(rows, aspect) for aspect in (Aspect.LOOK, Aspect.COLOUR, Aspect.SHAPE)}
    numbers = [number for number in assets if number in found[Aspect.LOOK]]
    if not numbers:
        return []
    # Whole numbers: every product is exact, whatever the order in which it is summed.
    stacked = {
        aspect: np.stack([vectors[number] for number in numbers]).astype(np.float32)
        for aspect, vectors in found.items()
    }
    least = {
        Aspect.LOOK: SIBLING_LOOK,
        Aspect.COLOUR: projections()[Aspect.COLOUR].much_alike,
        Aspect.SHAPE: projections()[Aspect.SHAPE].alike,
    }
    _, works = np.unique([assets[number].work_id for number in numbers], return_inverse=True)

    groups = _Groups(len(numbers))
    for start in range(0, len(numbers), _BLOCK):
        looks = stacked[Aspect.LOOK]
        alike = looks[start : start + _BLOCK] @ looks[start:].T >= least[Aspect.LOOK] * SCALE**2
        # Few pictures look like another, so all else is compared of hardly any.
        ones, others = np.flatnonzero(alike.any(axis=1)), np.flatnonzero(alike.any(axis=0))
        alike = alike[np.ix_(ones, others)]
        ones, others = ones + start, others + start

        alike &= works[ones, None] != works[None, others]
        for aspect in (Aspect.COLOUR, Aspect.SHAPE):
            alike &= stacked[aspect][ones] @ stacked[aspect][others].T >= least[aspect] * SCALE**2
        for one, its_row in zip(ones, alike, strict=True):
            groups.join(int(one), others[its_row])
    return _clusters(groups, [assets[number] for number in numbers])


def quality_of(settings: MatchingSettings, content: bytes) -> Quality:
    """Measure one encoded picture, in a worker. Raises Unmatchable."""
    picture = decode(content, settings)
    return Quality(min(picture.width, picture.height), _sharpness(picture.grey), _jpeg_quality(content))


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the energy of the finest detail relative to the next scale: 0.8 and more for a sharp photograph."""
    height, width = (side // 2 * 2 for side in grey.shape)
    fine = grey[:height, :width].astype(np.float32)
    middle = cv2.pyrDown(fine)
    coarse = cv2.pyrDown(middle)
    finest = fine - cv2.pyrUp(middle, dstsize=(fine.shape[1], fine.shape[0]))
    next_one = middle - cv2.pyrUp(coarse, dstsize=(middle.shape[1], middle.shape[0]))
    # Noise of half a grey level is no detail.
    return float(np.square(finest).mean() / (np.square(next_one).mean() + 0.25))


def _jpeg_quality(content: bytes) -> int | None:
    """Return the quality that the IJG's library would have to be asked for these luma tables; None for no JPEG."""
    with Image.open(io.BytesIO(content)) as opened:
        tables = getattr(opened, "quantization", None) if opened.format in ("JPEG", "MPO") else None
    if not tables:
        return None
    # The sum of the standard luma table is 3,688; quality scales it.
    scale = float(sum(next(iter(tables.values())))) / 36.88
    return round(100 - scale / 2 if scale <= 100 else 5000 / scale)


class _Groups:
    """Places 0 to n - 1 that were joined, directly or through others: those of a group have one label."""

    def __init__(self, count: int) -> None:
        self._labels = np.arange(count)

    def are_apart(self, one: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of each other place whether it is not joined with this one, bool [n]."""
        apart: NDArray[np.bool_] = self._labels[others] != self._labels[one]
        return apart

    def join(self, one: int, others: NDArray[np.int64]) -> None:
        """Join a place with others, and all that these are joined with."""
        joining = self._labels[others[self.are_apart(one, others)]]
        # Nearly always there is nothing to join any more; else all labels are gone through.
        if joining.size:
            self._labels[np.isin(self._labels, joining)] = self._labels[one]

    def all(self) -> Iterable[NDArray[np.int64]]:
        """Return the places of each group of two and more."""
        order = np.argsort(self._labels, kind="stable")
        _, starts = np.unique(self._labels[order], return_index=True)
        return [members for members in np.split(order, starts[1:]) if len(members) > 1]


def _clusters(groups: _Groups, assets: Sequence[Asset]) -> list[Cluster]:
    """Return the joined assets, the best version first: the one with most pixels, of equals the one added first."""
    found = []
    for members in groups.all():
        joined = [assets[place] for place in members]
        found.append(Cluster(tuple(sorted(joined, key=lambda asset: (-asset.width * asset.height, asset.number)))))
    return sorted(found, key=lambda cluster: (-len(cluster.assets), cluster.assets[0].number))


def _vectors_by_number(rows: Sequence[Rows], aspect: Aspect) -> dict[int, NDArray[np.int8]]:
    """Return one vector for each asset: that of its first frame."""
    found: dict[int, NDArray[np.int8]] = {}
    for one in rows:
        vectors = one.vectors(aspect)
        for row in np.flatnonzero(one.alive):
            found.setdefault(int(one.numbers[row]), vectors[row])
    return found
