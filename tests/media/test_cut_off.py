"""A file that is cut off is compared as far as it goes, and says that it is."""

import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from guardian.errors import NotAnImage, OverLimit, Unmatchable
from guardian.matching.features.image import Decoded, decode_all
from guardian.matching.settings import MatchingSettings
from guardian.media.cut_off import GREY, missing_bytes, whole_frames
from guardian.model import NotComparedReason
from tests.matching.pictures import encoded, photograph

SETTINGS = MatchingSettings()
ASTRONAUT = photograph("astronaut", 320)
HEIGHT, WIDTH = ASTRONAUT.shape[:2]
LAYERED = np.dstack([ASTRONAUT, np.full((HEIGHT, WIDTH), 255, np.uint8)])
LAYERED[:40, :40, 3] = 0

FILES: dict[str, tuple[np.ndarray[Any, np.dtype[np.uint8]], str, dict[str, Any]]] = {
    "JPEG": (ASTRONAUT, "JPEG", {"quality": 85}),
    "PNG": (ASTRONAUT, "PNG", {}),
    "WebP": (ASTRONAUT, "WEBP", {"quality": 80}),
    "WebP, lossless": (ASTRONAUT, "WEBP", {"lossless": True}),
    "WebP, alpha": (LAYERED, "WEBP", {"quality": 80}),
    "AVIF": (ASTRONAUT, "AVIF", {"quality": 70}),
    "AVIF, alpha": (LAYERED, "AVIF", {"quality": 70}),
}


@cache
def content_of(name: str) -> bytes:
    picture, file_format, options = FILES[name]
    return encoded(picture, file_format, **options)


def whole(name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return decode_all(content_of(name), SETTINGS).richest.rgb


def rows_alike(decoded: Decoded, name: str) -> int:
    """How many rows from the top are those of the whole file."""
    unlike = np.abs(decoded.richest.rgb.astype(int) - whole(name)).max(axis=(1, 2)) > 2
    return int(unlike.argmax()) if unlike.any() else len(unlike)


@pytest.mark.parametrize("name", FILES)
def test_whole_files_say_nothing(name: str) -> None:
    assert decode_all(content_of(name), SETTINGS).not_compared == ()


@pytest.mark.parametrize("share", [0.6, 0.9])
@pytest.mark.parametrize("name", FILES)
def test_what_is_there_is_decoded_and_its_share_is_said(name: str, share: float) -> None:
    content = content_of(name)
    decoded = decode_all(content[: int(len(content) * share)], SETTINGS)
    assert (decoded.richest.width, decoded.richest.height) == (WIDTH, HEIGHT)

    (not_compared,) = decoded.not_compared
    assert not_compared.reason is NotComparedReason.CUT_OFF
    said = int(not_compared.detail.removeprefix("the file is cut off: about ").split(" %")[0])
    alike = rows_alike(decoded, name) / HEIGHT * 100
    # Rows are coded in blocks of up to 64, whose filters reach over their rims.
    assert abs(said - alike) <= 8
    assert alike > share * 60


@pytest.mark.parametrize("name", ["WebP", "WebP, lossless", "AVIF"])
def test_nothing_is_made_up_below_the_cut(name: str) -> None:
    content = content_of(name)
    picture = decode_all(content[: len(content) // 2], SETTINGS).richest
    assert (picture.rgb[-HEIGHT // 8 :] == GREY).all()


def test_a_file_that_lacks_only_its_end_mark_or_its_finest_detail_is_compared_as_a_whole() -> None:
    progressive = encoded(ASTRONAUT, "JPEG", quality=85, progressive=True)
    for content in (progressive[: int(len(progressive) * 0.7)], content_of("JPEG")[:-2]):
        decoded = decode_all(content, SETTINGS)
        assert decoded.not_compared == ()
        assert np.abs(decoded.richest.rgb.astype(int) - ASTRONAUT).mean() < 8


@pytest.mark.parametrize("name", ["WebP", "AVIF"])
def test_too_little_is_refused_with_the_true_reason(name: str) -> None:
    with pytest.raises(Unmatchable, match="cut off"):
        decode_all(content_of(name)[: 40 if name == "WebP" else 330], SETTINGS)


@pytest.mark.parametrize("name", FILES)
def test_every_cut_ends_well(name: str) -> None:
    content = content_of(name)
    for end in np.linspace(1, len(content) - 1, 25).astype(int):
        try:
            decoded = decode_all(content[:end], SETTINGS)
        except Unmatchable:
            continue
        assert len(decoded.pictures) >= 1


def test_an_animated_webp_keeps_its_whole_frames() -> None:
    names = ("astronaut", "coffee", "rocket", "chelsea")
    frames = [Image.fromarray(photograph(name, 200)).resize((200, 150)) for name in names]
    content = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=500)
    decoded = decode_all(content[: int(len(content) * 0.7)], SETTINGS)
    assert [picture.frame for picture in decoded.pictures] == [1, 2]
    assert [one.reason for one in decoded.not_compared] == [NotComparedReason.CUT_OFF]
    assert whole_frames(encoded(frames[0], "WEBP")) is None
    assert whole_frames(content[:60]) is None


@pytest.mark.parametrize("file_format", ["GIF", "PNG"])
def test_animations_that_are_cut_off_say_so(file_format: str) -> None:
    names = ("astronaut", "coffee", "rocket", "chelsea")
    frames = [Image.fromarray(photograph(name, 200)).resize((200, 150)) for name in names]
    content = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], duration=500)
    assert decode_all(content, SETTINGS).not_compared == ()
    decoded = decode_all(content[: int(len(content) * 0.7)], SETTINGS)
    assert {1, 2} <= {picture.frame for picture in decoded.pictures}
    assert NotComparedReason.CUT_OFF in [one.reason for one in decoded.not_compared]


def test_a_file_that_promises_more_than_a_picture_may_have_is_not_filled_up() -> None:
    content = bytearray(content_of("WebP")[:4000])
    content[4:8] = struct.pack("<I", 2**32 - 10)
    content[16:20] = struct.pack("<I", 2**32 - 30)
    with pytest.raises((NotAnImage, OverLimit)):
        decode_all(bytes(content), SETTINGS)


def test_how_much_is_missing() -> None:
    for name in FILES:
        content = content_of(name)
        missing = missing_bytes(content[:-100])
        assert missing == (100 if name.startswith(("WebP", "AVIF")) else 0), name
        assert missing_bytes(content) == 0
    assert missing_bytes(b"") == missing_bytes(b"RIFF") == missing_bytes(b"\0\0\0\0ftypavif") == 0


def test_pixels_are_bounded_before_what_is_there_is_decoded() -> None:
    content = content_of("WebP")
    with pytest.raises(OverLimit, match=f"{WIDTH} x {HEIGHT}"):
        decode_all(content[: len(content) // 2], MatchingSettings(max_pixels=WIDTH * HEIGHT - 1))
