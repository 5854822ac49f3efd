"""Edits that cut the subject out of a picture and put it on another ground.

Every function draws its strength and place from the generator that it is given, or raises NotRecognisable.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import NotRecognisable
from guardian.evaluation.pictures import Picture, blended, clipped, is_recognisable, resized

_DARK = (16, 16, 20)


def subject_mask(picture: Picture, generator: np.random.Generator) -> NDArray[np.float32]:
    """Return where the subject is, float32 [h, w] from 0 to 1, soft at its outline.

    The subject is what differs from the picture's border; where that says little, a piece cut out freely by scissors.
    """
    height, width = picture.shape[:2]
    factor = 128 / max(height, width)
    small = resized(picture, width * factor, height * factor)
    values = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate([values[:3:2, ::6], values[-1:, ::6]], axis=None).reshape(-1, 3)
    sides = np.concatenate([values[::6, :1], values[::6, -1:]], axis=None).reshape(-1, 3)
    samples = np.concatenate([border, sides])
    # Squared distances to the nearest colour of the border, by |a|^2 - 2ab + |b|^2.
    flat = values.reshape(-1, 3)
    squares = (flat**2).sum(1)[:, None] - 2 * flat @ samples.T + (samples**2).sum(1)[None]
    unlike = np.sqrt(np.maximum(0, squares.min(axis=1))).reshape(values.shape[:2])
    _, mask = cv2.threshold(clipped(unlike * 2), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count > 1:
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        outlines, _ = cv2.findContours((labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        mask = cv2.drawContours(np.zeros_like(mask), outlines, -1, 255, cv2.FILLED)
    if not 0.12 < mask.mean() / 255 < 0.6:
        mask = free_outline(mask.shape, generator)
    # Smoothed while small, then made steep again: the outline neither shows the small mask's steps nor fades.
    smooth = cv2.GaussianBlur(mask, (0, 0), 2.0).astype(np.float32)
    large = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(((large - 127) / 60 + 0.5).clip(0, 1), np.float32)


def free_outline(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a piece with a wavy outline around a place near the middle: uint8 [h, w]."""
    height, width = shape[:2]
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones(72)
    for wave in range(2, 7):
        radius += generator.uniform(-0.25, 0.25) / (wave - 1) * np.cos(wave * angles + generator.uniform(0, 2 * np.pi))
    reach = radius * generator.uniform(0.32, 0.45)
    middle = (generator.uniform(0.42, 0.58) * width, generator.uniform(0.42, 0.58) * height)
    outline = np.stack(
        [middle[0] + reach * width * np.cos(angles), middle[1] + reach * height * np.sin(angles)], axis=1
    )
    return np.asarray(cv2.fillPoly(np.zeros((height, width), np.uint8), [outline.astype(np.int32)], 255), np.uint8)


def cut_out(picture: Picture, host: Picture, generator: np.random.Generator) -> Picture:
    """Put the subject without its ground on another background."""
    mask = subject_mask(picture, generator)
    rows, columns = np.nonzero(mask > 0.5)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    subject, shape = picture[top:bottom, left:right], mask[top:bottom, left:right]
    if not is_recognisable(subject, (shape * 255).astype(np.uint8)):
        raise NotRecognisable("the subject alone shows too little")

    size = int(generator.integers(500, 900))
    factor = size / max(host.shape[:2])
    ground = resized(host, host.shape[1] * factor, host.shape[0] * factor)
    tall, wide = ground.shape[:2]
    factor = generator.uniform(0.45, 0.95) * min(tall / subject.shape[0], wide / subject.shape[1])
    subject = resized(subject, subject.shape[1] * factor, subject.shape[0] * factor)
    shape = np.asarray(cv2.resize(shape, subject.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    y = int(generator.integers(0, tall - subject.shape[0] + 1))
    x = int(generator.integers(0, wide - subject.shape[1] + 1))
    out = ground.copy()
    place = out[y : y + subject.shape[0], x : x + subject.shape[1]]
    place[:] = blended(place, subject, shape)
    return out


def on_dark(picture: Picture, generator: np.random.Generator) -> Picture:
    """Cut the subject out of its light ground and put it on a dark one, the tones of line art turned round with it."""
    mask = subject_mask(picture, generator)
    if not is_recognisable(picture, (mask * 255).astype(np.uint8)):
        raise NotRecognisable("the subject alone shows too little")
    dark = np.array(_DARK) + generator.integers(0, 40, 3)
    # Dark drawings vanish on a dark ground: people turn their tones round, and leave photographs as they are.
    is_drawn = float(np.median(picture)) > 200
    return blended(np.broadcast_to(dark, picture.shape), 255 - picture if is_drawn else picture, mask)
