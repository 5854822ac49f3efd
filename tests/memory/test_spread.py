"""What was made of what is told from the pixels: crops of crops, captioned versions, the same saved again."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageDraw

from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from guardian.memory.phylogeny import derive, with_derivations
from guardian.model import Comparison, LicenceStatus, Spread, SpreadPlace, SpreadVersion, Transform
from guardian.views.spread import spread_dot, spread_json, spread_lines, spread_svg
from tests.memory.made import NOW

Cut = tuple[int, int, int, int]


def encoded(image: Image.Image, quality: int = 85) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return written.getvalue()


def version(name: str, image: Image.Image, cut: Cut, day: int, full: tuple[int, int]) -> SpreadVersion:
    """A version that shows a cut of the work at its own size, seen first on a day."""
    left, top, right, bottom = cut
    box = (left / full[0], top / full[1], right / full[0], bottom / full[1])
    matrix = (1.0, 0.0, -float(left), 0.0, 1.0, -float(top))
    transform = Transform(matrix, False, 0.0, 1.0, box, (0.0, 0.0, 1.0, 1.0))
    small = image.copy()
    small.thumbnail((160, 160))
    at = NOW + timedelta(days=day)
    place = SpreadPlace(f"https://{name}.example/p", None, f"{name}.example", at, at, LicenceStatus.NONE, is_own=False)
    comparison = Comparison(0.99, transform=transform, description=f"{name} of the work")
    return SpreadVersion(name, image.width, image.height, comparison, (place,), preview=encoded(small))


@pytest.fixture
def spread(tmp_path: Path, photographs: dict[str, Image.Image]) -> Spread:
    work = photographs["coffee"].convert("RGB")
    full, (width, height) = work.size, work.size
    whole = (0, 0, width, height)
    crop = (0, 0, int(width * 0.75), height)
    inner = (int(width * 0.2), int(height * 0.3), int(width * 0.75), height)
    captioned = work.copy()
    draw = ImageDraw.Draw(captioned)
    draw.rectangle((0, int(height * 0.8), width, height), fill="white")
    draw.text((width // 4, int(height * 0.86)), "BEST COFFEE IN TOWN", fill="black", font_size=height // 14)
    again = Image.open(io.BytesIO(encoded(captioned, 40))).convert("RGB")
    versions = (
        version("first", Image.open(io.BytesIO(encoded(work, 70))).convert("RGB"), whole, 0, full),
        version("crop", work.crop(crop), crop, 1, full),
        version("caption", captioned, whole, 2, full),
        version("inner", Image.open(io.BytesIO(encoded(work.crop(inner), 60))).convert("RGB"), inner, 3, full),
        version("again", again, whole, 4, full),
    )
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    found = Spread("asset_1", 'Coffee <&> "cake"', versions)
    return with_derivations(found, derive(matcher, encoded(work, 95), versions))


def test_each_version_is_made_of_the_one_that_it_differs_least_from(spread: Spread) -> None:
    made_of = {one.sha256: one.parent for one in spread.versions}
    assert made_of["first"] is None
    assert made_of["caption"] is None
    assert made_of["again"] == "caption", "both have the same words on them, which the work has not"
    assert made_of["inner"] == "crop", "both are cut at the same edge"
    how = {one.sha256: one.how for one in spread.versions}
    assert how["again"] == "saved again"
    assert how["inner"].startswith("crop of 5")


def test_the_graph_the_time_line_and_the_words_say_the_same(spread: Spread) -> None:
    told = spread_json(spread)
    assert told["first"]["operator"] == "first.example"
    assert [place["operator"] for place in told["timeline"]] == [
        f"{name}.example" for name in ("first", "crop", "caption", "inner", "again")
    ]

    dot = spread_dot(spread)
    assert '"caption" -> "again" [label="saved again"];' in dot
    assert 'label="Coffee <&> \\"cake\\""' in dot

    svg = ElementTree.fromstring(spread_svg(spread))
    name = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f"{name}circle")) == 5
    assert len(svg.findall(f"{name}image")) == 5

    lines = spread_lines(spread)
    assert lines[0] == '“Coffee <&> "cake"”: 5 versions at 5 operators; first seen at first.example on 2026-11-29'
    assert any(line.startswith("    again") for line in lines), "a version stands below what it was made of"


def test_without_previews_a_cut_that_both_share_tells(spread: Spread, tmp_path: Path) -> None:
    bare = tuple(SpreadVersion(one.sha256, 0, 0, one.comparison, one.places) for one in spread.versions)
    found = derive(
        Matcher(MatchingSettings(), None, tmp_path),
        encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))),
        bare,
    )
    parents = {
        one.sha256: None if made.parent is None else bare[made.parent].sha256
        for one, made in zip(bare, found, strict=True)
    }
    assert parents == {"first": None, "crop": None, "caption": None, "inner": "crop", "again": None}


def test_versions_that_could_not_be_compared_are_not_passed_off_as_made_of_the_work(spread: Spread) -> None:
    lost = replace(spread, not_compared="the original is missing", without_preview=5)
    assert spread_lines(lost)[-1] == (
        "Which copy was made of which is not known: they could not be compared (the original is missing)."
    )
    assert (spread_json(lost)["not_compared"], spread_json(spread)["not_compared"]) == ("the original is missing", None)


def test_a_work_that_nobody_has_is_told_so() -> None:
    nowhere = Spread("asset_1", "Dunes", ())
    assert spread_lines(nowhere) == ["“Dunes” was not seen anywhere so far"]
    assert spread_json(nowhere)["first"] is None
    ElementTree.fromstring(spread_svg(nowhere))
