"""What a picture looks like, in less than two kilobytes: its colours, composition, shapes and texture.

Says how alike two pictures are to people, never whether one is a copy of the other. Computed from pixels alone and
deterministic; kept beside the fingerprint, in the form of appearance_bytes.py. How the parts are weighed against each
other is said by guardian/search: better weights need no picture to be looked at again.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.appearance_bytes import (
    DIRECTIONS,
    EDGE_KINDS,
    GRADIENT_BINS,
    LAYOUT_KEPT,
    OCTAVES,
    SIZES,
    Appearance,
)
from guardian.matching.features.colour_shares import colour_shares
from guardian.matching.features.figure import colour_pairs, figure_contrasts, figure_patterns
from guardian.matching.features.local_shapes import DescribedFigure, described, local_shapes
from guardian.matching.features.patterns import pattern_shares
from guardian.matching.features.resizing import reduced

Floats = NDArray[np.float32]

PREVIEW_SIDE = 160
"""Pixels of the longer side of what an appearance is made of."""

_SQUARE = 128
"""Pixels of the side of the square in which the figure is compared."""


def squared(rgb: NDArray[np.uint8]) -> tuple[Floats, int]:
    """Return the figure of a picture, uint8 [h, w, 3], in a square, float32 [128, 128, 3] in CIE Lab.

    With it comes its longer side in pixels, before it was brought to that size.
    """
    lab = _lab(reduced(rgb, PREVIEW_SIDE))
    ground = _ground_of(lab)
    return _squared(lab, ground), ground.longer_side


def _lab(rgb: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), dtype=np.float32)


def appearance_of(rgb: NDArray[np.uint8]) -> Appearance:
    """Return the appearance of a picture, uint8 [h, w, 3] in sRGB.

    Pictures of any size may be given; they are reduced to 160 pixels of their longer side by averaging areas. About
    4 ms of one core from there.
    """
    return with_sources(rgb)[0]


@dataclass(frozen=True, slots=True)
class Sources:
    """What an appearance was made of: a reduced picture, `lab` float32 [h, w, 3] in CIE Lab, and its figure.

    `figure` is bool [h, w]: what is not ground. `described` are the descriptors of the figure in its square.
    """

    lab: Floats
    figure: NDArray[np.bool_]
    described: DescribedFigure


def with_sources(rgb: NDArray[np.uint8]) -> tuple[Appearance, Sources]:
    """Return the appearance of a picture, uint8 [h, w, 3] in sRGB, and what it was made of."""
    rgb = reduced(rgb, PREVIEW_SIDE)
    lab = _lab(rgb)
    grey = lab[:, :, 0] * 2.55
    contrast = _contrast(grey)
    ground = _ground_of(lab)

    square = _squared(lab, ground)
    sources = Sources(lab, ground.figure, described(square, ground.longer_side))
    luma = np.ascontiguousarray(square[:, :, 0]) * 2.55
    energies = _energies(luma)
    flat, edge, of_figure = colour_shares(rgb, contrast > 12, ground.figure)

    shares = {
        "flat_colours": flat,
        "edge_colours": edge,
        "edges": _edges(luma),
        "contrasts": _octaves(contrast),
        "figure_colours": of_figure,
        "colour_pairs": colour_pairs(square),
        "figure_contrasts": figure_contrasts(contrast, ground.figure),
        **_patterns(lab, ground.figure),
    }
    others = {
        "layout": _layout(square),
        "energies": _strengths_as_bytes(np.concatenate([_pooled(octave, 4) for octave in energies]).ravel()),
        "gradients": _strengths_as_bytes(_pooled(_oriented(_halved(luma, 2)[1]), 4).ravel()),
        "spectrum": _strengths_as_bytes(
            np.concatenate([(octave.mean(axis=(1, 2)), octave.std(axis=(1, 2))) for octave in energies], axis=1).ravel()
        ),
        "silhouette": _silhouette(ground),
        "frame": _frame(lab, ground),
        "local_shapes": local_shapes(sources.described),
    }
    parts = {**others, **_shares_as_bytes(shares)}
    return Appearance(np.concatenate([parts[name] for name in SIZES])), sources


def pattern_parts(lab: Floats, figure: NDArray[np.bool_]) -> dict[str, NDArray[np.uint8]]:
    """Return the parts of an appearance that count patterns, of a picture and its figure as `Sources` has them."""
    return _shares_as_bytes(_patterns(lab, figure))


def _patterns(lab: Floats, figure: NDArray[np.bool_]) -> dict[str, Floats]:
    in_lightness, in_colour = figure_patterns(lab, figure)
    everywhere = [pattern_shares(level, _CLEARLY_LIGHTER) for level in _halved(lab[:, :, 0] * 2.55, 3)]
    return {"patterns": np.concatenate(everywhere), "figure_patterns": in_lightness, "colour_patterns": in_colour}


@dataclass(frozen=True, slots=True)
class _Ground:
    """The ground of a picture. `figure`: bool [h, w], what is not ground; everything where the ground is not plain.

    `box` (top, bottom, left, right) holds the figure.
    """

    is_plain: bool
    colour: Floats
    figure: NDArray[np.bool_]
    box: tuple[int, int, int, int]

    @property
    def longer_side(self) -> int:
        """Pixels of the longer side of the figure."""
        top, bottom, left, right = self.box
        return max(bottom - top, right - left)


def _ground_of(lab: Floats) -> _Ground:
    """Tell figure and ground apart where most of the border has one colour, as in clip art and pictures of products."""
    height, width = lab.shape[:2]
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    colour = np.asarray(np.median(border, axis=0), dtype=np.float32)

    is_plain = float((np.abs(border - colour).sum(axis=1) < 12).mean()) >= 0.7
    light, a, b = np.moveaxis(np.abs(lab - colour), 2, 0)
    figure = light + a + b > 14
    if not is_plain or figure.mean() < 0.01:
        everything = np.ones((height, width), dtype=np.bool_)
        return _Ground(False, _mean_colour(lab, everything), everything, (0, height, 0, width))

    rows, columns = np.flatnonzero(figure.any(axis=1)), np.flatnonzero(figure.any(axis=0))
    box = (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    return _Ground(True, colour, figure, box)


def _squared(lab: Floats, ground: _Ground) -> Floats:
    """Return the figure in the middle of a square of ground, float32 [128, 128, 3]: size and margins do not matter."""
    top, bottom, left, right = ground.box
    height, width = bottom - top, right - left
    side = max(height, width)

    square = np.full((side, side, 3), ground.colour, dtype=np.float32)
    down, across = (side - height) // 2, (side - width) // 2
    square[down : down + height, across : across + width] = lab[top:bottom, left:right]

    how = cv2.INTER_AREA if side > _SQUARE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (_SQUARE, _SQUARE), interpolation=how), dtype=np.float32)


@kernel
def _mean_colour(lab, where):  # type: ignore[no-untyped-def]
    """Return the mean of float32 [h, w, 3] where a mask is set, float32 [3], added up pixel by pixel, as NumPy does."""
    light, a, b, count = np.float32(0), np.float32(0), np.float32(0), 0
    for y in range(lab.shape[0]):
        for x in range(lab.shape[1]):
            if where[y, x]:
                light, a, b, count = light + lab[y, x, 0], a + lab[y, x, 1], b + lab[y, x, 2], count + 1
    return np.array([light, a, b], np.float32) / np.float32(count)


def _layout(square: Floats) -> NDArray[np.uint8]:
    small = cv2.resize(square, (8, 8), interpolation=cv2.INTER_AREA)
    kept = []
    for channel, count in enumerate(LAYOUT_KEPT):
        spectrum = cv2.dct(np.ascontiguousarray(small[:, :, channel]))
        kept += [spectrum[place] for place in _ZIGZAG[:count]]
    # Roots keep small differences of high frequencies: coefficients reach from 0.1 to 800.
    values = np.array(kept, dtype=np.float32)
    return np.clip(np.round(np.sign(values) * np.sqrt(np.abs(values)) * 4.5) + 128, 0, 255).astype(np.uint8)


_ZIGZAG = sorted(((row, column) for row in range(8) for column in range(8)), key=lambda place: (sum(place), place))

LAYOUT_COLUMNS = np.array([column for count in LAYOUT_KEPT for _, column in _ZIGZAG[:count]])
"""Which wave from left to right each number of the layout stands for, from 0 on: int64 [58]."""

_ROOT = float(np.sqrt(2))
_EDGE_FILTERS = np.array(
    [[1, -1, 1, -1], [1, 1, -1, -1], [_ROOT, 0, 0, -_ROOT], [0, _ROOT, -_ROOT, 0], [2, -2, -2, 2]], dtype=np.float32
)
_LEAST_EDGE = 8.0


def _edges(luma: Floats) -> Floats:
    """Return the share of vertical, horizontal, two diagonal and undirected edges in 4 x 4 blocks: float32 [80]."""
    small = cv2.resize(luma, (64, 64), interpolation=cv2.INTER_AREA)
    quarters = np.stack([small[::2, ::2], small[::2, 1::2], small[1::2, ::2], small[1::2, 1::2]])
    strengths = np.abs(np.tensordot(_EDGE_FILTERS, quarters, axes=1))

    kinds = np.zeros((EDGE_KINDS, 32, 32), dtype=np.float32)
    is_edge = strengths.max(axis=0) > _LEAST_EDGE
    np.put_along_axis(kinds, strengths.argmax(axis=0)[None], is_edge[None].astype(np.float32), axis=0)
    return _pooled(kinds, 4).ravel()


def _oriented(luma: Floats) -> Floats:
    """Return the strengths of gradients by their orientation, softly binned: float32 [8, h, w]."""
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    strength, angle = cv2.cartToPolar(across, down)
    place = angle * (GRADIENT_BINS / np.pi) % GRADIENT_BINS
    below = np.floor(place).astype(np.int64) % GRADIENT_BINS
    above = place - np.floor(place)

    planes = np.zeros((GRADIENT_BINS, *luma.shape), dtype=np.float32)
    np.put_along_axis(planes, below[None], (strength * (1 - above))[None], axis=0)
    np.put_along_axis(planes, ((below + 1) % GRADIENT_BINS)[None], (strength * above)[None], axis=0)
    return planes


@lru_cache(maxsize=1)
def _filters() -> list[Floats]:
    """Return the filter bank in the frequency domain by octaves: log-Gaussian rings cut into directions.

    The finest octave is float32 [6, 64, 64], the others [6, 32, 32], since they hold nothing that is finer.
    """
    bank = []
    for octave in range(OCTAVES):
        side = 64 if octave == 0 else 32
        down, across = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
        frequency, direction = np.hypot(across, down) * side / 64, np.arctan2(down, across)
        ring = np.exp(-(np.log2(np.maximum(frequency, 1e-6) / (0.35 / 2**octave)) ** 2) / (2 * 0.55**2))

        off = direction - (np.arange(DIRECTIONS) * np.pi / DIRECTIONS)[:, None, None]
        off = (off + np.pi) % (2 * np.pi) - np.pi
        bank.append((ring * np.exp(-(off**2) / (2 * (np.pi / DIRECTIONS * 0.6) ** 2))).astype(np.float32))
    return bank


def _energies(luma: Floats) -> list[Floats]:
    """Return what the filters of each octave find where, float32 [6, side, side], in logarithmic grey levels."""
    small = np.log1p(np.maximum(cv2.resize(luma, (64, 64), interpolation=cv2.INTER_AREA), 0)).astype(np.float32)
    spectrum = np.fft.fft2(small).astype(np.complex64)
    # Without its upper half, a spectrum is that of the picture at half its size, four times as strong.
    low = np.r_[0:16, 48:64]
    halved = spectrum[np.ix_(low, low)] / 4
    return [
        np.abs(np.fft.ifft2(octave * (spectrum if octave.shape[1] == 64 else halved))).astype(np.float32)
        for octave in _filters()
    ]


def _pooled(planes: Floats, blocks: int) -> Floats:
    """Average float32 [n, h, w] in blocks: float32 [n, blocks, blocks]."""
    count, height, width = planes.shape
    split = planes.reshape(count, blocks, height // blocks, blocks, width // blocks)
    return np.asarray(split.mean(axis=(2, 4)), dtype=np.float32)


def _halved(grey: Floats, levels: int) -> list[Floats]:
    """Return the picture at full and halved sizes."""
    found = [grey]
    while len(found) < levels:
        found.append(np.asarray(cv2.pyrDown(found[-1]), dtype=np.float32))
    return found


_CLEARLY_LIGHTER = 2.0


def _contrast(grey: Floats) -> Floats:
    """Return the largest difference among each pixel and its eight neighbours, in grey levels."""
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), dtype=np.uint8)), dtype=np.float32)


def _octaves(contrast: Floats) -> Floats:
    """Return the shares of pixels by the logarithm of their contrast: float32 [12]."""
    places = np.minimum(np.log2(contrast.ravel() + 1) * 1.5, 11).astype(np.int64)
    return (np.bincount(places, minlength=12) / contrast.size).astype(np.float32)


def _silhouette(ground: _Ground) -> NDArray[np.uint8]:
    top, bottom, left, right = ground.box
    figure = ground.figure[top:bottom, left:right].astype(np.float32)
    return np.round(cv2.resize(figure, (8, 8), interpolation=cv2.INTER_AREA) * 255).astype(np.uint8).ravel()


def _frame(lab: Floats, ground: _Ground) -> NDArray[np.uint8]:
    top, bottom, left, right = ground.box
    elongation = np.clip(np.log2((right - left) / (bottom - top)) * 32 + 128, 0, 255)
    light, a, b = _mean_colour(lab, ground.figure) if ground.is_plain else ground.colour
    share = float(ground.figure.mean()) * 255
    return np.round([elongation, share, light * 2.55, a + 128, b + 128, 255 * ground.is_plain]).astype(np.uint8)


def _shares_as_bytes(shares: dict[str, Floats]) -> dict[str, NDArray[np.uint8]]:
    """Keep the roots of shares (0-1), by which rare ones count too: their Euclidean distance is Hellinger's."""
    # All in one go: each of NumPy's calls takes as long as a hundred shares.
    every = np.concatenate(list(shares.values()))
    kept = np.round(np.sqrt(np.clip(every, 0, 1)) * 255).astype(np.uint8)
    ends = np.cumsum([len(one) for one in shares.values()])
    return dict(zip(shares, np.split(kept, ends[:-1]), strict=True))


def _strengths_as_bytes(strengths: Floats) -> NDArray[np.uint8]:
    """Keep the roots of strengths relative to their largest, so that exposure and contrast do not count."""
    roots = np.sqrt(np.maximum(strengths, 0))
    largest = float(roots.max(initial=0))
    return np.round(roots * (255 / largest)).astype(np.uint8) if largest > 0 else roots.astype(np.uint8)
