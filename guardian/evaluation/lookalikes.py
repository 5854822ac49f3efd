"""Pictures that look like protected ones and copy nothing: shared frames, other halves, one design, one scene."""

from collections import Counter
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.evaluation import templates
from guardian.evaluation.attacks import apply
from guardian.evaluation.designs.canvas import scanned
from guardian.evaluation.pictures import Picture, cropped, is_recognisable, recompressed, resized, shrunk
from guardian.evaluation.pile import Pile, Query, Reference, half_of
from guardian.evaluation.standard_edits import as_meme, in_screenshot, padded, with_stickers, with_text
from guardian.evaluation.subject_edits import free_outline

_SIBLING_EDITS = ("jpeg10_30", "crop70", "hflip", "bright_contr_sat", "rot5_15")
_MOST_SIBLINGS = 200

_REPEATS_SIDE, _BLOCK, _TEXTURED = 112, 16, 8.0
"""Pixels of the longer side and of a block where parts are compared, and deviation of its greys that says something."""

_REPEATED, _REPEATS_SHARE, _LEAST_BLOCKS = 0.85, 0.2, 8
"""Correlation of a block that stands in the other part too; share of the blocks that make it a repeat, and how many."""

_GROUPS = (1, 1, 2, 4, 10)
"""How many pictures of one design are protected."""

_STRANGERS_OF_DESIGN, _COPIED_OF_DESIGN = 4, 3
_SCANNED_SHARE = 0.2
_GENTLE_EDITS = (
    "jpeg10_30", "grayscale", "pad", "overlay_text", "bright_contr_sat", "hue_filter", "meme", "rot5_15", "perspective",
)  # fmt: skip

_THINGS, _VIEW = 320, (640, 440)

Drawn = tuple[list[Reference], list[Query]]


def of_one_template(pile: Pile, count: int) -> Drawn:
    """Make pictures that share a watermark, caption, sticker, frame or page with a protected one, and nothing else."""
    references, queries = [], []
    generator, decor = pile.generator, pile.some_foreign(min(40, len(pile.foreign)))
    for number in range(count):
        name = list(_FRAMES)[number % len(_FRAMES)]
        shared = [int(other) for other in generator.choice(decor, 7, replace=False)] if generator.random() < 0.6 else []
        beside = pile.shown(shared)
        seed = int(generator.integers(1 << 31))
        # Some templates are on one protected picture only, some on a dozen: both happen.
        group = int(generator.choice([1, 1, 2, 4, 12]))
        chosen = pile.some_foreign(min(group + 3, len(pile.foreign)))
        # What stands beside is shown by every page of the template: whoever asks for it finds it there rightly.
        template = pile.composed(shared)

        for other in chosen[3:]:
            framed = _FRAMES[name](pile.sized[other], np.random.default_rng(seed), beside)
            references.append(Reference(framed, frozenset([other, template])))

        for other in chosen[:3]:
            shown = _FRAMES[name](pile.sized[other], np.random.default_rng(seed), beside)
            shown = recompressed(shown, int(generator.integers(60, 95)))
            if generator.random() < 0.25:
                shown = np.ascontiguousarray(cropped(shown, generator, 0.85))
            may_show = pile.any_part_of([other, *shared])
            queries.append(Query(shown, f"template_{name}", template, frozenset(), may_show))
    return references, queries


def other_parts(pile: Pile) -> Drawn:
    """Make the other part of a protected half, third or corner: the same scene, light and texture, no common pixel."""
    references, queries = [], []
    generator = pile.generator
    for number in pile.some_foreign(min(len(pile.foreign), _MOST_SIBLINGS)):
        mine, other = _cut_apart(pile.sized[number], generator)
        near = pile.shown(pile.some_foreign(9))
        shown = apply(str(generator.choice(_SIBLING_EDITS)), other, generator, near)
        # The half itself must not be found by its other half; pictures of the whole may be.
        references.append(Reference(np.ascontiguousarray(mine), frozenset([half_of(number)])))
        if not repeats(mine, other):
            may_show = pile.any_part_of([number]) - {half_of(number)}
            queries.append(Query(shown, "sibling", number, frozenset(), may_show))
    return references, queries


