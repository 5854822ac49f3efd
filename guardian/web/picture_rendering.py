"""Makes a small WebP of any picture. Runs in a worker process: decoders of hostile pictures crash."""

import io
import resource
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from guardian.errors import NotAnImage, OverLimit
from guardian.media import colour
from guardian.media.opening import DECODER_ERRORS, PictureFile
from guardian.media.orientation import orientation_of, upright

_READABLE = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
_MEMORY_BYTES = 3 * 1024**3
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is decoded at most: bytes of the file, pixels of the picture."""

    max_bytes: int
    max_pixels: int


def render(content: bytes, longest: int, frame: int | None, bounds: Bounds) -> bytes:
    """Return a picture as WebP, upright, without metadata, its longer side at most `longest` pixels.

    `frame`: which frame or page, counted from 1; the first where there is no such. Raises OverLimit, NotAnImage.
    """
    _bound_memory()
    if len(content) > bounds.max_bytes:
        raise OverLimit(f"{len(content)} bytes, allowed are {bounds.max_bytes}")

    def allow(width: int, height: int) -> None:
        if width * height > bounds.max_pixels:
            raise OverLimit(f"{width} x {height} pixels, allowed are {bounds.max_pixels}")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = PictureFile(content, _READABLE, allow)
            image = _frame_of(file, frame) if file.has_frames else file.still(longest).image
            return _encoded(image, file.format, longest)
    except (OverLimit, NotAnImage):
        raise
    except MemoryError as error:
        raise OverLimit("decoding needs more memory than is allowed") from error
    except (*DECODER_ERRORS, UnidentifiedImageError) as error:
        raise NotAnImage("cannot be decoded") from error


def _frame_of(file: PictureFile, frame: int | None) -> Image.Image:
    try:
        return file.frame((frame or 1) - 1)
    except IndexError:
        return file.frame(0)


def _encoded(image: Image.Image, file_format: str, longest: int) -> bytes:
    orientation = orientation_of(image.info, file_format)
    if max(image.size) > longest:
        info = image.info
        if image.mode in ("P", "1"):
            image = image.convert("RGBA" if "transparency" in info else "RGB")
        factor = longest / max(image.size)
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
        image.info = dict(info)

    # A new picture has the pixels alone: no place, no camera, no thumbnail of what was cropped.
    shown = upright(colour.srgb_of(image), orientation)
    clean = Image.frombytes("RGB", shown.size, shown.tobytes())
    written = io.BytesIO()
    clean.save(written, "WEBP", quality=_QUALITY, method=2)
    return written.getvalue()


def _bound_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
