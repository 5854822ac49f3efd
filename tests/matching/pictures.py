"""Pictures for the tests of matching: photographs that packages ship, drawn ones, and their bytes."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from demo.photographs import DISTRACTORS, PROTECTED, opened

Pixels = NDArray[np.uint8]
_BY_NAME = {photograph.name: photograph for photograph in (*PROTECTED, *DISTRACTORS)}


@lru_cache(maxsize=64)
def photograph(name: str, longer_side: int = 640) -> Pixels:
    """uint8 [h, w, 3]; read-only, because it is shared."""
    image = opened(_BY_NAME[name])
    image.thumbnail((longer_side, longer_side), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    pixels.flags.writeable = False
    return pixels


def encoded(picture: Pixels | Image.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002 - Pillow's name
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    if format == "PNG":
        # The same pixels in a third of the time.
        options.setdefault("compress_level", 1)
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noise(seed: int, width: int = 320, height: int = 240) -> Pixels:
    """Independent grey levels."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def clouds(seed: int, width: int = 480, height: int = 360, roughness: float = 1.6) -> Pixels:
    """Coloured fractal noise with the spectrum of a landscape."""
    generator = np.random.default_rng(seed)
    down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    falling = 1 / np.maximum(np.hypot(down, across), 1 / max(width, height)) ** roughness
    waves = np.fft.fft2(generator.normal(size=(3, height, width))) * falling
    values = np.real(np.fft.ifft2(waves)).transpose(1, 2, 0)
    low, high = np.percentile(values, (1, 99))
    return np.asarray(((values - low) / (high - low)).clip(0, 1) * 255, dtype=np.uint8)


def drawing(seed: int, width: int = 480, height: int = 360, shapes: int = 60) -> Pixels:
    """Ellipses, boxes, lines and words in many colours, slightly blurred."""
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), tuple(int(part) for part in generator.integers(0, 256, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(shapes):
        colour = tuple(int(part) for part in generator.integers(0, 256, 3))
        x, y = int(generator.integers(-20, width)), int(generator.integers(-20, height))
        wide, tall = (int(part) for part in generator.integers(8, width // 3, 2))
        kind = int(generator.integers(0, 4))
        if kind == 0:
            draw.ellipse((x, y, x + wide, y + tall), fill=colour)
        elif kind == 1:
            draw.rectangle((x, y, x + wide, y + tall), fill=colour)
        elif kind == 2:
            draw.line((x, y, x + wide, y + tall - width // 6), fill=colour, width=int(generator.integers(1, 9)))
        else:
            draw.text((x, y), "".join(chr(97 + letter) for letter in generator.integers(0, 26, 8)), fill=colour)
    return np.array(image.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.uint8)
