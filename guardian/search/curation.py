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
    groups = _Groups()
    works: dict[str, int] = {}
    for number, asset in assets.items():
        groups.join(works.setdefault(asset.work_id, number), number)

    numbers = [number for number in assets if number in hashes]
    codes = np.stack([hashes[number] for number in numbers]).view(np.uint64) if numbers else np.empty((0, 4), np.uint64)
    looks = _vectors_by_number(rows, Aspect.LOOK)
    for start in range(len(codes)):
        near = np.bitwise_count(codes[start + 1 :] ^ codes[start]).sum(axis=1) <= bits
        for other in np.flatnonzero(near) + start + 1:
            one, two = numbers[start], numbers[int(other)]
            if one in looks and two in looks and _cosine(looks[one], looks[two]) >= SAME_LOOK:
                groups.join(one, two)
    return _clusters(groups, assets)


def siblings(assets: Mapping[int, Asset], rows: Sequence[Rows]) -> list[Cluster]:
    """Return clusters of assets that show one scene or shoot and are no versions of one picture.

    They look alike, with much the same colours and a like composition.
    """
    found = {aspect: _vectors_by_number(rows, aspect) for aspect in (Aspect.LOOK, Aspect.COLOUR, Aspect.SHAPE)}
    numbers = [number for number in assets if number in found[Aspect.LOOK]]
    if not numbers:
        return []
    stacked = {
        aspect: np.stack([vectors[number] for number in numbers]).astype(np.float32) / SCALE
        for aspect, vectors in found.items()
    }
    least = {
        Aspect.LOOK: SIBLING_LOOK,
        Aspect.COLOUR: projections()[Aspect.COLOUR].much_alike,
        Aspect.SHAPE: projections()[Aspect.SHAPE].alike,
    }

    groups = _Groups()
    for start in range(0, len(numbers), _BLOCK):
        alike = np.ones((len(numbers[start : start + _BLOCK]), len(numbers)), dtype=bool)
        for aspect, vectors in stacked.items():
            alike &= vectors[start : start + _BLOCK] @ vectors.T >= least[aspect]
        for row, column in zip(*np.nonzero(alike), strict=True):
            one, two = numbers[start + int(row)], numbers[int(column)]
            if one < two and assets[one].work_id != assets[two].work_id:
                groups.join(one, two)
    return _clusters(groups, assets)


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
    """Numbers that were joined, directly or through others (union-find)."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def join(self, one: int, two: int) -> None:
        self._above[self._top(two)] = self._top(one)

    def _top(self, number: int) -> int:
        while (above := self._above.setdefault(number, number)) != number:
            number = above
        return number

    def all(self) -> Iterable[list[int]]:
        found: dict[int, list[int]] = {}
        for number in self._above:
            found.setdefault(self._top(number), []).append(number)
        return [sorted(members) for members in found.values() if len(members) > 1]


def _clusters(groups: _Groups, assets: Mapping[int, Asset]) -> list[Cluster]:
    """Return the joined assets, the best version first: the one with most pixels, of equals the one added first."""
    found = []
    for members in groups.all():
        ordered = sorted(members, key=lambda number: (-assets[number].width * assets[number].height, number))
        found.append(Cluster(tuple(assets[number] for number in ordered)))
    return sorted(found, key=lambda cluster: (-len(cluster.assets), cluster.assets[0].number))


def _vectors_by_number(rows: Sequence[Rows], aspect: Aspect) -> dict[int, NDArray[np.int8]]:
    """Return one vector for each asset: that of its first frame."""
    found: dict[int, NDArray[np.int8]] = {}
    for one in rows:
        vectors = one.vectors(aspect)
        for row in np.flatnonzero(one.alive):
            found.setdefault(int(one.numbers[row]), vectors[row])
    return found


def _cosine(one: NDArray[np.int8], two: NDArray[np.int8]) -> float:
    first, second = one.astype(np.float32), two.astype(np.float32)
    return float(first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-9))
