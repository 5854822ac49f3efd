"""Labelled examples made from a pile of pictures: edited copies, distractors, and look-alikes that copy nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.evaluation.attacks import (
    HARD,
    STANDARD,
    Picture,
    apply,
    as_meme,
    cropped,
    in_screenshot,
    padded,
    recompressed,
    shrunk,
    with_stickers,
    with_text,
)

_VARIANT_EDITS = (
    "jpeg10_30",
    "crop70",
    "grayscale",
    "bright_contr_sat",
    "pad",
    "overlay_text",
    "overlay_emoji",
    "meme",
)
_SIBLING_EDITS = ("jpeg10_30", "crop70", "hflip", "bright_contr_sat", "rot5_15")


@dataclass(frozen=True, slots=True)
class Reference:
    """A protected picture. `shows` are the originals (by number) of which it shows pixels; a half is `_half_of` one."""

    picture: Picture
    shows: frozenset[int]


@dataclass(frozen=True, slots=True)
class Query:
    """A candidate. `copies` are the originals whose pixels it shows on purpose; `edit` names what was done.

    A reference that shows none of `copies` is none of its sources; one that shows pixels of a host or a
    neighbour is left out of the count, since calling that a copy is no fault (`may_show`). `main` is the
    original that the candidate is mostly made of.
    """

    picture: Picture
    edit: str
    main: int
    copies: frozenset[int]
    may_show: frozenset[int]


@dataclass(frozen=True, slots=True)
class Examples:
    """What one seed makes of a pile of pictures."""

    references: tuple[Reference, ...]
    queries: tuple[Query, ...]


def make_examples(pictures: Sequence[Picture], seed: int) -> Examples:
    """Protect and edit half of the pictures; the others are hosts, distractors and look-alikes."""
    generator = np.random.default_rng(seed)
    order = [int(number) for number in generator.permutation(len(pictures))]
    sized = {number: _web_sized(pictures[number], generator) for number in order}
    owned, foreign = order[: len(order) // 2], order[len(order) // 2 :]

    references = [Reference(sized[number], frozenset([number])) for number in owned]
    queries = list(_copies(sized, owned, foreign, generator))
    references += _variants(sized, owned, foreign, generator)
    for make in (_templates, _siblings):
        more_references, more_queries = make(sized, foreign, generator)
        references += more_references
        queries += more_queries
    queries += _distractors(sized, foreign, generator)
    return Examples(tuple(references), tuple(query for query in queries if min(query.picture.shape[:2]) >= 32))


def _web_sized(picture: Picture, generator: np.random.Generator) -> Picture:
    longer = max(picture.shape[:2])
    return shrunk(picture, min(longer, int(generator.integers(400, 1000))))


def _neighbours(sized: dict[int, Picture], foreign: Sequence[int], generator: np.random.Generator) -> list[int]:
    return [int(number) for number in generator.choice(foreign, 9, replace=False)]


def _copies(
    sized: dict[int, Picture], owned: Sequence[int], foreign: Sequence[int], generator: np.random.Generator
) -> Iterator[Query]:
    for number in owned:
        standard = generator.choice(list(STANDARD), 4, replace=False)
        hard = generator.choice(list(HARD), 2, replace=False)
        for edit in (*standard, *hard):
            near = _neighbours(sized, foreign, generator)
            shown = apply(str(edit), sized[number], generator, [sized[other] for other in near])
            yield Query(shown, str(edit), number, frozenset([number]), _any_part_of(near))


def _variants(
    sized: dict[int, Picture], owned: Sequence[int], foreign: Sequence[int], generator: np.random.Generator
) -> Iterator[Reference]:
    """Yield pictures that are protected several times, as catalogues do: saved again, cut, relit, captioned."""
    for number in generator.choice(owned, len(owned) // 8, replace=False):
        near = [sized[other] for other in _neighbours(sized, foreign, generator)]
        for _ in range(int(generator.choice([1, 1, 2, 5]))):
            variant = apply(str(generator.choice(_VARIANT_EDITS)), sized[int(number)], generator, near)
            yield Reference(variant, frozenset([int(number)]))


def _distractors(sized: dict[int, Picture], foreign: Sequence[int], generator: np.random.Generator) -> Iterator[Query]:
    for number in list(foreign) * 3:
        near = _neighbours(sized, foreign, generator)
        edit = str(generator.choice(list(STANDARD))) if generator.random() < 0.6 else None
        shown = sized[number]
        if edit is not None:
            shown = apply(edit, shown, generator, [sized[other] for other in near])
        yield Query(shown, f"distractor_{edit}", number, frozenset(), _any_part_of([number, *near]))


def _templates(
    sized: dict[int, Picture], foreign: Sequence[int], generator: np.random.Generator
) -> tuple[list[Reference], list[Query]]:
    """Make pictures that share a watermark, caption, sticker, frame or page with a protected one, and nothing else."""
    references, queries = [], []
    decor = [int(number) for number in generator.choice(foreign, min(40, len(foreign)), replace=False)]
    for number in range(120):
        name = list(_TEMPLATES)[number % len(_TEMPLATES)]
        shared = [int(other) for other in generator.choice(decor, 7, replace=False)] if generator.random() < 0.6 else []
        beside = [sized[other] for other in shared]
        seed = int(generator.integers(1 << 31))
        # Some templates are on one protected picture only, some on a dozen: both happen.
        group = int(generator.choice([1, 1, 2, 4, 12]))
        chosen = [int(other) for other in generator.choice(foreign, group + 3, replace=False)]

        for other in chosen[:group]:
            framed = _TEMPLATES[name](sized[other], np.random.default_rng(seed), beside)
            references.append(Reference(framed, frozenset([other])))

        for other in chosen[group:]:
            shown = _TEMPLATES[name](sized[other], np.random.default_rng(seed), beside)
            shown = recompressed(shown, int(generator.integers(60, 95)))
            if generator.random() < 0.25:
                shown = np.ascontiguousarray(cropped(shown, generator, 0.85))
            queries.append(Query(shown, f"template_{name}", other, frozenset(), _any_part_of([other, *shared])))
    return references, queries


def _siblings(
    sized: dict[int, Picture], foreign: Sequence[int], generator: np.random.Generator
) -> tuple[list[Reference], list[Query]]:
    """Make the other half of a protected picture: the same scene, light and texture, and no common pixel."""
    references, queries = [], []
    for number in generator.choice(foreign, min(len(foreign), 100), replace=False):
        picture = sized[int(number)]
        height, width = picture.shape[:2]
        cut = generator.uniform(0.4, 0.6)
        if generator.random() < 0.5:
            mine, other = picture[:, : int(cut * width)], picture[:, int(cut * width) :]
        else:
            mine, other = picture[: int(cut * height)], picture[int(cut * height) :]

        near = [sized[n] for n in _neighbours(sized, foreign, generator)]
        shown = apply(str(generator.choice(_SIBLING_EDITS)), other, generator, near)
        # The half itself must not be found by its other half; pictures of the whole may be.
        references.append(Reference(np.ascontiguousarray(mine), frozenset([_half_of(int(number))])))
        queries.append(Query(shown, "sibling", int(number), frozenset(), frozenset([int(number)])))
    return references, queries


def _half_of(number: int) -> int:
    """Return the name of the protected half of a picture, apart from that of the whole."""
    return -1 - number


def _any_part_of(numbers: Sequence[int]) -> frozenset[int]:
    """Return the pictures and their halves: what shows the whole shows the half too."""
    return frozenset([*numbers, *map(_half_of, numbers)])


def _watermarked(picture: Picture, generator: np.random.Generator) -> Picture:
    image = Image.fromarray(picture).convert("RGBA")
    width, height = image.size
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(max(8, int(width * generator.uniform(0.05, 0.16))))
    text = " ".join(generator.choice(("photo", "studio", "archive", "(c)", "stock", "preview"), 2))
    ink = (255, 255, 255, int(generator.integers(70, 200)))

    for _ in range(int(generator.integers(1, 12))):
        place = (width * generator.uniform(-0.05, 0.7), height * generator.uniform(0, 0.92))
        draw.text(place, text, fill=ink, font=font)
    if generator.random() < 0.4:
        draw.line((0, 0, width, height), fill=ink, width=4)
        draw.line((0, height, width, 0), fill=ink, width=4)
    return np.array(Image.alpha_composite(image, layer).convert("RGB"), dtype=np.uint8)


_TEMPLATES: dict[str, Callable[[Picture, np.random.Generator, Sequence[Picture]], Picture]] = {
    "watermark": lambda p, g, d: _watermarked(p, g),
    "meme": lambda p, g, d: as_meme(p, g),
    "sticker": lambda p, g, d: with_stickers(with_text(p, g, 2), g, 3),
    "screenshot": in_screenshot,
    "border": lambda p, g, d: with_text(padded(p, g), g, 2),
}
"""How each kind lays the same template over any picture; the last argument are pictures that belong to it."""
