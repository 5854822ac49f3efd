"""Which pictures are versions of one work: whole-picture edits are, look-alikes, crops and other forms are not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from guardian.matching.features.image import Picture, decode
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.whole import compare_whole

SETTINGS = MatchingSettings()
Edit = Callable[[Image.Image], Image.Image]


def stored(image: Image.Image, kind: str = "JPEG", quality: int = 85) -> Picture:
    file = io.BytesIO()
    image.save(file, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return decode(file.getvalue(), SETTINGS)


def are_same(one: Picture, other: Picture) -> bool:
    compared = compare_whole(one, other)
    return compared is not None and compared.is_same


def scaled(share: float) -> Edit:
    return lambda image: image.resize((round(image.width * share), round(image.height * share)))


def trimmed(share: float) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        across, down = round(image.width * share), round(image.height * share)
        return image.crop((across, down, image.width - across, image.height - down))

    return edit


def graded(image: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(1.4)).enhance(1.15)


def spotless(image: Image.Image) -> Image.Image:
    """A blemish was painted over: half a percent of the picture."""
    edited = image.copy()
    side = round((image.width * image.height * 0.005) ** 0.5)
    box = (image.width // 3, image.height // 3, image.width // 3 + side, image.height // 3 + side)
    colour = tuple(int(level) for level in np.asarray(image.crop(box)).reshape(-1, 3).mean(axis=0))
    edited.paste(colour, box)
    return edited


def captioned(image: Image.Image) -> Image.Image:
    edited = image.copy()
    band = image.height // 5
    ImageDraw.Draw(edited).rectangle((0, image.height - band, image.width, image.height), fill="black")
    ImageDraw.Draw(edited).text(
        (10, image.height - band + 5), "WHEN IT IS MONDAY", fill="white", font=ImageFont.load_default(band * 0.6)
    )
    return edited


VERSIONS: dict[str, Edit] = {
    "half its size": scaled(0.5),
    "grey": lambda image: image.convert("L"),
    "CMYK": lambda image: image.convert("CMYK"),
    "other colours": graded,
    "retouched": spotless,
    "mirrored": ImageOps.mirror,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "a stretched frame": lambda image: image.resize((image.width, round(image.height * 0.9))),
    "trimmed by a hair": trimmed(0.01),
}
OTHERS: dict[str, Edit] = {
    "a crop": trimmed(0.08),
    "half of it": lambda image: image.crop((0, 0, image.width // 2, image.height)),
    "with a caption": captioned,
    "inverted": ImageOps.invert,
    "in a frame": lambda image: ImageOps.expand(image, image.width // 10, "white"),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_versions_of_a_photograph_are_the_same_picture(photographs: dict[str, Image.Image], name: str) -> None:
    pictures = [photographs[one].convert("RGB") for one in ("astronaut", "coffee", "rocket", "cat")]
    same = [are_same(stored(one, "PNG"), stored(VERSIONS[name](one))) for one in pictures]
    assert sum(same) >= 3, same


@pytest.mark.parametrize("name", OTHERS)
def test_what_shows_less_or_more_than_the_photograph_is_another_picture(
    photographs: dict[str, Image.Image], name: str
) -> None:
    pictures = [photographs[one].convert("RGB") for one in ("astronaut", "coffee", "rocket", "cat")]
    assert not any(are_same(stored(one, "PNG"), stored(OTHERS[name](one))) for one in pictures)


def test_no_two_photographs_are_the_same_picture(photographs: dict[str, Image.Image]) -> None:
    pictures = [stored(photographs[name].convert("RGB").resize((400, 300))) for name in sorted(photographs)[:6]]
    found = [(i, j) for i in range(6) for j in range(i) if are_same(pictures[i], pictures[j])]
    assert found == []


def form(seed: int, answers: int = 12) -> Image.Image:
    """A page of a printed form; the seed says what was written into the last line, and for seed above 99 everywhere."""
    page = Image.new("RGB", (850, 1100), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    draw.text((60, 40), "APPLICATION FOR A PERMIT", fill="black", font=ImageFont.load_default(36))
    for line in range(answers):
        top = 130 + line * 75
        draw.text((60, top), f"{line + 1}. Question number {line + 1} of this form", fill="black", font=font)
        draw.rectangle((420, top - 8, 790, top + 40), outline="black", width=2)
        is_same = seed < 100 and line < answers - 1
        generator = np.random.default_rng(line if is_same else 1000 * seed + line)
        word = "".join(chr(97 + int(letter)) for letter in generator.integers(0, 26, 12))
        draw.text((430, top), word, fill="black", font=font)
    return page


@pytest.mark.parametrize("seeds", [(1, 2), (101, 102)], ids=["one line differs", "every line differs"])
def test_two_forms_of_one_template_are_two_works(seeds: tuple[int, int]) -> None:
    one, other = (form(seed) for seed in seeds)
    assert not are_same(stored(one, "PNG"), stored(other, "PNG"))
    assert not are_same(stored(one, "PNG"), stored(scaled(0.6)(other)))


def test_versions_of_a_form_are_one_work_as_long_as_it_can_be_read() -> None:
    page = form(1)
    assert are_same(stored(page, "PNG"), stored(page, quality=60))
    assert are_same(stored(page, "PNG"), stored(scaled(0.6)(page)))
    assert are_same(stored(page, "PNG"), stored(page.convert("L"), "PNG"))
    # At 220 pixels one form looks like the next.
    assert not are_same(stored(page, "PNG"), stored(scaled(0.2)(page)))
