"""Decoded pixels of any depth and colour space to eight-bit sRGB."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

WHITE, DARK = (255, 255, 255), (16, 16, 16)
"""Grounds on which transparent pictures are shown: that of most pages, and that of dark ones."""

_SRGB = ImageCms.createProfile("sRGB")
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I", "F")


def srgb_of(image: Image.Image, ground: tuple[int, int, int] = WHITE) -> Image.Image:
    """Return an image as RGB: profile applied, deep greys in eight bits, what is transparent on `ground`."""
    if image.mode in _DEEP_MODES:
        return Image.fromarray(eight_bits(np.asarray(image))).convert("RGB")

    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _to_srgb(image, profile)

    if is_transparent(image):
        layered = image.convert("RGBA")
        below = Image.new("RGBA", layered.size, (*ground, 255))
        return Image.alpha_composite(below, layered).convert("RGB")
    return image.convert("RGB")


def is_transparent(image: Image.Image) -> bool:
    """Return whether pixels of an image may let the ground through."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def eight_bits(values: NDArray[np.generic], *, most: float | None = None) -> NDArray[np.uint8]:
    """Scale numbers of any depth to uint8; what is not finite becomes black.

    `most` is the number that means white. Without it: for whole numbers the greatest of 10, 12 or 16 bits, whichever
    holds them, since cameras and scanners store 10 and 12 bits in files that say 16; else the greatest number there is.
    """
    numbers = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    if most is None:
        most = _greatest(numbers, is_whole=np.issubdtype(values.dtype, np.integer))
    return np.asarray((numbers.clip(0, most) * (255.0 / most)).astype(np.uint8))


def _greatest(numbers: NDArray[np.float32], *, is_whole: bool) -> float:
    """Return the number that means white in greys that do not say which it is."""
    found = float(numbers.max(initial=0)) or 1.0
    if is_whole and 255 < found <= 65535:
        return float(next(most for most in (1023, 4095, 65535) if found <= most))
    return found


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Apply the embedded profile; a broken or mismatched one is ignored, as browsers do."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        plain = image.convert("RGB") if image.mode == "RGBA" else image
        converted = ImageCms.profileToProfile(plain, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
