"""Encoded bytes: every ordinary format decodes to upright sRGB, every hostile file has a clear outcome."""

import io
import struct
import time
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from guardian.errors import NotAnImage, OverLimit, TooPlain, Unmatchable
from guardian.matching.features.image import MIN_SIDE, Picture, decode
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import Pixels, clouds, encoded, noise, photograph

COFFEE = photograph("coffee", 240)
COFFEE_IMAGE = Image.fromarray(COFFEE)
HEIGHT, WIDTH = COFFEE.shape[:2]


def near(picture: Picture, expected: Pixels, tolerance: float = 4.0) -> bool:
    """Mean difference in grey levels, which lossy formats keep small."""
    if picture.rgb.shape != expected.shape:
        return False
    return float(np.abs(picture.rgb.astype(int) - expected).mean()) < tolerance


def outcome_of(content: bytes, settings: MatchingSettings) -> Picture | Unmatchable:
    """The picture, or why there is none; any other exception fails the test."""
    try:
        return decode(content, settings)
    except Unmatchable as error:
        return error


@pytest.mark.parametrize(
    ("format", "options", "tolerance"),
    [
        ("JPEG", {"quality": 92}, 4.0),
        ("JPEG", {"quality": 92, "progressive": True}, 4.0),
        ("PNG", {}, 0.01),
        ("WEBP", {"lossless": True}, 0.01),
        ("WEBP", {"quality": 90}, 5.0),
        ("GIF", {}, 12.0),
        ("AVIF", {"quality": 90}, 5.0),
        ("TIFF", {}, 0.01),
        ("TIFF", {"compression": "tiff_lzw"}, 0.01),
        ("BMP", {}, 0.01),
    ],
)
def test_ordinary_formats(format: str, options: dict[str, Any], tolerance: float, settings: MatchingSettings) -> None:  # noqa: A002
    picture = decode(encoded(COFFEE, format, **options), settings)
    assert (picture.width, picture.height, picture.format) == (WIDTH, HEIGHT, format)
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    assert near(picture, COFFEE, tolerance)
    assert picture.grey.shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_pixel_mode_becomes_eight_bit_colour(mode: str, settings: MatchingSettings) -> None:
    grey = COFFEE_IMAGE.convert("L")
    if mode == "I;16":
        image, expected = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), grey
    elif mode == "P":
        image = COFFEE_IMAGE.quantize(256)
        expected = image
    else:
        image, expected = COFFEE_IMAGE.convert(mode), (grey if mode.startswith("L") else COFFEE_IMAGE)
    format_of = {"CMYK": "JPEG"}
    picture = decode(encoded(image, format_of.get(mode, "PNG")), settings)
    assert near(picture, np.asarray(expected.convert("RGB")), 5.0)


