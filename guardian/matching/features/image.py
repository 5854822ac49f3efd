"""Encoded bytes to upright sRGB pixels, safely: limits first, then orientation, colour, alpha and frames."""

import io
import warnings
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from guardian.errors import NotAnImage, OverLimit, TooPlain, TooSmall
from guardian.matching.profiles import profile_of
from guardian.matching.settings import MatchingSettings

READABLE = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
"""Formats that are decoded, by Pillow's names (JPEG includes MPO, that of stereo cameras and phones)."""

MIN_SIDE = 24
"""Pixels; smaller pictures (icons, spacers) look alike everywhere."""

MIN_DEVIATION = 3.0
MIN_EDGE = 0.6
"""Grey levels: deviation of the whole, mean step between neighbours at 64 x 64. Below both: a plain surface."""

MAX_BLANK = 8
"""Levels of 255: a surface that differs no more than this in any channel is blank."""

# What a picture that is cut off still shows is worth comparing: a truncated copy is a copy.
ImageFile.LOAD_TRUNCATED_IMAGES = True
# The limit is checked by hand before decoding; Pillow's own lets twice its number through.
Image.MAX_IMAGE_PIXELS = None

_SRGB = ImageCms.createProfile("sRGB")

_KNOWN_UNREADABLE = (
    (b"%PDF", "a PDF document; extract its pictures first"),
    (b"8BPS", "a Photoshop document; export it as TIFF or PNG"),
    (b"<svg", "an SVG drawing; render it as PNG"),
    (b"<?xml", "an XML document (SVG?); render it as PNG"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim")


_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")


@dataclass(frozen=True)
class Picture:
    """Upright sRGB pixels. `rgb` is uint8 [height, width, 3], reduced so that neither side passes the
    profile's working side.

    `width` and `height` are those of the full upright picture.
    """

    rgb: NDArray[np.uint8]
    width: int
    height: int
    format: str

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """uint8 [height, width]: luma (ITU-R 601) of `rgb`, computed once."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def is_animation(content: bytes) -> bool:
    """Return whether a picture that `decode` accepts has several frames, so that one of them is not all of it."""
    with Image.open(io.BytesIO(content)) as image:
        return image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1


def decode(content: bytes, settings: MatchingSettings) -> Picture:
    """Decode one picture; of an animation, the frame that shows most.

    Raises OverLimit (bytes, pixels, frames), NotAnImage (with what it seems to be), TooPlain.
    """
    if len(content) > settings.max_bytes:
        raise OverLimit(f"{len(content)} bytes, allowed are {settings.max_bytes} (matching.max_bytes)")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _decoded(content, settings)
    except (NotAnImage, OverLimit):
        raise
    except MemoryError as error:
        raise OverLimit("decoding needs more memory than a worker may have (matching.max_memory)") from error
    # Pillow's decoders raise nearly anything on hostile bytes (struct.error, KeyError, SyntaxError, ...).
    except Exception as error:
        raise NotAnImage(f"cannot be decoded: {error or type(error).__name__}") from error

    _refuse_plain(picture)
    return picture


def _decoded(content: bytes, settings: MatchingSettings) -> Picture:
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=list(READABLE))
    except UnidentifiedImageError as error:
        raise NotAnImage(_what_it_seems(content)) from error

    _refuse_large(image, settings)
    frames = getattr(image, "n_frames", 1)
    if frames > settings.max_frames:
        raise OverLimit(f"{frames} frames, allowed are {settings.max_frames} (matching.max_frames)")

    name = image.format or "?"
    if frames > 1 and name in _ANIMATED:
        image = _richest_frame(image, frames, settings)

    width, height = image.size
    # JPEG decodes at 1/2, 1/4 or 1/8 directly: a fraction of the time of the full size.
    # Asked for in the picture's own shape: a square would keep an oblong one at its full size.
    side = profile_of(settings).working_side
    share = min(1.0, side / max(width, height))
    image.draft(None, (max(1, int(width * share)), max(1, int(height * share))))
    image.load()
    if max(image.size) > side:
        image = _reduced(image, side)

    # Asked only now: Pillow's TIFF decoder has turned picture and size by itself, the others leave it to us.
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    rgb = np.asarray(_rgb(ImageOps.exif_transpose(image)), dtype=np.uint8)
    if turned:
        width, height = height, width
    return Picture(np.ascontiguousarray(rgb), width, height, name)


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Shrink before colour is converted: twelve megapixels cost little more than four."""
    exif = image.getexif()
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    factor = side / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    info = image.info
    smaller = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    smaller.info = {**info, "exif": exif.tobytes()}
    return smaller


def _refuse_large(image: Image.Image, settings: MatchingSettings) -> None:
    width, height = image.size
    if width * height > settings.max_pixels:
        raise OverLimit(f"{width} x {height} pixels, allowed are {settings.max_pixels} (matching.max_pixels)")


def _richest_frame(image: Image.Image, frames: int, settings: MatchingSettings) -> Image.Image:
    """Return the most detailed of a few frames: many animations begin with an empty one.

    Frames build on each other, so all before are decoded too; of large ones only so many as hold max_pixels.
    """
    farthest = settings.max_pixels // (image.width * image.height)
    wanted = {number for number in (0, 1, frames // 4, frames // 2) if number <= farthest}

    best, most = None, -1.0
    for number in range(max(wanted) + 1):
        image.seek(number)
        # A GIF's frame may reach beyond the first one's canvas, which then grows.
        _refuse_large(image, settings)
        if number not in wanted:
            continue

        frame = image.convert("RGBA")
        detail = float(np.asarray(frame.convert("L").resize((64, 64)), dtype=np.float32).std())
        if detail > most * 1.25:
            best, most = frame, detail

    if best is None:
        raise NotAnImage("an animation without a readable frame")
    return best


def _rgb(image: Image.Image) -> Image.Image:
    """Convert to eight-bit sRGB: profile applied, sixteen bits scaled down, alpha laid over white."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I", "F"):
        return _eight_bits(image).convert("RGB")

    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _to_srgb(image, profile)

    # Browsers show what is transparent on white, so that is what people see and copy.
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    top = 65535.0 if image.mode.startswith("I") and values.max(initial=0) > 255 else float(values.max(initial=0)) or 1.0
    return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))


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


def _refuse_plain(picture: Picture) -> None:
    """Raise TooPlain for what cannot be told from anything else: icons, spacers, blank or nearly blank surfaces."""
    if min(picture.width, picture.height) < MIN_SIDE:
        raise TooSmall(f"{picture.width} x {picture.height} pixels; at least {MIN_SIDE} on each side are needed")
    tile = cv2.resize(picture.grey, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    edge = float((np.abs(np.diff(tile, axis=0)).mean() + np.abs(np.diff(tile, axis=1)).mean()) / 2)
    if float(tile.std()) < MIN_DEVIATION or edge < MIN_EDGE:
        # Noise of compression makes no difference of more than a few levels; what a person drew does.
        is_blank = int(np.ptp(picture.rgb, axis=(0, 1)).max()) <= MAX_BLANK
        size = None if is_blank else (picture.width, picture.height)
        raise TooPlain("too plain: a nearly even surface that could be anybody's", size)


def _what_it_seems(content: bytes) -> str:
    start = content[:512].lstrip()
    if not content:
        return "the file is empty"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return "a HEIC/HEIF picture; convert it to JPEG or AVIF"
    for magic, name in _KNOWN_UNREADABLE:
        if start.startswith(magic):
            return name
    return "no picture in a known format (" + ", ".join(READABLE) + ")"
