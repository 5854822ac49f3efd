"""What every edit is made of: the type of a picture, resizing, cutting, saving, and what is still recognisable."""

import io
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guardian.errors import NotRecognisable

Picture = NDArray[np.uint8]
"""uint8 [h, w, 3], sRGB"""

Edit = Callable[[Picture, np.random.Generator, Sequence[Picture]], Picture]
"""picture, generator, other pictures (hosts and neighbours) -> edited picture"""

Colour = tuple[int, int, int]

_LOOKED_AT = 256
"""Longer side in pixels at which structure is counted: finer grain is noise to a person."""

_EDGE = 12.0
"""Grey levels a pixel by which an edge must rise or fall to be seen."""

_SIDE_OF_GRID = 8
_EDGES_IN_CELL = 0.04
_CELLS_WITH_EDGES = 10
_SMALLEST_PART = 48
_TRIES = 12


def recompressed(picture: Picture, quality: int) -> Picture:
    """Return the picture after saving as JPEG and reading it back."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return pixels_of(Image.open(buffer))


def resized(picture: Picture, width: float, height: float) -> Picture:
    """Shrink by area, or enlarge by cubic interpolation; sizes in pixels."""
    method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (max(1, int(width)), max(1, int(height))), interpolation=method), np.uint8)


def shrunk(picture: Picture, longer_side: int) -> Picture:
    """Resize so that the longer side has so many pixels."""
    factor = longer_side / max(picture.shape[:2])
    return resized(picture, picture.shape[1] * factor, picture.shape[0] * factor)


def covering(picture: Picture, width: int, height: int) -> Picture:
    """Resize and cut evenly so that the picture fills `width` x `height` pixels, as a web page's `cover` does."""
    factor = max(width / picture.shape[1], height / picture.shape[0])
    scaled = resized(picture, np.ceil(picture.shape[1] * factor), np.ceil(picture.shape[0] * factor))
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[max(0, top) : max(0, top) + height, max(0, left) : max(0, left) + width]


def cropped(picture: Picture, generator: np.random.Generator, share: float) -> Picture:
    """Cut out a random part that holds `share` of the area."""
    height, width = picture.shape[:2]
    shape = np.exp(generator.uniform(-0.25, 0.25))
    tall = min(height, int(height * np.sqrt(share / shape)))
    wide = min(width, int(width * share * height / max(1, tall)))
    left, top = generator.integers(0, width - wide + 1), generator.integers(0, height - tall + 1)
    return picture[top : top + tall, left : left + wide]


def recognisable_part(
    picture: Picture, generator: np.random.Generator, boxes: Sequence[tuple[int, int, int, int]]
) -> Picture:
    """Cut out one of the boxes (left, top, right, bottom), drawn at random among those that show enough.

    Raises NotRecognisable when a dozen draws show nothing: a ninth of the sky is nobody's picture.
    """
    for number in generator.permutation(len(boxes))[:_TRIES]:
        left, top, right, bottom = boxes[int(number)]
        part = picture[top:bottom, left:right]
        if is_recognisable(part):
            return part
    raise NotRecognisable("no part of that size shows enough")


def is_recognisable(picture: Picture, shown: NDArray[np.uint8] | None = None) -> bool:
    """Return whether a person could tell by its structure which picture this is a part of.

    `shown`: uint8 [h, w], 0 where the picture is covered. At least ten of 8 x 8 cells must hold visible edges.
    """
    if min(picture.shape[:2]) < _SMALLEST_PART:
        return False

    factor = min(1.0, _LOOKED_AT / max(picture.shape[:2]))
    grey = cv2.cvtColor(resized(picture, picture.shape[1] * factor, picture.shape[0] * factor), cv2.COLOR_RGB2GRAY)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0) / 4, cv2.Sobel(grey, cv2.CV_32F, 0, 1) / 4
    edges = (np.hypot(across, down) > _EDGE).astype(np.float32)
    if shown is not None:
        edges *= cv2.resize(shown, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_AREA) > 127

    cells = cv2.resize(edges, (_SIDE_OF_GRID, _SIDE_OF_GRID), interpolation=cv2.INTER_AREA)
    return int((cells > _EDGES_IN_CELL).sum()) >= _CELLS_WITH_EDGES


def blended(picture: Picture, layer: NDArray[np.generic] | Colour, alpha: NDArray[np.floating] | float) -> Picture:
    """Lay a picture or a colour over another; `alpha` (0-1) is one number, or one for each pixel [h, w]."""
    weight = alpha[..., None] if isinstance(alpha, np.ndarray) else alpha
    return clipped(picture * (1.0 - weight) + np.asarray(layer, np.float32) * weight)


def clipped(values: NDArray[np.generic]) -> Picture:
    """Return values of any type as a picture, cut off at 0 and 255."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def pixels_of(image: Image.Image) -> Picture:
    """Return the pixels of an image, whatever its mode."""
    return np.array(image.convert("RGB"), dtype=np.uint8)


def colour_of(generator: np.random.Generator) -> Colour:
    """Draw any colour."""
    red, green, blue = (int(part) for part in generator.integers(0, 256, 3))
    return red, green, blue
