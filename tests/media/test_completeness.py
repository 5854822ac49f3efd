"""A file that ends too early is told from a whole one, in every format that is read."""

import io

import numpy as np
import pytest
from PIL import Image

from guardian.media.completeness import is_cut_off

PIXELS = np.random.default_rng(3).integers(0, 255, (60, 80, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")


def encoded(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_whole_files_are_whole_and_bytes_after_their_end_make_no_difference(kind: str) -> None:
    content = encoded(kind)
    assert not is_cut_off(content)
    assert not is_cut_off(content + b"\0\0 appended by some server")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_cut_files_are_cut(kind: str, share: float) -> None:
    content = encoded(kind)
    assert is_cut_off(content[: int(len(content) * share)])


def test_a_thumbnail_is_not_the_end_of_its_picture() -> None:
    exif = Image.Exif()
    exif[0x927C] = encoded("JPEG", PICTURE.resize((16, 12)))
    content = encoded("JPEG", exif=exif, progressive=True)
    assert content.count(b"\xff\xd9") == 2
    assert not is_cut_off(content)
    assert is_cut_off(content[:-2])


def test_other_kinds_of_the_formats() -> None:
    frames = [PICTURE, PICTURE.rotate(90).resize((80, 60))]
    for content in (
        encoded("GIF", save_all=True, append_images=frames[1:], duration=100),
        encoded("TIFF", compression="tiff_lzw"),
        encoded("TIFF", PICTURE.convert("1"), compression="group4"),
        encoded("PNG", PICTURE.convert("P")),
        encoded("BMP", PICTURE.convert("L")),
        encoded("WEBP", lossless=True),
    ):
        assert not is_cut_off(content)
        assert is_cut_off(content[: len(content) * 3 // 4])


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"BM", b"GIF89a", b"RIFF", b"II*\0", b"notes", b"\0" * 40])
def test_stumps_and_other_files_raise_nothing(content: bytes) -> None:
    assert is_cut_off(content) in (True, False)
    for length in range(len(content)):
        is_cut_off(content[:length])


def test_any_bytes_raise_nothing() -> None:
    random = np.random.default_rng(8)
    for kind in FORMATS:
        content = encoded(kind)
        for _ in range(20):
            damaged = bytearray(content)
            damaged[int(random.integers(min(200, len(damaged))))] = int(random.integers(256))
            assert is_cut_off(bytes(damaged)) in (True, False)
