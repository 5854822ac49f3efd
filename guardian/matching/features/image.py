"""Encoded bytes to upright sRGB pixels, safely: limits first, then frames, orientation, colour and alpha."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from guardian.errors import NotAnImage, OverLimit, TooPlain, TooSmall, Unmatchable
from guardian.matching.features import hashing
from guardian.matching.profiles import elongation, profile_of
from guardian.matching.settings import MatchingSettings
from guardian.media import colour, frames
from guardian.media.opening import DECODER_ERRORS, Loaded, PictureFile
from guardian.media.orientation import is_turned, orientation_of, upright
from guardian.media.refused import what_it_seems
from guardian.model import NotCompared, NotComparedReason

READABLE = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
"""Formats that are decoded, by Pillow's names (JPEG includes MPO, that of stereo cameras and phones)."""

MIN_SIDE = 24
"""Pixels; smaller pictures (icons, spacers) look alike everywhere."""

MIN_DEVIATION = 3.0
MIN_EDGE = 0.6
"""Grey levels: deviation of the whole, mean step between neighbours at 64 x 64. Below both: a plain surface."""

MAX_BLANK = 8
"""Levels of 255: a surface that differs no more than this in any channel is blank."""

LOOKING_SHARE = 0.15
"""Of `matching.timeout`: CPU time after which no more frames of an animation are looked at."""

# A frame, or a ground below a transparent picture, shows more than another from this ratio of their details on.
_CLEARLY_MORE = 1.25


@dataclass(frozen=True)
class Picture:
    """Upright sRGB pixels. `rgb` is uint8 [height, width, 3], reduced so that neither side passes the
    profile's working side.

    `width` and `height` are those of the full upright picture. `frame`: which one of an animation's frames, or of a
    document's pages, this is, counted from 1; None where there is only one. `on_dark`: what is transparent lies on a
    dark ground instead of white.
    """

    rgb: NDArray[np.uint8]
    width: int
    height: int
    format: str
    frame: int | None = None
    on_dark: bool = False

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """uint8 [height, width]: luma (ITU-R 601) of `rgb`, computed once."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    @cached_property
    def tile(self) -> NDArray[np.float32]:
        """float32 [64, 64]: the grey as it is hashed, computed once."""
        return hashing.tile(self.grey)

    @cached_property
    def detail(self) -> float:
        """How much it shows: the deviation of its grey levels at 64 x 64."""
        return float(self.tile.std())


@dataclass(frozen=True)
class Decoded:
    """What of a file is compared: at least one picture, in the file's order, and what of it is not."""

    pictures: tuple[Picture, ...]
    not_compared: tuple[NotCompared, ...] = ()

    @property
    def shows_several(self) -> bool:
        """Whether frames differ, so that one of them is not all of the file."""
        return len({picture.frame for picture in self.pictures}) > 1

    @property
    def richest(self) -> Picture:
        """The picture that shows most: many animations begin with an empty one. The first of equals, if not on dark."""
        usual = [picture for picture in self.pictures if not picture.on_dark] or list(self.pictures)
        best = usual[0]
        for picture in usual[1:]:
            if picture.detail > best.detail * _CLEARLY_MORE:
                best = picture
        return best


def decode(content: bytes, settings: MatchingSettings) -> Picture:
    """Decode one picture; of an animation, the frame that shows most. Raises what `decode_all` raises."""
    return decode_all(content, settings).richest


def decode_all(content: bytes, settings: MatchingSettings) -> Decoded:
    """Decode a picture, or the frames of an animation or pages of a TIFF that differ.

    A transparent picture that shows clearly more on a dark ground comes in both ways. Raises OverLimit (bytes, pixels),
    NotAnImage (with what it seems to be), TooPlain, TooSmall when that is so of every frame.
    """
    if len(content) > settings.max_bytes:
        raise OverLimit(f"{len(content)} bytes, allowed are {settings.max_bytes} (matching.max_bytes)")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = PictureFile(content, READABLE, lambda width, height: _refuse_large(width, height, settings))
            if file.has_frames:
                return _frames_decoded(file, settings)
            return _still_decoded(file, settings)
    except Unmatchable:
        raise
    except UnidentifiedImageError as error:
        raise NotAnImage(what_it_seems(content, READABLE)) from error
    except MemoryError as error:
        raise OverLimit("decoding needs more memory than a worker may have (matching.max_memory)") from error
    # Decoders raise nearly anything on hostile bytes (struct.error, KeyError, SyntaxError, ...).
    except Exception as error:
        raise NotAnImage(f"cannot be decoded: {error or type(error).__name__}") from error


