"""Colours that are asked for: their names, and how much of them a picture shows."""

import re
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from guardian.errors import UsageError
from guardian.matching.features.appearance_bytes import SLICES
from guardian.matching.features.colour_shares import COLOUR_CELLS, colour_cells
from guardian.search.question import WantedColour

_NEAR = 9.0
"""Deviation, in CIE Lab, of what people still call the same colour."""

_MUCH = 0.25
"""Share of the area that counts as much of a colour where no share was asked for."""

_OF_EACH = 0.1
"""How much each colour counts for itself, beside all of them together: traces of a colour would decide otherwise."""

_BLOCK = 1 << 16

NAMED = {
    "black": "#101010",
    "grey": "#808080",
    "white": "#f4f4f4",
    "red": "#c82020",
    "orange": "#e8821e",
    "yellow": "#e8d52a",
    "green": "#3c9a3c",
    "blue": "#2a5cc0",
    "purple": "#7a3c9a",
    "pink": "#e88ab0",
    "brown": "#6e4a2a",
}
"""The eleven basic colour terms (Berlin and Kay, 1969), by which results are grouped."""


def wanted_colour(text: str) -> WantedColour:
    """Read `#c03`, `navy` or `navy:40%`. Raises UsageError for what is no colour, or no share."""
    name, _, share_text = text.partition(":")
    try:
        rgb = ImageColor.getrgb(name.strip().lower())[:3]
    except ValueError as error:
        raise UsageError(f"colour {text!r}: write #c03, #cc0033 or a name such as navy") from error
    if not share_text:
        return WantedColour(name.strip(), (rgb[0], rgb[1], rgb[2]))

    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", share_text)
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share <= 1:
        raise UsageError(f"colour {text!r}: a share is written as {name}:40%, more than 0 and at most 100")
    return WantedColour(name.strip(), (rgb[0], rgb[1], rgb[2]), share)


def shares_of(appearances: NDArray[np.uint8], colour: WantedColour) -> NDArray[np.float32]:
    """Return which share (0-1) of each picture has about this colour, float32 [n]."""
    weights = _nearness(colour)
    cells = np.flatnonzero(weights > 0.01)
    flat, edge = SLICES["flat_colours"].start + cells, SLICES["edge_colours"].start + cells

    shares = np.empty(len(appearances), dtype=np.float32)
    for start in range(0, len(appearances), _BLOCK):
        block = appearances[start : start + _BLOCK]
        # A byte holds the square root of a share.
        roots = [block[:, places].astype(np.float32) / 255 for places in (flat, edge)]
        shares[start : start + _BLOCK] = sum(root**2 @ weights[cells] for root in roots)
    return np.minimum(shares, 1)


def scores_of(
    appearances: NDArray[np.uint8], colours: Sequence[WantedColour]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how well pictures show all these colours (0-1), float32 [n], and the share of each, [colours, n].

    Of pictures with traces of one of the colours, those with more of the others are better; 0 is one without it.
    """
    shares = np.stack([shares_of(appearances, colour) for colour in colours])
    fits = np.stack([_fit(share, colour) for share, colour in zip(shares, colours, strict=True)])
    together = fits.prod(axis=0)
    scores = (1 - _OF_EACH) * together + _OF_EACH * fits.mean(axis=0)
    return np.where(together > 0, scores, 0).astype(np.float32), shares


def _fit(shares: NDArray[np.float32], colour: WantedColour) -> NDArray[np.float32]:
    """Return how near shares of pictures, float32 [n], come to what is wanted of a colour: 0-1."""
    if colour.share is None:
        return shares / (shares + _MUCH)
    # Half as much and twice as much are equally far from what was asked for.
    nearer = np.minimum(shares, colour.share) / np.maximum(shares, colour.share)
    return np.asarray(nearer, dtype=np.float32)


def main_colours(appearances: NDArray[np.uint8]) -> list[str]:
    """Return for each picture which of the named colours most of it has."""
    shares = np.stack([shares_of(appearances, wanted_colour(code)) for code in NAMED.values()])
    names = list(NAMED)
    return [names[int(place)] for place in shares.argmax(axis=0)]


def _nearness(colour: WantedColour) -> NDArray[np.float32]:
    """Return how far each colour cell counts as this colour, float32 [COLOUR_CELLS]: 1 for its own.

    Cells are soft: a pixel of this very colour is spread over up to eight, which all have to count.
    """
    rgb = np.array([[colour.rgb]], dtype=np.float32) / 255
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), dtype=np.float32).reshape(3)

    offsets = np.random.default_rng(0).normal(0, _NEAR, (200, 3)) * (1.5, 1, 1)
    around = np.concatenate([lab[None], lab + offsets]).astype(np.float32)
    around[:, 0] = around[:, 0].clip(0, 100)
    cells, weights = colour_cells(around)

    nearness = np.bincount(cells.ravel(), weights.ravel(), minlength=COLOUR_CELLS)
    own = float(nearness[cells[0]] @ weights[0])
    return np.minimum(nearness / max(own, 1e-6), 1).astype(np.float32)
