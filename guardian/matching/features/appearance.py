"""What a picture looks like, in less than two kilobytes: its colours, composition, shapes and texture.

Says how alike two pictures are to people, never whether one is a copy of the other. Computed from pixels alone and
deterministic; kept beside the fingerprint. How the parts are weighed against each other is not said here: better
weights need no picture to be looked at again.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.figure import (
    COLOUR_PAIRS,
    COLOUR_PATTERNS,
    FIGURE_CONTRASTS,
    FIGURE_PATTERNS,
    colour_pairs,
    figure_contrasts,
    figure_patterns,
)
from guardian.matching.features.local_shapes import LOCAL_SHAPES, DescribedFigure, described, local_shapes
from guardian.matching.features.patterns import PATTERNS, pattern_shares
from guardian.matching.features.resizing import reduced

APPEARANCE_VERSION = 3
"""Raise when the same pixels give other bytes. What `widened` cannot make of earlier bytes is never compared."""

Floats = NDArray[np.float32]

PREVIEW_SIDE = 160
"""Pixels of the longer side of what an appearance is made of."""

_SQUARE = 128
_HUES, _CHROMAS, _LIGHTNESSES = 12, 4, 4
COLOUR_CELLS = _LIGHTNESSES + (_CHROMAS - 1) * _LIGHTNESSES * _HUES
"""Greys by lightness first, then colours by chroma, lightness and hue."""

_LAYOUT_KEPT = (28, 15, 15)
_FREQUENCIES, DIRECTIONS = 4, 6
GRADIENT_BINS = 8
"""Directions of gradients, and of the filters of each octave: within half a turn, from 0 on."""

_EDGE_KINDS = 5

SIZES: dict[str, int] = {
    "flat_colours": COLOUR_CELLS,
    "edge_colours": COLOUR_CELLS,
    "layout": sum(_LAYOUT_KEPT),
    "edges": 16 * _EDGE_KINDS,
    "energies": 16 * _FREQUENCIES * DIRECTIONS,
    "gradients": 16 * GRADIENT_BINS,
    "spectrum": 2 * _FREQUENCIES * DIRECTIONS,
    "patterns": 3 * PATTERNS,
    "contrasts": 12,
    "silhouette": 64,
    "frame": 6,
    "figure_colours": COLOUR_CELLS,
    "figure_patterns": FIGURE_PATTERNS,
    "colour_patterns": COLOUR_PATTERNS,
    "colour_pairs": COLOUR_PAIRS,
    "figure_contrasts": FIGURE_CONTRASTS,
    "local_shapes": LOCAL_SHAPES,
}
"""Bytes of each part of an appearance, in their order."""

APPEARANCE_BYTES = sum(SIZES.values())

SINCE_VERSION_2 = ("figure_colours", "figure_patterns", "colour_patterns", "colour_pairs", "figure_contrasts")
"""Parts that appearances of version 1 lack: there they are zeros, which no picture has."""

SINCE_VERSION_3 = ("local_shapes",)
"""Parts that appearances of versions 1 and 2 lack."""


def _slices() -> dict[str, slice]:
    ends = np.cumsum(list(SIZES.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(SIZES.items(), ends, strict=True)}


SLICES = _slices()
"""Where each part lies in the bytes of an appearance."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """The appearance of one picture: uint8 [APPEARANCE_BYTES], the parts one after the other as SLICES says.

    - `flat_colours`, `edge_colours`: square roots of the shares of COLOUR_CELLS in CIE Lab, on even surfaces and along
      edges (after Stehling's border/interior classification, 2002), softly binned;
    - `layout`: DCT of 8 x 8 average colours in Lab (MPEG-7's colour layout), signed about 128;
    - `edges`: shares of five kinds of edges in 4 x 4 blocks (MPEG-7's edge histogram);
    - `energies`: energies of a bank of oriented band-pass filters in 4 x 4 blocks (Oliva and Torralba's GIST, 2001);
    - `gradients`: orientations of gradients in 4 x 4 blocks (Dalal and Triggs, 2005);
    - `spectrum`: mean and deviation of each filter's energy (MPEG-7's homogeneous texture);
    - `patterns`: rotation-invariant local binary patterns at three scales (Ojala, 2002);
    - `contrasts`: how many pixels have which contrast to their neighbours, in octaves;
    - `silhouette`: which part of 8 x 8 blocks is not plain ground;
    - `frame`: elongation, share and colour (L, a, b) of what is not ground, whether the ground is plain;
    - `figure_colours`, `figure_patterns`, `figure_contrasts`: as those without `figure_`, of what is not ground alone;
    - `colour_patterns`: binary patterns of the figure in a and b of Lab, at two scales;
    - `colour_pairs`: which coarse colours lie beside each other;
    - `local_shapes`: which small shapes the figure has, and where (a Fisher vector of gradients), signed about 128.
    """

    values: NDArray[np.uint8]

    def part(self, name: str) -> NDArray[np.uint8]:
        """Return one part, uint8 [SIZES[name]]."""
        return self.values[SLICES[name]]

    def to_bytes(self) -> bytes:
        """Return the APPEARANCE_BYTES bytes that `from_bytes` reads."""
        return self.values.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Appearance":
        """Read what `to_bytes` wrote. Raises ValueError for another number of bytes."""
        if len(content) != APPEARANCE_BYTES:
            raise ValueError(f"an appearance has {APPEARANCE_BYTES} bytes, not {len(content)}")
        return cls(np.frombuffer(content, dtype=np.uint8))


BYTES_OF_VERSION_2 = APPEARANCE_BYTES - sum(SIZES[name] for name in SINCE_VERSION_3)
BYTES_OF_VERSION_1 = BYTES_OF_VERSION_2 - sum(SIZES[name] for name in SINCE_VERSION_2)
BYTES_OF_VERSIONS = {1: BYTES_OF_VERSION_1, 2: BYTES_OF_VERSION_2, 3: APPEARANCE_BYTES}


def can_be_widened(length: int) -> bool:
    """Return whether rows of so many bytes are appearances of this version or of an earlier one."""
    return length in BYTES_OF_VERSIONS.values()


def widened(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return appearances of any version, uint8 [n, bytes], as [n, APPEARANCE_BYTES]; parts not known are zeros.

    Raises ValueError for rows of another length.
    """
    if not can_be_widened(rows.shape[1]):
        raise ValueError(f"an appearance has {APPEARANCE_BYTES} bytes, not {rows.shape[1]}")
    if rows.shape[1] == APPEARANCE_BYTES:
        return rows
    return np.pad(rows, ((0, 0), (0, APPEARANCE_BYTES - rows.shape[1])))


def versions_of(appearances: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the version whose parts each appearance has: int64 [n] of uint8 [n, APPEARANCE_BYTES]."""
    has_second = appearances[:, SLICES["figure_colours"]].any(axis=1)
    has_third = appearances[:, SLICES["local_shapes"]].any(axis=1)
    return np.where(has_second, np.where(has_third, 3, 2), 1)


def as_of_version(appearances: NDArray[np.uint8], version: int) -> NDArray[np.uint8]:
    """Return appearances, uint8 [n, APPEARANCE_BYTES], without parts that this version lacks."""
    return widened(appearances[:, : BYTES_OF_VERSIONS[version]])


def completed(earlier: bytes, made: Appearance) -> Appearance:
    """Return the parts that an appearance of an earlier version has, and from another one what it lacks.

    Bytes that are no appearance of any version are not used.
    """
    known = np.frombuffer(earlier, np.uint8)
    if not can_be_widened(len(known)):
        return made
    known = known[: BYTES_OF_VERSIONS[int(versions_of(widened(known[None]))[0])]]
    return Appearance(np.concatenate([known, made.values[len(known) :]]))


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
    flat, edge, of_figure = _colour_shares(rgb, contrast > 12, ground.figure)

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


_RGB_LEVELS = 32


@lru_cache(maxsize=1)
def _cells_of_rgb() -> tuple[NDArray[np.uint8], Floats]:
    """Return for each of 32^3 colours the eight nearest cells, uint8 [n, 8], and their weights, float32 [n, 8]."""
    levels = ((np.arange(_RGB_LEVELS) + 0.5) / _RGB_LEVELS).astype(np.float32)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    cells, weights = colour_cells(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), dtype=np.float32).reshape(-1, 3))
    return cells.astype(np.uint8), weights


def colour_cells(lab: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the eight nearest colour cells of each colour in CIE Lab, int64 [n, 8], with weights that add up to 1."""
    light, a, b = lab.T
    hue = (np.arctan2(b, a) / (2 * np.pi)) % 1 * _HUES
    chroma = np.interp(np.hypot(a, b), [4, 20, 45, 75], [0, 1, 2, 3])
    lightness = np.clip(light / 100 * _LIGHTNESSES - 0.5, 0, _LIGHTNESSES - 1)

    cells, weights = [], []
    for next_chroma in (0, 1):
        for next_lightness in (0, 1):
            for next_hue in (0, 1):
                c = np.minimum(np.floor(chroma) + next_chroma, _CHROMAS - 1).astype(np.int64)
                y = np.minimum(np.floor(lightness) + next_lightness, _LIGHTNESSES - 1).astype(np.int64)
                h = (np.floor(hue).astype(np.int64) + next_hue) % _HUES
                # Greys have no hue.
                cells.append(np.where(c == 0, y, _LIGHTNESSES + ((c - 1) * _LIGHTNESSES + y) * _HUES + h))
                weights.append(_share(chroma, next_chroma) * _share(lightness, next_lightness) * _share(hue, next_hue))
    return np.stack(cells, axis=1), np.stack(weights, axis=1).astype(np.float32)


def _share(value: NDArray[np.floating], is_next: int) -> NDArray[np.floating]:
    """Return how much of a value belongs to the bin below it, or to the next one."""
    above = value - np.floor(value)
    return np.asarray(above if is_next else 1 - above)


def _colour_shares(
    rgb: NDArray[np.uint8], on_edge: NDArray[np.bool_], figure: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return which share of the picture has which colour, on even surfaces and along edges, and which of the figure.

    All are float32 [COLOUR_CELLS]; the first two together add up to 1, and so does the third.
    """
    # A new array, since kernels are compiled for each layout, and for pixels that may not be written to.
    counts = _count_colours(np.right_shift(rgb, 3, order="C"), on_edge, figure)
    flat, edge = _binned(counts[0], on_edge.size), _binned(counts[1], on_edge.size)
    return flat, edge, _binned(counts[2], int(counts[2].sum()))


@kernel
def _count_colours(levels, on_edge, figure):  # type: ignore[no-untyped-def]
    """Return how many pixels of each of 32^3 colours lie off edges, on them, and in the figure: int64 [3, n].

    `levels` of red, green and blue are uint8 [h, w, 3], 0-31.
    """
    counts = np.zeros((3, _RGB_LEVELS**3), np.int64)
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            colour = (levels[y, x, 0] * _RGB_LEVELS + levels[y, x, 1]) * _RGB_LEVELS + levels[y, x, 2]
            counts[int(on_edge[y, x]), colour] += 1
            counts[2, colour] += figure[y, x]
    return counts


def _binned(counts: NDArray[np.int64], pixels: int) -> Floats:
    return np.asarray(_add_up_cells(counts, pixels, *_cells_of_rgb()), dtype=np.float32)


@kernel
def _add_up_cells(counts, pixels, cells, weights):  # type: ignore[no-untyped-def]
    """Return which share of so many pixels each cell has, float64 [COLOUR_CELLS], of how many have each colour."""
    shares = np.zeros(COLOUR_CELLS)
    for colour in range(counts.shape[0]):
        if counts[colour]:
            share = counts[colour] / pixels
            for near in range(cells.shape[1]):
                shares[cells[colour, near]] += weights[colour, near] * share
    return shares


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
    for channel, count in enumerate(_LAYOUT_KEPT):
        spectrum = cv2.dct(np.ascontiguousarray(small[:, :, channel]))
        kept += [spectrum[place] for place in _ZIGZAG[:count]]
    # Roots keep small differences of high frequencies: coefficients reach from 0.1 to 800.
    values = np.array(kept, dtype=np.float32)
    return np.clip(np.round(np.sign(values) * np.sqrt(np.abs(values)) * 4.5) + 128, 0, 255).astype(np.uint8)


_ZIGZAG = sorted(((row, column) for row in range(8) for column in range(8)), key=lambda place: (sum(place), place))

LAYOUT_COLUMNS = np.array([column for count in _LAYOUT_KEPT for _, column in _ZIGZAG[:count]])
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

    kinds = np.zeros((_EDGE_KINDS, 32, 32), dtype=np.float32)
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
    for octave in range(_FREQUENCIES):
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