def _still_decoded(file: PictureFile, settings: MatchingSettings) -> Decoded:
    loaded = file.still(_working_side(*(file.size or (1, 1)), settings))
    pictures = _pictures_of(loaded.image, loaded.size, file.format, None, settings)
    if not loaded.is_cut_off:
        return Decoded(_not_plain(pictures))

    missing = _cut_off(loaded, pictures[0])
    try:
        return Decoded(_not_plain(pictures), () if missing is None else (missing,))
    except TooSmall:
        raise
    except TooPlain as error:
        raise TooPlain("the file is cut off, and what is there is too plain", error.size) from error


def _cut_off(loaded: Loaded, picture: Picture) -> NotCompared | None:
    """Say how much of a picture that is cut off is there; None when no row is missing, but an end mark or detail."""
    share = loaded.rows / loaded.size[1] if loaded.rows is not None else _share_of_rows(picture)
    if share >= 0.995:
        return None
    return NotCompared(
        NotComparedReason.CUT_OFF, f"the file is cut off: about {share * 100:.0f} % of its rows are there"
    )


def _share_of_rows(picture: Picture) -> float:
    """Return the share (0-1) of rows above the even colour that a decoder leaves where a file has ended."""
    other = (picture.rgb != picture.rgb[-1, -1]).any(axis=(1, 2))
    return float(np.flatnonzero(other)[-1] + 1) / len(other) if other.any() else 0.0


def _frames_decoded(file: PictureFile, settings: MatchingSettings) -> Decoded:
    """Decode the frames that differ, within the bounds of frames, pixels and CPU time."""
    seen = _look_through(file, settings)
    if not seen.numbers:
        raise seen.problem or NotAnImage("an animation without a readable frame")

    most = profile_of(settings).frames
    unlike = frames.DIFFERENT_PAGES if file.format == "TIFF" else frames.DIFFERENT_FRAMES
    chosen, more = frames.different(seen.thumbnails, seen.areas, most, unlike)
    is_only_one = len(seen.numbers) == 1 and not seen.not_compared
    pictures: list[Picture] = []
    for index in (seen.numbers[place] for place in chosen):
        frame = file.frame(index)
        name = None if is_only_one else index + 1
        pictures.extend(_pictures_of(frame, frame.size, file.format, name, settings))

    not_compared = list(seen.not_compared)
    if more:
        words = f"{most} {_name(file)}s that differ are compared, {more} more are not"
        not_compared.append(NotCompared(NotComparedReason.FRAMES, words))
    return Decoded(_not_plain(pictures), tuple(not_compared))


@dataclass(slots=True)
class _Seen:
    """The frames that were looked at: their numbers from 0, thumbnails, areas; what was left out; the first error."""

    numbers: list[int] = field(default_factory=list)
    thumbnails: list[NDArray[np.float32]] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    problem: Exception | None = None

    def add(self, number: int, frame: Image.Image) -> None:
        self.numbers.append(number)
        self.thumbnails.append(frames.thumbnail_of(frame))
        self.areas.append(frame.width * frame.height)

    def leave_out(self, words: str) -> None:
        self.not_compared.append(NotCompared(NotComparedReason.FRAMES, words))

    def without_plain(self) -> "_Seen":
        """Return the frames that show anything; all of them when none does."""
        rich = [place for place, thumbnail in enumerate(self.thumbnails) if thumbnail.std() >= MIN_DEVIATION]
        if not rich:
            return self
        return _Seen(
            [self.numbers[place] for place in rich],
            [self.thumbnails[place] for place in rich],
            [self.areas[place] for place in rich],
            self.not_compared,
            self.problem,
        )


def _look_through(file: PictureFile, settings: MatchingSettings) -> _Seen:
    """Look at the frames of a file until its end or a bound."""
    seen, pixels = _Seen(), 0
    end = time.thread_time() + LOOKING_SHARE * settings.timeout.total_seconds()
    for number in count():
        try:
            frame = file.frame(number)
        except IndexError:
            break
        # What was read before is as good as it was.
        except (*DECODER_ERRORS, OverLimit) as error:
            seen.problem = seen.problem or error
            if file.format == "TIFF" and number < settings.max_frames:
                seen.leave_out(f"page {number + 1} cannot be decoded")
                continue
            seen.leave_out(f"{_name(file)} {number + 1} and what follows cannot be decoded")
            break

        pixels += frame.width * frame.height
        bound = _bound_passed(number, pixels, end, settings)
        if bound is not None:
            seen.leave_out(f"{_name(file)}s from {number + 1} on are not compared: {bound}")
            break
        seen.add(number, frame)

    if file.is_cut_off:
        words = "the file is cut off: its last frames are missing"
        seen.not_compared.append(NotCompared(NotComparedReason.CUT_OFF, words))
    return seen.without_plain()


