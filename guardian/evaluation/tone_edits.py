"""Edits that turn tones round or draw a picture anew: negatives, sketches, double exposures.

Every function draws its strength from the generator that it is given.
"""

import cv2
import numpy as np

from guardian.evaluation.pictures import Picture, blended, clipped, covering

_PAPER = (250, 250, 248)


def film_negative(picture: Picture, generator: np.random.Generator) -> Picture:
    """Invert the tones under the orange mask of colour film, as a scanned negative shows them."""
    strength = generator.uniform(0.75, 1.0)
    mask = np.array([1.0, generator.uniform(0.55, 0.75), generator.uniform(0.3, 0.55)])
    floor = np.array([generator.uniform(20, 60), generator.uniform(5, 25), generator.uniform(0, 10)])
    inverted = 255.0 * ((255.0 - picture) / 255.0) ** generator.uniform(0.7, 1.3)
    return clipped(inverted * (1 - strength + strength * mask) + floor)


def luminance_inverted(picture: Picture, generator: np.random.Generator) -> Picture:
    """Invert the lightness alone and keep the hues, as dark modes do."""
    if generator.random() < 0.5:
        values = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        values[..., 0] = 255 - values[..., 0]
        return np.asarray(cv2.cvtColor(values, cv2.COLOR_LAB2RGB), np.uint8)

    # What CSS writes as invert(1) hue-rotate(180deg): every channel moves by the change of the mid-range.
    whole = picture.astype(np.int16)
    middle = whole.max(axis=2) + whole.min(axis=2)
    return clipped(whole + (255 - middle)[..., None])


def half_inverted(picture: Picture, generator: np.random.Generator) -> Picture:
    """Invert the tones of one half: beside, above or across the diagonal."""
    height, width = picture.shape[:2]
    down, across = np.mgrid[:height, :width]
    cut = generator.uniform(0.4, 0.6)
    sides = (across < cut * width, down < cut * height, across / width + down / height < 2 * cut)
    half = sides[int(generator.integers(0, 3))]
    if generator.random() < 0.5:
        half = ~half
    return np.where(half[..., None], 255 - picture, picture).astype(np.uint8)


def pencil_sketch(picture: Picture, generator: np.random.Generator) -> Picture:
    """Turn it into a drawing: shaded (the picture dodged with its own blurred negative), outlined, or hatched."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), generator.uniform(0.3, 2.0))
    kind, scale = int(generator.integers(0, 3)), max(grey.shape) / 640
    if kind == 0:
        blurred = cv2.GaussianBlur(255 - grey, (0, 0), generator.uniform(3, 10) * scale)
        drawn = 255 * (cv2.divide(grey, 255 - blurred, scale=256) / 255.0) ** generator.uniform(1.0, 2.5)
    else:
        block, level = 2 * int(generator.uniform(3, 9) * scale + 1) + 1, generator.uniform(2, 9)
        kept = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, level)
        drawn = cv2.GaussianBlur(kept, (0, 0), generator.uniform(0.4, 1.2)).astype(np.float64)
    if kind == 2:
        down, across = np.mgrid[: grey.shape[0], : grey.shape[1]]
        strokes = (across + down * generator.uniform(0.5, 1.5)) % int(generator.integers(4, 9)) < 2
        drawn[strokes & (grey < generator.uniform(70, 130))] *= 0.4

    grain = generator.normal(0, generator.uniform(0, 6), grey.shape)
    paper = np.array(_PAPER) if generator.random() < 0.6 else np.array([244, 236, 216])
    return clipped((drawn + grain)[..., None] / 255 * paper)


def double_exposed(picture: Picture, other: Picture, generator: np.random.Generator) -> Picture:
    """Lay another picture over it: mixed, screened or multiplied."""
    layer = covering(other, picture.shape[1], picture.shape[0]).astype(np.float32)
    kind, weight = int(generator.integers(0, 3)), generator.uniform(0.3, 0.55)
    if kind == 0:
        return blended(picture, layer, weight)
    if kind == 1:
        return clipped(255 - (255 - picture) * (255 - layer * (weight + 0.3)) / 255)
    return clipped(picture * (1 - weight - 0.3 + (weight + 0.3) * layer / 255))
