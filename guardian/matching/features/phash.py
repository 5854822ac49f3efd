"""The published perceptual hash of assets and candidates: pHash, which other tools compute and compare as well.

Nothing is searched or decided by it. What guardian searches by is in hashing.py: four times as many bits, in all
orientations.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LEAST_SIDE = 256
"""Pixels of the shorter side that are kept when a large picture is reduced before it is hashed."""


def phash(grey: NDArray[np.uint8]) -> str:
    """Return the 64-bit pHash of a picture as 16 hexadecimal digits, as `imagehash.phash` writes it.

    `grey`: uint8 [h, w], the upright picture as luma (ITU-R 601) of its sRGB pixels. After Krawetz, "Looks Like It"
    (2011): shrunk to 32 x 32, the signs of the 8 x 8 lowest DCT coefficients about their median. Two pictures are
    compared by the number of bits that differ; 10 or fewer usually mean the same picture.
    """
    # With SciPy's transforms behind it, loading takes a tenth of a second: the first picture pays, not every start.
    import imagehash

    picture = Image.fromarray(grey)
    # Whole pixels are averaged first: to filter millions of them would cost ten times as much, for hardly a bit.
    factor = min(picture.size) // _LEAST_SIDE
    return str(imagehash.phash(picture.reduce(factor) if factor > 1 else picture))