def _bound_passed(number: int, pixels: int, end: float, settings: MatchingSettings) -> str | None:
    """Return which bound keeps frame `number` (from 0) from being looked at; the first frame always is."""
    if number >= settings.max_frames:
        return f"{settings.max_frames} are looked at (matching.max_frames)"
    if number and pixels > settings.max_pixels:
        return f"together they have more than {settings.max_pixels} pixels (matching.max_pixels)"
    if number and time.thread_time() > end:
        return "looking at more takes too long (matching.timeout)"
    return None


def _name(file: PictureFile) -> str:
    return "page" if file.format == "TIFF" else "frame"


def _pictures_of(
    image: Image.Image, size: tuple[int, int], file_format: str, frame: int | None, settings: MatchingSettings
) -> list[Picture]:
    """Return the upright picture of loaded pixels; where it shows clearly more on a dark ground, that one too.

    `size` is the width and height that the pixels stand for, as they are stored.
    """
    side = _working_side(*image.size, settings)
    if max(image.size) > side:
        image = _reduced(image, side)

    orientation = orientation_of(image.info, file_format)
    width, height = reversed(size) if is_turned(orientation) else size
    grounds = (colour.WHITE, colour.DARK) if colour.is_transparent(image) else (colour.WHITE,)
    pictures = []
    for ground in grounds:
        rgb = np.asarray(upright(colour.srgb_of(image, ground), orientation), dtype=np.uint8)
        on_dark = ground is colour.DARK
        pictures.append(Picture(np.ascontiguousarray(rgb), width, height, file_format, frame, on_dark))

    if "icc_profile" in image.info and all(picture.detail < MIN_DEVIATION for picture in pictures):
        # A damaged profile may paint everything in one colour; browsers show what is there.
        image.info = {name: value for name, value in image.info.items() if name != "icc_profile"}
        return _pictures_of(image, size, file_format, frame, settings)
    if len(pictures) == 2 and pictures[1].detail <= pictures[0].detail * _CLEARLY_MORE:
        del pictures[1]
    return pictures


def _working_side(width: int, height: int, settings: MatchingSettings) -> int:
    """Return to how many pixels of its longer side a picture is reduced: more for panoramas and strips."""
    return round(profile_of(settings).working_side * elongation(width, height))


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Shrink before colour is converted: twelve megapixels cost little more than four."""
    info = image.info
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if "transparency" in info else "RGB")
    factor = side / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    smaller = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    smaller.info = dict(info)
    return smaller


def _refuse_large(width: int, height: int, settings: MatchingSettings) -> None:
    if width * height > settings.max_pixels:
        raise OverLimit(f"{width} x {height} pixels, allowed are {settings.max_pixels} (matching.max_pixels)")


def _not_plain(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Return the pictures that can be told from others. Raises TooPlain, TooSmall when there is none."""
    kept, problem = [], None
    for picture in pictures:
        try:
            _refuse_plain(picture)
        except TooPlain as error:
            problem = problem or error
        else:
            kept.append(picture)
    if problem is not None and not kept:
        raise problem
    return tuple(kept)


def _refuse_plain(picture: Picture) -> None:
    """Raise TooPlain for what cannot be told from anything else: icons, spacers, blank or nearly blank surfaces."""
    if min(picture.width, picture.height) < MIN_SIDE:
        raise TooSmall(f"{picture.width} x {picture.height} pixels; at least {MIN_SIDE} on each side are needed")
    tile = picture.tile
    edge = float((np.abs(np.diff(tile, axis=0)).mean() + np.abs(np.diff(tile, axis=1)).mean()) / 2)
    if float(tile.std()) < MIN_DEVIATION or edge < MIN_EDGE:
        # Noise of compression makes no difference of more than a few levels; what a person drew does.
        is_blank = int(np.ptp(picture.rgb, axis=(0, 1)).max()) <= MAX_BLANK
        size = None if is_blank else (picture.width, picture.height)
        raise TooPlain("too plain: a nearly even surface that could be anybody's", size)