def test_sixteen_bit_tiff_keeps_its_range(settings: MatchingSettings) -> None:
    grey = np.asarray(COFFEE_IMAGE.convert("L"))
    picture = decode(encoded(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF"), settings)
    assert near(picture, np.repeat(grey[:, :, None], 3, axis=2), 1.5)


def test_float_tiff_is_scaled(settings: MatchingSettings) -> None:
    grey = np.asarray(COFFEE_IMAGE.convert("L")).astype(np.float32)
    picture = decode(encoded(Image.fromarray(grey / 255), "TIFF"), settings)
    assert near(picture, np.repeat((grey * (255 / grey.max()))[:, :, None], 3, axis=2).astype(np.uint8), 1.5)


def test_float_tiff_of_nothing_but_nan_is_too_plain(settings: MatchingSettings) -> None:
    with pytest.raises(TooPlain):
        decode(encoded(Image.fromarray(np.full((80, 80), np.nan, np.float32)), "TIFF"), settings)


def test_one_bit_picture(settings: MatchingSettings) -> None:
    halftone = photograph("page", 300)
    image = Image.fromarray(halftone).convert("1")
    picture = decode(encoded(image, "PNG"), settings)
    assert (picture.width, picture.height) == image.size
    assert set(np.unique(picture.rgb)) == {0, 255}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_in_exif(orientation: int, format: str, settings: MatchingSettings) -> None:  # noqa: A002
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(COFFEE, format, exif=exif.tobytes() if format != "TIFF" else exif)
    stored = Image.open(io.BytesIO(content))
    expected = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
    picture = decode(content, settings)
    turned = orientation >= 5
    assert (picture.width, picture.height) == ((HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT))
    assert near(picture, expected, 4.0)
    if orientation > 1:
        assert not near(picture, COFFEE, 4.0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_large_pictures_are_reduced_and_report_their_full_upright_size(
    format: str,  # noqa: A002
    settings: MatchingSettings,
) -> None:
    large = COFFEE_IMAGE.resize((4200, 2800), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, Any] = {"PNG": {"compress_level": 1}, "WEBP": {"quality": 50, "method": 0}}.get(format, {})
    picture = decode(encoded(large, format, exif=exif, **options), settings)
    assert (picture.width, picture.height) == (2800, 4200)
    height, width = picture.rgb.shape[:2]
    assert max(height, width) <= FULL.working_side
    assert height / width == pytest.approx(4200 / 2800, rel=0.01)
    small = np.asarray(Image.fromarray(picture.rgb).resize((HEIGHT, WIDTH)).rotate(90, expand=True))
    assert np.abs(small.astype(int) - COFFEE).mean() < 14


@pytest.mark.parametrize("size", [(4032, 3024), (4000, 3000), (4096, 3072), (3000, 4000)])
def test_the_files_of_common_cameras_are_decoded_at_a_half(size: tuple[int, int], settings: MatchingSettings) -> None:
    """Otherwise four times as many pixels are decoded as are looked at; what is left is not reduced again by much."""
    image = COFFEE_IMAGE.resize(size, Image.Resampling.NEAREST)
    picture = decode(encoded(image, "JPEG"), settings)
    assert (picture.width, picture.height) == size
    assert max(picture.rgb.shape) == FULL.working_side == max(size) // 2 // 1000 * 1000


def test_large_palette_picture_with_transparency(settings: MatchingSettings) -> None:
    image = COFFEE_IMAGE.resize((3000, 2000), Image.Resampling.NEAREST).quantize(64)
    picture = decode(encoded(image, "PNG", transparency=0, compress_level=1), settings)
    assert (picture.width, picture.height) == (3000, 2000)
    assert max(picture.rgb.shape) == FULL.working_side


def test_very_long_strip(settings: MatchingSettings) -> None:
    picture = decode(encoded(noise(1, 20_000, 40), "PNG", compress_level=1), settings)
    assert (picture.width, picture.height) == (20_000, 40)
    # Eight times the working side of an ordinary picture, so that a tenth of the strip is no thumbnail.
    assert picture.rgb.shape == (32, 8 * FULL.working_side, 3)


def test_alpha_is_laid_over_white(settings: MatchingSettings) -> None:
    layered = np.dstack([COFFEE, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    layered[: HEIGHT // 2, :, 3] = 0
    picture = decode(encoded(layered, "PNG"), settings)
    assert (picture.rgb[: HEIGHT // 2] == 255).all()
    assert np.array_equal(picture.rgb[HEIGHT // 2 :], COFFEE[HEIGHT // 2 :])


def test_hidden_colours_under_full_transparency_do_not_show(settings: MatchingSettings) -> None:
    layered = np.dstack([COFFEE, np.zeros((HEIGHT, WIDTH), np.uint8)])
    with pytest.raises(TooPlain):
        decode(encoded(layered, "PNG"), settings)


def test_transparent_palette_entry_is_white(settings: MatchingSettings) -> None:
    palette = COFFEE_IMAGE.quantize(16)
    picture = decode(encoded(palette, "PNG", transparency=3), settings)
    through = np.asarray(palette) == 3
    assert through.any()
    assert (picture.rgb[through] == 255).all()


def test_profile_is_applied(settings: MatchingSettings) -> None:
    """A picture in a space with swapped primaries looks wrong without its profile, and right with it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    swapped = np.ascontiguousarray(COFFEE[:, :, ::-1])
    assert near(decode(encoded(swapped, "PNG", icc_profile=bytes(profile)), settings), COFFEE, 4.0)
    assert near(decode(encoded(swapped, "PNG"), settings), swapped, 0.01)


def test_profile_is_applied_and_alpha_kept(settings: MatchingSettings) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    layered = np.dstack([COFFEE, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    layered[:20, :, 3] = 0
    picture = decode(encoded(layered, "PNG", icc_profile=profile), settings)
    assert (picture.rgb[:20] == 255).all()
    assert np.abs(picture.rgb[20:].astype(int) - COFFEE[20:]).mean() < 3


@pytest.mark.parametrize("profile", [b"not a profile", b"\x00" * 200, b"x" * 128 + b"acsp" * 20])
def test_broken_profile_is_ignored(profile: bytes, settings: MatchingSettings) -> None:
    assert near(decode(encoded(COFFEE, "PNG", icc_profile=profile), settings), COFFEE, 0.01)


def test_profile_of_another_colour_space_is_ignored(settings: MatchingSettings) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert near(decode(encoded(COFFEE, "PNG", icc_profile=lab), settings), COFFEE, 0.01)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animation_shows_its_richest_frame(format: str, settings: MatchingSettings) -> None:  # noqa: A002
    blank = Image.new("RGB", (WIDTH, HEIGHT), "white")
    frames = [blank, COFFEE_IMAGE, COFFEE_IMAGE, blank]
    content = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=50)
    picture = decode(content, settings)
    assert (picture.width, picture.height, picture.format) == (WIDTH, HEIGHT, format)
    assert near(picture, COFFEE, 12.0)


def test_animation_of_blank_frames_is_too_plain(settings: MatchingSettings) -> None:
    blank = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black", "white")]
    with pytest.raises(TooPlain):
        decode(encoded(blank[0], "GIF", save_all=True, append_images=blank[1:]), settings)


def test_multipage_tiff_shows_its_first_page(settings: MatchingSettings) -> None:
    pages = [COFFEE_IMAGE, Image.fromarray(noise(2, WIDTH, HEIGHT))]
    assert near(decode(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]), settings), COFFEE, 0.01)


def test_stereo_jpeg_shows_its_first_picture(settings: MatchingSettings) -> None:
    """As some telephones store two pictures in one JPEG."""
    other = Image.fromarray(noise(2, WIDTH, HEIGHT))
    content = encoded(COFFEE_IMAGE, "MPO", save_all=True, append_images=[other], quality=92)
    assert near(decode(content, settings), COFFEE, 4.0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_truncated_file(format: str, share: float, settings: MatchingSettings) -> None:  # noqa: A002
    """What is left is decoded, or the file is refused; the reported size is that of the whole."""
    content = encoded(COFFEE, format)
    outcome = outcome_of(content[: int(len(content) * share)], settings)
    if isinstance(outcome, Picture):
        assert (outcome.width, outcome.height) == (WIDTH, HEIGHT)
    else:
        assert outcome.reason in ("not_an_image", "too_plain")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP"])
def test_mostly_complete_file_still_shows_its_top(format: str, settings: MatchingSettings) -> None:  # noqa: A002
    content = encoded(COFFEE, format)
    picture = decode(content[: int(len(content) * 0.8)], settings)
    rows = slice(0, HEIGHT // 2) if format != "BMP" else slice(HEIGHT // 2, HEIGHT)
    assert np.abs(picture.rgb[rows].astype(int) - COFFEE[rows]).mean() < 6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\0", "known format"),
        (b"hello, this is text\n" * 100, "known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><circle r='9'/></svg>", "SVG"),
        (b"\n  <?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"<html><head></head></html>", "HTML"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"8BPS\0\1" + b"\0" * 40, "Photoshop"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "known format"),
        (np.random.default_rng(3).bytes(50_000), "known format"),
        (b"\xff\xd8\xff\xe0", "begins as JPEG"),
        (b"\xff\xd8\xff" + np.random.default_rng(4).bytes(5_000), ""),
        (b"\x89PNG\r\n\x1a\n" + np.random.default_rng(5).bytes(5_000), ""),
        (b"GIF89a" + np.random.default_rng(6).bytes(5_000), ""),
        (b"RIFF\xff\xff\0\0WEBPVP8 " + np.random.default_rng(7).bytes(5_000), ""),
        (b"II*\0" + np.random.default_rng(8).bytes(5_000), ""),
        (b"BM" + np.random.default_rng(9).bytes(5_000), ""),
    ],
    ids=lambda value: repr(value[:16]) if isinstance(value, bytes) else value,
)
def test_other_things_are_refused_with_a_reason(content: bytes, says: str, settings: MatchingSettings) -> None:
    with pytest.raises((NotAnImage, OverLimit)) as caught:
        decode(content, settings)
    assert says in str(caught.value)


def test_too_many_bytes() -> None:
    content = encoded(COFFEE, "PNG")
    with pytest.raises(OverLimit, match="max_bytes"):
        decode(content, MatchingSettings(max_bytes=len(content) - 1))
    assert decode(content, MatchingSettings(max_bytes=len(content))).width == WIDTH


def png_that_says(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header promises a size that its data need not have."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (2**31 - 1, 1), (2**31 - 1, 2**31 - 1)])
def test_pixel_bomb_is_refused_without_decoding(width: int, height: int, settings: MatchingSettings) -> None:
    started = time.process_time()
    with pytest.raises((OverLimit, NotAnImage)):
        decode(png_that_says(width, height), settings)
    assert time.process_time() - started < 1


def test_real_pixel_bomb() -> None:
    """Small in bytes, large in pixels: refused by the header, whatever is in it."""
    bomb = encoded(Image.new("L", (6000, 6000)), "PNG", compress_level=9)
    assert len(bomb) < 50_000
    with pytest.raises(OverLimit, match="6000 x 6000"):
        decode(bomb, MatchingSettings(max_pixels=10_000_000))


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 10), (1, 1), (8000, 8000), (3, 60_000)])
def test_lying_header(width: int, height: int, settings: MatchingSettings) -> None:
    with pytest.raises(Unmatchable):
        decode(png_that_says(width, height, b"\0\1\2\3" * 50), settings)


def test_lying_jpeg_header(settings: MatchingSettings) -> None:
    content = bytearray(encoded(COFFEE))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_535, 65_535)
    with pytest.raises(OverLimit, match="65535"):
        decode(bytes(content), settings)


def test_frame_bomb() -> None:
    frames = [Image.new("L", (32, 32), grey) for grey in range(60)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    for most in (59, 60):
        with pytest.raises(TooPlain):
            decode(content, MatchingSettings(max_frames=most))


def image_descriptors(gif: bytes | bytearray) -> list[int]:
    """Where the image descriptors of a GIF begin."""

    def table(flags: int) -> int:
        return 3 << (flags & 7) + 1 if flags & 0x80 else 0

    found, at = [], 13 + table(gif[10])
    while gif[at] != 0x3B:
        if gif[at] == 0x2C:
            found.append(at)
            at += 10 + table(gif[at + 9]) + 1
        else:
            at += 2
        while gif[at]:
            at += gif[at] + 1
        at += 1
    return found


def test_frame_that_grows_the_canvas_is_refused_before_it_is_painted(settings: MatchingSettings) -> None:
    """A GIF's later frame may be larger than the size in its header; Pillow then makes room for it."""
    frames = [Image.fromarray(noise(seed, 40, 40)) for seed in range(4)]
    content = bytearray(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    second = image_descriptors(content)[1]
    content[second + 5 : second + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(OverLimit, match="60000 x 60000"):
        decode(bytes(content), settings)


def test_large_animation_is_looked_at_only_as_far_as_its_pixels_allow() -> None:
    """Otherwise a small file of many large frames would keep a worker busy until it is stopped."""
    white, black = (Image.new("RGB", (100, 100), colour) for colour in ("white", "black"))
    shown = [Image.fromarray(noise(seed, 100, 100)) for seed in range(6)]
    content = encoded(white, "GIF", save_all=True, append_images=[black, *shown])
    assert decode(content, MatchingSettings(max_pixels=100 * 100 * 8)).format == "GIF"
    with pytest.raises(TooPlain):
        decode(content, MatchingSettings(max_pixels=100 * 100))


@pytest.mark.parametrize("side", [1, 4, MIN_SIDE - 1])
def test_too_small(side: int, settings: MatchingSettings) -> None:
    for width, height in ((side, 100), (100, side)):
        with pytest.raises(TooPlain, match=f"at least {MIN_SIDE}"):
            decode(encoded(noise(1, width, height), "PNG"), settings)


def test_smallest_that_is_enough(settings: MatchingSettings) -> None:
    assert decode(encoded(noise(1, MIN_SIDE, MIN_SIDE), "PNG"), settings).width == MIN_SIDE


@pytest.mark.parametrize(
    "plain",
    [
        np.full((200, 200, 3), 255, np.uint8),
        np.zeros((200, 200, 3), np.uint8),
        np.full((200, 300, 3), (20, 90, 160), np.uint8),
        (128 + np.random.default_rng(1).normal(0, 1.5, (200, 200, 3))).astype(np.uint8),
    ],
    ids=["white", "black", "blue", "faint noise"],
)
def test_a_plain_picture_is_refused(plain: Pixels, settings: MatchingSettings) -> None:
    with pytest.raises(TooPlain, match="plain"):
        decode(encoded(plain, "PNG"), settings)


def test_soft_clouds_are_not_plain(settings: MatchingSettings) -> None:
    assert decode(encoded(clouds(1)), settings).width == 480


SMALL = Image.fromarray(photograph("astronaut", 96))
LIMITED = MatchingSettings(max_pixels=4_000_000)
ORDINARY = {
    "JPEG": encoded(SMALL, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "progressive": encoded(SMALL, "JPEG", progressive=True),
    "PNG": encoded(SMALL, "PNG"),
    "palette": encoded(SMALL.quantize(32), "PNG", transparency=2),
    "GIF": encoded(SMALL, "GIF", save_all=True, append_images=[SMALL.rotate(9), SMALL.rotate(20)]),
    "WEBP": encoded(SMALL, "WEBP"),
    "AVIF": encoded(SMALL, "AVIF"),
    "TIFF": encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "BMP": encoded(SMALL, "BMP"),
}


@pytest.mark.parametrize("kind", ORDINARY)
@examples(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_flipped_bytes_have_a_clear_outcome(kind: str, data: st.DataObject) -> None:
    content = bytearray(ORDINARY[kind])
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=6)
    ):
        content[place] = value
    assert str(outcome_of(bytes(content), LIMITED))


@pytest.mark.parametrize("kind", ORDINARY)
@examples(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_flipped_bytes_of_the_header_have_a_clear_outcome(kind: str, data: st.DataObject) -> None:
    content = bytearray(ORDINARY[kind])
    for place in data.draw(st.lists(st.integers(0, 120), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    assert str(outcome_of(bytes(content), LIMITED))


@examples(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(list(ORDINARY.values())), st.integers(0, 4000), st.binary(max_size=64), st.integers(0, 64))
def test_spliced_bytes_have_a_clear_outcome(content: bytes, place: int, inserted: bytes, removed: int) -> None:
    assert str(outcome_of(content[:place] + inserted + content[place + removed :], LIMITED))


@examples(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=600))
def test_random_bytes_are_no_picture(content: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(content, MatchingSettings())
