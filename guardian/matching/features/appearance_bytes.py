"""The bytes of an appearance: which parts it has, where they lie, and which parts earlier versions lack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.colour_shares import COLOUR_CELLS
from guardian.matching.features.figure import COLOUR_PAIRS, COLOUR_PATTERNS, FIGURE_CONTRASTS, FIGURE_PATTERNS
from guardian.matching.features.local_shapes import LOCAL_SHAPES
from guardian.matching.features.patterns import PATTERNS

APPEARANCE_VERSION = 3
"""Raise when the same pixels give other bytes. What `widened` cannot make of earlier bytes is never compared."""

LAYOUT_KEPT = (28, 15, 15)
"""Coefficients of the layout that are kept of lightness, a and b."""

OCTAVES, DIRECTIONS = 4, 6
"""Filters of the bank: frequencies, each in so many directions."""

GRADIENT_BINS = 8
"""Directions of gradients: within half a turn, from 0 on, as those of the filters of each octave."""

EDGE_KINDS = 5

SIZES: dict[str, int] = {
    "flat_colours": COLOUR_CELLS,
    "edge_colours": COLOUR_CELLS,
    "layout": sum(LAYOUT_KEPT),
    "edges": 16 * EDGE_KINDS,
    "energies": 16 * OCTAVES * DIRECTIONS,
    "gradients": 16 * GRADIENT_BINS,
    "spectrum": 2 * OCTAVES * DIRECTIONS,
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