def repeats(picture: Picture, other: Picture) -> bool:
    """Return whether the other picture shows a fifth of what the first does, moved or mirrored.

    A symmetrical drawing does, a motif that was drawn twice, a reflection in water: the other half of these is a copy
    of the first for everybody who sees it, and a stranger by its label.
    """
    factor = _REPEATS_SIDE / max(*picture.shape[:2], *other.shape[:2])
    mine, theirs = (
        cv2.cvtColor(resized(part, part.shape[1] * factor, part.shape[0] * factor), cv2.COLOR_RGB2GRAY)
        for part in (picture, other)
    )
    places = [
        (top, left)
        for top in range(0, mine.shape[0] - _BLOCK + 1, _BLOCK // 2)
        for left in range(0, mine.shape[1] - _BLOCK + 1, _BLOCK // 2)
        if mine[top : top + _BLOCK, left : left + _BLOCK].std() > _TEXTURED
    ]
    if not places or min(theirs.shape) < _BLOCK:
        return False

    for view in (theirs, theirs[:, ::-1], theirs[::-1], theirs[::-1, ::-1]):
        shifts = Counter[tuple[int, int]]()
        for top, left in places:
            block = mine[top : top + _BLOCK, left : left + _BLOCK]
            found = cv2.matchTemplate(np.ascontiguousarray(view), block, cv2.TM_CCOEFF_NORMED)
            _, best, _, (x, y) = cv2.minMaxLoc(found)
            if best > _REPEATED:
                # A pixel more or less is none.
                shifts.update({((y - top + a) // 2, (x - left + b) // 2) for a in (0, 1) for b in (0, 1)})
        if shifts and max(shifts.values()) >= max(_LEAST_BLOCKS, _REPEATS_SHARE * len(places)):
            return True
    return False


def _cut_apart(picture: Picture, generator: np.random.Generator) -> tuple[Picture, Picture]:
    """Cut a picture at one line and return the parts in either order; sometimes with a gap between them."""
    turned = picture if generator.random() < 0.5 else picture.transpose(1, 0, 2)
    wide = turned.shape[1]
    cut = generator.uniform(0.35, 0.65)
    gap = generator.uniform(0, 0.1) if generator.random() < 0.3 else 0.0
    parts = [turned[:, : int((cut - gap) * wide)], turned[:, int(cut * wide) :]]
    if turned is not picture:
        parts = [part.transpose(1, 0, 2) for part in parts]
    first = int(generator.integers(0, 2))
    return np.ascontiguousarray(parts[first]), np.ascontiguousarray(parts[1 - first])


def of_one_design(pile: Pile, count: int, of_kinds: Sequence[str] = tuple(templates.KINDS)) -> Drawn:
    """Protect some pictures of `count` designs; others of the design are strangers, edited ones of them copies.

    Every second design is one whose pictures hardly differ: a name, a number, a few men on a board. Of every fifth the
    pages were scanned.
    """
    references, queries = list[Reference](), list[Query]()
    kinds = [str(kind) for kind in pile.generator.permutation(list(of_kinds))]
    for number in range(count):
        # Each kind comes in turn, once of either sort.
        kind, hardly_differ = kinds[number // 2 % len(kinds)], number % 2 == 1
        group = int(pile.generator.choice(_GROUPS))
        contents = pile.some_foreign(min(group + _STRANGERS_OF_DESIGN, len(pile.foreign)))
        # Half of the others show photographs, the rest artwork of which nothing else is made.
        has_photographs = not hardly_differ and pile.generator.random() < 0.5
        drawn = templates.make(
            kind, pile.generator, group + _STRANGERS_OF_DESIGN, pile.shown(contents) if has_photographs else ()
        )
        if hardly_differ:
            drawn = [drawn[0], *(templates.mostly(drawn[0], other, pile.generator) for other in drawn[1:])]
        pages = drawn
        if pile.generator.random() < _SCANNED_SHARE:
            pages = [scanned(picture, pile.generator) for picture in drawn]
        edited = _shown_whole if hardly_differ else _gently_edited

        for place, page in enumerate(pages):
            parts = [contents[place % len(contents)]] if has_photographs else []
            original = pile.composed(parts)
            may_show = pile.any_part_of(parts)
            if place < group:
                references.append(Reference(page, frozenset([original])))
            if place < min(group, _COPIED_OF_DESIGN):
                copies = [(f"of_design_{kind}", edited(page, pile))]
                box = _particular_quarter(drawn, place, pile.generator)
                if box is not None and pile.generator.random() < 0.5:
                    quarter = recompressed(np.ascontiguousarray(page[box]), int(pile.generator.integers(60, 95)))
                    copies.append((f"quarter_of_design_{kind}", quarter))
                queries += [Query(copy, edit, original, frozenset([original]), may_show) for edit, copy in copies]
            # Of what differs in colour alone, a matcher that sees greys says rightly that it is the same.
            if place >= group and all(templates.differ_in_tone(drawn[place], mine) for mine in drawn[:group]):
                seen = edited(page, pile) if pile.generator.random() < 0.5 else page
                queries.append(Query(seen, f"design_{kind}", original, frozenset(), may_show))
    return references, queries


def _particular_quarter(
    drawn: Sequence[Picture], place: int, generator: np.random.Generator
) -> tuple[slice, slice] | None:
    """Return rows and columns of a quarter of one page of a design, None if any other page looks the same there."""
    height, width = drawn[place].shape[:2]
    top, left = int(generator.uniform(0, 0.5) * height), int(generator.uniform(0, 0.5) * width)
    box = slice(top, top + height // 2), slice(left, left + width // 2)
    quarter, *same = (np.ascontiguousarray(page[box]) for page in (drawn[place], *drawn[:place], *drawn[place + 1 :]))
    is_particular = is_recognisable(quarter) and all(templates.differ_in_tone(quarter, one) for one in same)
    return box if is_particular else None


def _gently_edited(picture: Picture, pile: Pile) -> Picture:
    """Save again, scale, cut lightly, show in a page, or edit in a way that keeps what is particular."""
    generator = pile.generator
    kind = int(generator.integers(0, 5))
    if kind == 0:
        picture = cropped(picture, generator, generator.uniform(0.75, 0.95))
    if kind == 1:
        return apply(str(generator.choice(_GENTLE_EDITS)), picture, generator, pile.shown(pile.some_foreign(9)))
    return _shown_whole(picture, pile)


def _shown_whole(picture: Picture, pile: Pile) -> Picture:
    """Save again, scale or show in a page: edits that neither hide nor add a word."""
    generator = pile.generator
    kind = int(generator.integers(0, 3))
    if kind == 0:
        picture = shrunk(picture, int(max(picture.shape[:2]) * generator.uniform(0.4, 1.5)))
    if kind == 1:
        picture = in_screenshot(picture, generator)
    return recompressed(np.ascontiguousarray(picture), int(generator.integers(30, 95)))


def of_one_scene(pile: Pile, count: int) -> Drawn:
    """Make two photographs of one scene from different places, the first of them protected.

    The scene is full of things at all distances, so that no shift, turn or projection brings more than a few of them
    into line: what two frames of a walk share. Scenes that differ only in small movements would be warped copies.
    """
    references, queries = [], []
    for _ in range(count):
        things = pile.some_foreign(min(30, len(pile.foreign)))
        first, second = _two_views(pile.shown(things), pile.generator)
        scene = pile.composed(things)
        references.append(Reference(first, frozenset([scene])))
        queries.append(Query(second, "scene", scene, frozenset(), pile.any_part_of(things)))
    return references, queries


def _two_views(pictures: Sequence[Picture], generator: np.random.Generator) -> tuple[Picture, Picture]:
    """Fill the view with pieces of pictures at different distances and look at them from two places."""
    width, height = _VIEW
    sky = np.linspace(generator.integers(90, 250, 3), generator.integers(60, 250, 3), height)
    views = [np.repeat(sky[:, None], width, axis=1).astype(np.uint8) for _ in range(2)]
    baseline = generator.uniform(0.08, 0.4) * width * (1 if generator.random() < 0.5 else -1)
    growth, light = generator.uniform(-0.2, 0.2), generator.uniform(0.8, 1.2)

    # From far to near, each nearer one larger and moved further; near ones hide what lies behind.
    for nearness in np.sort(generator.uniform(0.05, 1.0, _THINGS)):
        thing, shape = _thing(pictures[int(generator.integers(0, len(pictures)))], 28 + 45 * nearness, generator)
        x, y = generator.uniform(-0.4, 1.3) * width, generator.uniform(0.05, 0.95) * height
        _put(views[0], thing, shape, (int(x), int(y)), 1.0)

        # Leaves, people and cars have moved a little by themselves meanwhile.
        x, y = np.array([x + baseline * nearness, y]) + generator.normal(0, 3, 2)
        size = 1 + growth * nearness
        thing, shape = (resized(part, part.shape[1] * size, part.shape[0] * size) for part in (thing, shape))
        _put(views[1], thing, shape, (int(x), int(y)), light)
    return views[0], recompressed(views[1], int(generator.integers(70, 95)))


def _thing(picture: Picture, side: float, generator: np.random.Generator) -> tuple[Picture, Picture]:
    """Cut a thing out of a part of a picture: its pixels, `side` pixels long, and its shape as uint8 [h, w]."""
    part = np.ascontiguousarray(cropped(picture, generator, generator.uniform(0.02, 0.15)))
    thing = shrunk(part, int(side))
    return thing, free_outline(thing.shape, generator)


def _put(view: Picture, piece: Picture, mask: Picture, place: tuple[int, int], light: float) -> None:
    """Paste a thing into a view, as far as it lies inside."""
    left, top = place
    rows = slice(max(0, top), max(0, min(view.shape[0], top + piece.shape[0])))
    columns = slice(max(0, left), max(0, min(view.shape[1], left + piece.shape[1])))
    seen = view[rows, columns]
    if not seen.size:
        return
    down, across = rows.start - top, columns.start - left
    cut = piece[down : down + seen.shape[0], across : across + seen.shape[1]]
    alpha = mask[down : down + seen.shape[0], across : across + seen.shape[1], None] / 255.0
    seen[:] = np.clip(seen * (1 - alpha) + cut * light * alpha, 0, 255).astype(np.uint8)


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


_FRAMES: dict[str, Callable[[Picture, np.random.Generator, Sequence[Picture]], Picture]] = {
    "watermark": lambda p, g, d: _watermarked(p, g),
    "meme": lambda p, g, d: as_meme(p, g),
    "sticker": lambda p, g, d: with_stickers(with_text(p, g, 2), g, 3),
    "screenshot": in_screenshot,
    "border": lambda p, g, d: with_text(padded(p, g), g, 2),
}
"""How each kind lays the same template over any picture; the last argument are pictures that belong to it."""
