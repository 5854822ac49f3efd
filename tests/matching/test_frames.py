"""Frames of animations and pages of documents: compared, protected and named, within bounds that are said."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw

from guardian.errors import OverLimit, TooPlain
from guardian.matching.features.image import decode, decode_all
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from guardian.model import MatchReport, NotComparedReason
from tests.matching.pictures import encoded, noise, photograph

SETTINGS = MatchingSettings()
NAMES = ("astronaut", "coffee", "rocket", "chelsea")


def picture(name: str, size: tuple[int, int] = (360, 260)) -> Image.Image:
    return Image.fromarray(photograph(name, 500)).resize(size, Image.Resampling.LANCZOS)


def animation(file_format: str, frames: list[Image.Image], **options: Any) -> bytes:
    known: dict[str, dict[str, Any]] = {"WEBP": {"quality": 90}, "AVIF": {"quality": 80, "speed": 9}}
    options = {**known.get(file_format, {}), **options}
    return encoded(frames[0], file_format, save_all=True, append_images=frames[1:], duration=400, **options)


SLIDES = [picture(name) for name in NAMES]
TITLE = Image.new("RGB", (360, 260), "navy")
ImageDraw.Draw(TITLE).rectangle((40, 60, 200, 90), fill="white")


@pytest.fixture(scope="module")
def protecting(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Matcher]:
    """Make a matcher that protects files, by name; numbers count from 1 in their order."""

    def protect(**files: bytes) -> Matcher:
        matcher = Matcher(SETTINGS, None, tmp_path_factory.mktemp("index"))
        entries = [
            (number, name, matcher.fingerprint(content)) for number, (name, content) in enumerate(files.items(), 1)
        ]
        writer(matcher).publish(entries)
        return matcher

    return protect


def folder(matcher: Matcher) -> Path:
    return matcher._shards[0]._folder


def writer(matcher: Matcher) -> IndexWriter:
    return IndexWriter(folder(matcher), matcher.recipe)


def found(report: MatchReport) -> dict[str, tuple[float, int | None, int | None]]:
    """Probability, frame and frame of the asset, by asset."""
    return {
        match.asset_id: (match.comparison.probability, match.comparison.frame, match.comparison.asset_frame)
        for match in report.matches
        if match.comparison.probability > 0.5
    }


@pytest.fixture(scope="module")
def stills(protecting: Callable[..., Matcher]) -> Matcher:
    return protecting(**{name: encoded(picture(name, (720, 520)), "PNG") for name in NAMES})


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_each_asset_is_found_in_its_frame(file_format: str, stills: Matcher) -> None:
    content = animation(file_format, [TITLE, *SLIDES[1:]])
    report = stills.match(content)
    frames = {name: frame for name, (_, frame, _) in found(report).items()}
    assert frames == {"coffee": 2, "rocket": 3, "chelsea": 4}
    kind = "page" if file_format == "TIFF" else "frame"
    assert all(
        f"{kind} {match.comparison.frame} of the file found" in match.comparison.description
        for match in report.matches
        if match.comparison.probability > 0.5
    )
    assert report.not_compared == ()


def test_a_still_names_no_frame(stills: Matcher) -> None:
    report = stills.match(encoded(SLIDES[0]))
    assert found(report)["astronaut"][1:] == (None, None)
    assert "frame" not in report.matches[0].comparison.description


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF"])
def test_each_frame_of_an_asset_is_protected_as_one_asset(file_format: str, protecting: Callable[..., Matcher]) -> None:
    matcher = protecting(slides=animation(file_format, SLIDES), other=encoded(picture("china"), "PNG"))
    for number, slide in enumerate(SLIDES, 1):
        report = matcher.match(encoded(slide.resize((300, 217)), quality=70))
        probability, frame, asset_frame = found(report)["slides"]
        assert probability > 0.9
        assert (frame, asset_frame) == (None, number)
        assert f"frame {number} of the asset" in report.matches[0].comparison.description
        assert [match.asset_id for match in report.matches].count("slides") == 1
        assert report.assets_searched == 2


def test_frames_of_one_asset_take_nothing_from_each_other(protecting: Callable[..., Matcher]) -> None:
    """Frames with the same border and words: to two assets these would be shared evidence."""
    frames = []
    for slide in SLIDES:
        frame = TITLE.resize((500, 400))
        frame.paste(slide.resize((300, 217)), (100, 120))
        frames.append(frame)
    alone = protecting(first=encoded(frames[0], "PNG"))
    together = protecting(all=animation("PNG", frames))
    copy = encoded(frames[0].resize((450, 360)), quality=75)
    by_itself = found(alone.match(copy))["first"][0]
    assert found(together.match(copy))["all"][0] == pytest.approx(by_itself, abs=0.02)


def test_an_animation_against_an_animation(protecting: Callable[..., Matcher]) -> None:
    matcher = protecting(slides=animation("WEBP", SLIDES))
    report = matcher.match(animation("GIF", [TITLE, SLIDES[3]]))
    assert found(report)["slides"][1:] == (2, 4)


def test_removal_adding_again_and_rebuilding_keep_the_frames_together(protecting: Callable[..., Matcher]) -> None:
    content = animation("WEBP", SLIDES)
    matcher = protecting(slides=content, coffee=encoded(picture("china"), "PNG"))
    copy = encoded(SLIDES[2])
    index = writer(matcher)
    assert sorted(set(index.contents(every_byte=True).numbers)) == [1, 2]

    index.withdraw([1])
    assert all(match.asset_id != "slides" for match in matcher.match(copy).matches)
    assert matcher.match(copy).assets_searched == 1

    index.publish([(3, "slides", matcher.fingerprint(content))])
    assert found(matcher.match(copy))["slides"][2] == 3
    assert found(matcher.match(copy, newer_than=2))["slides"][2] == 3
    assert matcher.match(copy).assets_searched == 2

    # Many small segments are merged into one.
    for number in range(4, 14):
        index.publish([(number, f"noise-{number}", matcher.fingerprint(encoded(noise(number, 64, 64), "PNG")))])
    assert found(matcher.match(copy))["slides"][2] == 3
    assert matcher.match(copy).assets_searched == 12

    with index.rebuild() as publish:
        publish([(3, "slides", matcher.fingerprint(content))])
    report = matcher.match(copy)
    assert (found(report)["slides"][2], report.assets_searched, report.up_to_number) == (3, 1, 3)


def test_disposal_and_blending_are_as_browsers_show_them() -> None:
    """Each frame of this GIF stores only what changes, and leaves or clears what was there."""
    base, patch = SLIDES[0].copy(), SLIDES[1].crop((60, 60, 300, 220))
    whole = base.copy()
    whole.paste(patch, (60, 60))
    content = encoded(
        base.quantize(200), "GIF", save_all=True, append_images=[whole.quantize(200), base.quantize(200)], disposal=1
    )
    decoded = decode_all(content, SETTINGS)
    assert [one.frame for one in decoded.pictures] == [1, 2]
    for shown, expected in zip(decoded.pictures, (base, whole), strict=True):
        assert np.abs(shown.rgb.astype(int) - np.asarray(expected)).mean() < 12


def test_the_richest_frame_stands_for_the_file() -> None:
    content = animation("WEBP", [TITLE, *SLIDES])
    decoded = decode_all(content, SETTINGS)
    assert decode(content, SETTINGS).frame == decoded.richest.frame
    assert decoded.richest.detail == max(one.detail for one in decoded.pictures) or decoded.richest.detail > 40


def test_frames_over_the_bound_are_left_out_and_said() -> None:
    frames = [Image.fromarray(noise(seed, 48, 48)) for seed in range(FULL.frames + 5)]
    decoded = decode_all(animation("PNG", frames), SETTINGS)
    assert len(decoded.pictures) == FULL.frames
    (not_compared,) = decoded.not_compared
    assert not_compared.reason is NotComparedReason.FRAMES
    assert not_compared.detail == f"{FULL.frames} frames that differ are compared, 5 more are not"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (MatchingSettings(max_frames=2), "matching.max_frames"),
        (MatchingSettings(max_pixels=360 * 260 * 2), "matching.max_pixels"),
    ],
)
def test_frames_that_are_not_looked_at_are_said(settings: MatchingSettings, says: str) -> None:
    decoded = decode_all(animation("WEBP", SLIDES), settings)
    assert [one.frame for one in decoded.pictures] == [1, 2]
    (not_compared,) = decoded.not_compared
    assert not_compared.detail.startswith("frames from 3 on are not compared: ")
    assert says in not_compared.detail


def test_a_bound_that_is_just_met_leaves_nothing_out() -> None:
    settings = MatchingSettings(max_frames=4, max_pixels=360 * 260 * 4)
    decoded = decode_all(animation("WEBP", SLIDES), settings)
    assert (len(decoded.pictures), decoded.not_compared) == (4, ())


def pages_of(pages: list[np.ndarray[Any, Any]]) -> bytes:
    """A TIFF of pages with sizes of their own."""
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as file:
        for page in pages:
            file.write(page, photometric="rgb", metadata=None)
    return target.getvalue()


def test_a_page_that_cannot_be_read_hinders_no_other() -> None:
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as file:
        file.write(np.asarray(SLIDES[0]), photometric="rgb", metadata=None)
        file.write(np.zeros((64, 64), np.complex64), metadata=None)
        file.write(
            np.asarray(SLIDES[1]).astype(np.uint16) * 257, photometric="rgb", planarconfig="contig", metadata=None
        )
        file.write(np.asarray(SLIDES[2]) / np.float32(255), photometric="rgb", metadata=None)
    decoded = decode_all(target.getvalue(), SETTINGS)
    assert [one.frame for one in decoded.pictures] == [1, 3, 4]
    assert [one.detail for one in decoded.not_compared] == ["page 2 cannot be decoded"]


def test_pages_have_sizes_of_their_own_and_large_ones_are_refused_by_themselves() -> None:
    pages = [SLIDES[0], SLIDES[1].resize((720, 520)), SLIDES[2]]
    content = pages_of([np.asarray(page) for page in pages])
    decoded = decode_all(content, SETTINGS)
    assert [(one.width, one.height) for one in decoded.pictures] == [page.size for page in pages]
    small = decode_all(content, MatchingSettings(max_pixels=360 * 260 * 2))
    assert [one.frame for one in small.pictures] == [1, 3]
    with pytest.raises(OverLimit):
        decode_all(content, MatchingSettings(max_pixels=360 * 260 - 1))


def test_reduced_versions_of_a_page_are_not_compared_again() -> None:
    pages = [SLIDES[0], SLIDES[0].resize((180, 130)), SLIDES[0].resize((90, 65))]
    decoded = decode_all(pages_of([np.asarray(page) for page in pages]), SETTINGS)
    assert [(one.width, one.frame) for one in decoded.pictures] == [(360, 1)]


def test_a_light_drawing_on_transparency_is_found_on_both_grounds(protecting: Callable[..., Matcher]) -> None:
    generator = np.random.default_rng(4)
    drawing = Image.new("RGBA", (500, 400), (255, 255, 255, 0))
    draw = ImageDraw.Draw(drawing)
    for _ in range(60):
        x, y, width = (int(number) for number in generator.integers((10, 10, 15), (440, 340, 60)))
        draw.ellipse((x, y, x + width, y + width), outline=(255, 255, 250, 255), width=int(generator.integers(2, 6)))
    content = encoded(drawing, "PNG")

    pictures = decode_all(content, SETTINGS).pictures
    assert [(one.on_dark, one.frame) for one in pictures] == [(True, None)]
    matcher = protecting(drawing=content, other=encoded(picture("china"), "PNG"))
    for ground in ((0, 0, 0), (20, 20, 30), (40, 60, 40)):
        shown = Image.new("RGBA", drawing.size, (*ground, 255))
        shown.alpha_composite(drawing)
        report = matcher.match(encoded(shown.convert("RGB"), quality=85))
        assert found(report)["drawing"][0] > 0.9
        assert report.assets_searched == 2


def test_a_drawing_that_shows_on_white_keeps_its_picture() -> None:
    """What is seen on white was always protected so; the dark ground comes beside it, and only where it shows more."""
    faint = np.zeros((300, 300, 4), np.uint8)
    faint[:, :, :3] = 205
    faint[40:260:20, 30:270, 3] = 255
    faint[30:270, 50:250:25, 3] = 255
    content = encoded(faint, "PNG")
    decoded = decode_all(content, SETTINGS)
    assert [one.on_dark for one in decoded.pictures] == [False, True]
    assert not decode(content, SETTINGS).on_dark

    dark = faint.copy()
    dark[:, :, :3] = 30
    assert [one.on_dark for one in decode_all(encoded(dark, "PNG"), SETTINGS).pictures] == [False]


def test_an_animation_of_plain_frames_is_too_plain() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black", "red")]
    with pytest.raises(TooPlain):
        decode_all(animation("WEBP", frames), SETTINGS)
