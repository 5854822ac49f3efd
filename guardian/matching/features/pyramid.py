"""A grey picture at several sizes, from which any part can be read at any scale without aliasing."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

# OpenCV counts pixels by their centres, matrices of pictures by their edges: half a pixel there and back.
_HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
_HALF_BACK = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
_HALVED = np.diag([0.5, 0.5, 1.0])


class Pyramid:
    """A grey picture at full and at halved sizes; `width` and `height` are those of the picture it stands for."""

    def __init__(self, grey: NDArray[np.uint8], width: int, height: int) -> None:
        self.width, self.height = width, height
        self._levels = [grey]
        while max(self._levels[-1].shape) > 64:
            self._levels.append(np.asarray(cv2.pyrDown(self._levels[-1]), dtype=np.uint8))
        self._to_levels = [_HALF_BACK @ np.diag([grey.shape[1] / width, grey.shape[0] / height, 1.0])]
        while len(self._to_levels) < len(self._levels):
            # Not of half the size to the edge: pixel i of the halved level is centred on pixel 2i, whatever its parity.
            self._to_levels.append(_HALVED @ self._to_levels[-1])

    def __reduce__(self) -> tuple[type["Pyramid"], tuple[NDArray[np.uint8], int, int]]:
        # Only the largest level travels between processes; the halved ones are made of it, bit by bit the same.
        return Pyramid, (self.grey, self.width, self.height)

    @property
    def grey(self) -> NDArray[np.uint8]:
        """uint8 [h, w]: the largest level."""
        return self._levels[0]

    def sample(
        self, to_picture: NDArray[np.float64], size: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], tuple[int, int]]:
        """Read float32 grey [h, w] of `size` (w, h); `to_picture` (3x3) maps output pixels to picture pixels.

        Returns also the 3x3 matrix to the pixels of the level that was read, and that level's width and height: what
        lies outside of it is not visible.
        """
        grey, to_level, level = self.read(to_picture, size)
        return grey.astype(np.float32), to_level, level

    def read(
        self, to_picture: NDArray[np.float64], size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], tuple[int, int]]:
        """Return what `sample` does, with the grey as uint8."""
        number = self._level_at(to_picture, size)
        level = self._levels[number]
        height, width = level.shape
        to_level = self._to_levels[number] @ to_picture @ _HALF

        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if to_level[2, 0] == 0 and to_level[2, 1] == 0:
            grey = cv2.warpAffine(level, to_level[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        else:
            grey = cv2.warpPerspective(level, to_level, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(grey, np.uint8), to_level, (width, height)

    def _level_at(self, to_picture: NDArray[np.float64], size: tuple[int, int]) -> int:
        """Return the level whose pixels are about as large as those that are read, in the middle of what is read."""
        (a, b, c), (d, e, f), (g, h, i) = to_picture.tolist()
        determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
        depth = g * size[0] / 2 + h * size[1] / 2 + i
        step = math.sqrt(abs(determinant) / max(abs(depth) ** 3, 1e-12)) * self._levels[0].shape[1] / self.width

        # A level may be up to 1.6 times as fine as is asked for: a coarser one would blur what is compared.
        return min(len(self._levels) - 1, max(0, math.floor(math.log2(max(step, 1e-6)) + 0.3)))
