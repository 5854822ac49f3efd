"""Opens encoded pictures and loads their pixels: whole, as far as they go where they are cut off, or frame by frame."""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageFile, UnidentifiedImageError

from guardian.media import cut_off, tiff
from guardian.media.completeness import is_cut_off

Allow = Callable[[int, int], None]
"""Called with width and height before so much is decoded; raises when it is too large."""

_WITH_FRAMES = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")
"""Formats whose frames are all looked at; what else a JPEG holds (MPO) is the same picture once more."""

DECODER_ERRORS = (
    *(OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError),
    *(AssertionError, EOFError, struct.error, zlib.error),
)
"""What Pillow, tifffile and imagecodecs raise on damaged bytes: nearly anything, but not that memory is full."""

# An item of an AVIF that holds EXIF (ISO/IEC 14496-12, 8.11.6: version and flags, id, protection index, type).
_EXIF_ITEM = re.compile(rb"(infe\x02.......)Exif", re.DOTALL)

# What a picture that is cut off still shows is worth comparing: a truncated copy is a copy.
ImageFile.LOAD_TRUNCATED_IMAGES = True
# The limit is checked by hand before decoding; Pillow's own lets twice its number through.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Pixels of one picture, as they are stored. `size` is that of the whole; the pixels may be reduced already.

    `is_cut_off`: the file ends before the picture does. `rows`: so many of `size`, from the top, are there; None where
    the decoder does not say.
    """

    image: Image.Image
    size: tuple[int, int]
    is_cut_off: bool = False
    rows: int | None = None


class PictureFile:
    """An encoded picture, animation or document of pages.

    `format` is Pillow's name of it. `is_cut_off`: frames at the end are missing. Raises UnidentifiedImageError for what
    is none of `formats`, and what `allow` raises.
    """

    def __init__(self, content: bytes, formats: tuple[str, ...], allow: Allow) -> None:
        self._formats, self._allow = formats, allow
        self._content = content
        # None: only tifffile knows this TIFF, or too little is there for a decoder to open it.
        self._image = self._opened_somehow()
        self.format = (self._image.format if self._image is not None else _format_of(content)) or "?"
        if self._image is not None:
            allow(*self._image.size)
        self.is_cut_off = self.has_frames and is_cut_off(content)

    @property
    def has_frames(self) -> bool:
        """Whether there may be more than one frame or page."""
        if self._image is None:
            return self.format == "TIFF"
        return self.format in _WITH_FRAMES and bool(getattr(self._image, "is_animated", False))

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height as they are stored; None where no decoder could open the file yet."""
        return self._image.size if self._image is not None else None

    def still(self, longest: int) -> Loaded:
        """Load the only picture. A JPEG may come reduced, if its longer side stays at or above `longest` pixels.

        Raises what decoders raise.
        """
        if self._image is None:
            return self._page_loaded(0) if self.format == "TIFF" else self._part()
        if tiff.is_misread(self._image):
            return self._page_loaded(0)
        size = self._image.size
        try:
            with _strictly():
                return Loaded(_load(self._image, longest), size)
        except DECODER_ERRORS as error:
            return self._load_patiently(longest, error)

    def frame(self, number: int) -> Image.Image:
        """Return one frame of an animation, as it is shown, or one page of a TIFF, upright. The first is 0.

        Frames build on each other: they come fastest in their order. Raises IndexError after the last one, and what
        decoders raise.
        """
        if self.format == "TIFF":
            return self._page(number)
        assert self._image is not None
        try:
            self._image.seek(number)
        except EOFError as error:
            raise IndexError(number) from error
        # A GIF's frame may reach beyond the first one's canvas, which then grows.
        self._allow(*self._image.size)
        return self._image.convert("RGBA")

    def _opened(self, content: bytes) -> Image.Image:
        return Image.open(io.BytesIO(content), formats=list(self._formats))

    def _opened_somehow(self) -> Image.Image | None:
        """Open the file by Pillow, if need be without what hinders it; None where other ways are left."""
        try:
            return self._opened(self._content)
        except DECODER_ERRORS as error:
            if self._content.startswith(tiff.STARTS):
                return None

            # Pillow writes the EXIF of an AVIF anew, which not every block survives, and turns by other properties.
            others = [_EXIF_ITEM.sub(rb"\1none", self._content, count=1), cut_off.whole_frames(self._content)]
            for other in others:
                if other is not None and other != self._content:
                    try:
                        image = self._opened(other)
                    except DECODER_ERRORS:
                        continue
                    self._content = other
                    return image
            if cut_off.missing_bytes(self._content):
                return None
            raise UnidentifiedImageError(str(error)) from error

    def _load_patiently(self, longest: int, error: Exception) -> Loaded:
        """Load a damaged or cut-off picture as far as it goes. Raises `error` when it goes nowhere."""
        if self.format in ("WEBP", "AVIF"):
            if not cut_off.missing_bytes(self._content):
                raise error
            return self._part()

        image = self._opened(self._content)
        size = image.size
        try:
            return Loaded(_load(image, longest), size, is_cut_off="runcated" in str(error))
        except DECODER_ERRORS:
            if self.format != "TIFF":
                raise
            return self._page_loaded(0)

    def _part(self) -> Loaded:
        """Load what there is of a WebP or AVIF that is cut off."""
        part = cut_off.decoded_part(self._content, cut_off.missing_bytes(self._content), self._allow)
        if part is None:
            raise UnidentifiedImageError("too little is there")
        image, rows = part
        return Loaded(image, image.size, is_cut_off=True, rows=rows)

    def _page_loaded(self, number: int) -> Loaded:
        page = tiff.read_page(self._content, number, self._allow)
        return Loaded(page, page.size)

    def _page(self, number: int) -> Image.Image:
        """Return one page of a TIFF."""
        try:
            image = self._image if self._image is not None else self._opened(self._content)
            image.seek(number)
            if not tiff.is_misread(image):
                self._allow(*image.size)
                image.load()
                return image.copy()
        except EOFError as error:
            raise IndexError(number) from error
        except DECODER_ERRORS:
            # What Pillow does not know, tifffile may; the file is opened anew for the next page.
            self._image = None
        return tiff.read_page(self._content, number, self._allow)


def _load(image: Image.Image, longest: int) -> Image.Image:
    """Load an opened picture; a JPEG at 1/2, 1/4 or 1/8 where that leaves `longest` pixels of its longer side."""
    share = min(1.0, longest / max(image.size))
    # Asked for in the picture's own shape: a square would keep an oblong one at its full size.
    image.draft(None, (max(1, int(image.width * share)), max(1, int(image.height * share))))
    image.load()
    return image


@contextmanager
def _strictly() -> Iterator[None]:
    """Let Pillow raise for files that are cut off, which tells them from whole ones."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = True


def _format_of(content: bytes) -> str:
    if content.startswith(tiff.STARTS):
        return "TIFF"
    return "WEBP" if content[8:12] == b"WEBP" else "AVIF"
