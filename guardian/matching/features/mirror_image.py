"""The appearance of a picture's mirror image, made of that of the picture in a quarter of the time.

Bytes change places, some their sign, and colours stay. Patterns are counted again, since those of halved sizes depend
on which pixels are left; local shapes are made of the same descriptors. Mirrored pixels give nearly the same bytes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.appearance import LAYOUT_COLUMNS, pattern_parts, with_sources
from guardian.matching.features.appearance_bytes import (
    APPEARANCE_BYTES,
    DIRECTIONS,
    GRADIENT_BINS,
    SLICES,
    Appearance,
)
from guardian.matching.features.local_shapes import mirrored_local_shapes

Places = NDArray[np.int64]
"""Numbers of the bytes of one part, in any shape."""


def with_mirror_image(rgb: NDArray[np.uint8]) -> tuple[Appearance, Appearance]:
    """Return the appearance of a picture, uint8 [h, w, 3] in sRGB, and that of its mirror image."""
    appearance, sources = with_sources(rgb)
    lab = np.ascontiguousarray(np.fliplr(sources.lab))
    figure = np.ascontiguousarray(np.fliplr(sources.figure))
    parts = {
        "layout": _mirrored_layout(appearance.part("layout")),
        "local_shapes": mirrored_local_shapes(sources.described),
        **pattern_parts(lab, figure),
    }
    mirrored = appearance.values[_ORDER]
    for name, part in parts.items():
        mirrored[SLICES[name]] = part
    return appearance, Appearance(mirrored)


def _mirrored_layout(layout: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a layout whose waves from left to right run the other way: those of odd numbers change their sign."""
    opposite = np.clip(256 - layout.astype(np.int64), 0, 255).astype(np.uint8)
    return np.where(LAYOUT_COLUMNS % 2 == 1, opposite, layout)


def _mirrored_order() -> NDArray[np.int64]:
    """Return which byte of a picture's appearance each byte of its mirror image is: int64 [APPEARANCE_BYTES]."""
    order = np.arange(APPEARANCE_BYTES)
    for name, exchanged in _EXCHANGED.items():
        order[SLICES[name]] = exchanged(order[SLICES[name]]).ravel()
    return order


def _edges(places: Places) -> Places:
    """Exchange the sides of 4 x 4 blocks, and the third and fourth kind of edges, the diagonals."""
    return places.reshape(-1, 4, 4)[[0, 1, 3, 2, 4], :, ::-1]


def _blocks(directions: int) -> Callable[[Places], Places]:
    """Return what exchanges the sides of 4 x 4 blocks, and directions with those that rise on the other side."""
    return lambda places: places.reshape(-1, directions, 4, 4)[:, _opposite(directions), :, ::-1]


def _opposite(directions: int) -> NDArray[np.int64]:
    """Return the number of each direction's mirror image; they divide half a turn, from 0 on."""
    return -np.arange(directions) % directions


_EXCHANGED: dict[str, Callable[[Places], Places]] = {
    "edges": _edges,
    "energies": _blocks(DIRECTIONS),
    "gradients": _blocks(GRADIENT_BINS),
    "spectrum": lambda places: places.reshape(-1, DIRECTIONS)[:, _opposite(DIRECTIONS)],
    "silhouette": lambda places: places.reshape(8, 8)[:, ::-1],
}
"""How the bytes of a part change places, where they do."""

_ORDER = _mirrored_order()
