"""Labelled examples made from a pile of pictures: edited copies, distractors, and look-alikes that copy nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from guardian.errors import NotRecognisable
from guardian.evaluation import lookalikes
from guardian.evaluation.attacks import HARD, STANDARD, WILD, apply
from guardian.evaluation.pictures import Picture, is_recognisable, recompressed
from guardian.evaluation.pile import Examples, Pile, Query, Reference, piled
from guardian.evaluation.wild_edits import panorama, slide, strip_of_panels

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
_SMALL_CROPS = ("crop20", "crop10", "mirror_crop30")
"""Edits that may leave a piece of sky: such a piece is nobody's, and no copy to learn from."""

STANDARD_COPIES, HARD_COPIES, WILD_COPIES = 4, 2, 4
"""How many edits of each family every protected picture goes through."""

_SLIDES = 3
_SMALLEST_SIDE = 32


def _as_it_is(picture: Picture) -> Picture:
    return picture


def make_examples(pictures: Sequence[Picture], seed: int, keep: Callable[[Picture], Picture] = _as_it_is) -> Examples:
    """Protect and edit half of the pictures; the others are hosts, distractors and look-alikes.

    `keep` takes each picture that was made and returns it as it is to be held: see PictureFile.
    """
    pile = piled(pictures, seed)
    references = [Reference(pile.sized[number], frozenset([number])) for number in pile.owned]
    references += _variants(pile)
    queries = list[Query]()

    few = len(pictures) // 8
    for more_references, more_queries in (
        _long_pictures(pile, max(2, few // 4)),
        lookalikes.of_one_design(pile, max(4, len(pictures) // 4)),
        lookalikes.of_one_scene(pile, max(2, few // 4)),
        lookalikes.of_one_template(pile, min(120, len(pictures) // 2)),
        lookalikes.other_parts(pile),
    ):
        references += (replace(one, picture=keep(one.picture)) for one in more_references)
        queries += (replace(one, picture=keep(one.picture)) for one in more_queries)
    for made in (_copies(pile), _distractors(pile)):
        queries += (replace(one, picture=keep(one.picture)) for one in made)
    large = [query for query in queries if min(query.picture.shape[:2]) >= _SMALLEST_SIDE]
    return Examples(tuple(references), tuple(map(pile.settled, large)))


def _copies(pile: Pile) -> Iterator[Query]:
    for number in pile.owned:
        for family, count in ((STANDARD, STANDARD_COPIES), (HARD, HARD_COPIES), (WILD, WILD_COPIES)):
            for edit in pile.generator.choice(list(family), count, replace=False):
                near = pile.some_foreign(9)
                try:
                    shown = apply(str(edit), pile.sized[number], pile.generator, pile.shown(near))
                except NotRecognisable:
                    continue
                if edit not in _SMALL_CROPS or is_recognisable(shown):
                    yield Query(shown, str(edit), number, frozenset([number]), pile.any_part_of(near))


def _variants(pile: Pile) -> Iterator[Reference]:
    """Yield pictures that are protected several times, as catalogues do: saved again, cut, relit, captioned."""
    generator = pile.generator
    for number in generator.choice(pile.owned, len(pile.owned) // 8, replace=False):
        near = pile.shown(pile.some_foreign(9))
        for _ in range(int(generator.choice([1, 1, 2, 5]))):
            variant = apply(str(generator.choice(_VARIANT_EDITS)), pile.sized[int(number)], generator, near)
            yield Reference(variant, frozenset([int(number)]))


def _distractors(pile: Pile) -> Iterator[Query]:
    generator = pile.generator
    for number in pile.foreign * 3:
        near = pile.some_foreign(9)
        family = (None, STANDARD, WILD)[int(generator.choice(3, p=(0.4, 0.4, 0.2)))]
        shown, edit = pile.sized[number], None
        if family is not None:
            edit = str(generator.choice(list(family)))
            try:
                shown = apply(edit, shown, generator, pile.shown(near))
            except NotRecognisable:
                edit = None
        yield Query(shown, f"distractor_{edit}", number, frozenset(), pile.any_part_of([number, *near]))


def _long_pictures(pile: Pile, count: int) -> tuple[list[Reference], list[Query]]:
    """Protect strips of panels and panoramas; the slides that they are cut into are copies."""
    references, queries = [], []
    generator = pile.generator
    for number in range(count):
        parts = pile.some_foreign(min(int(generator.integers(4, 8)), len(pile.foreign)))
        join = strip_of_panels if number % 2 else panorama
        whole = join(pile.shown(parts), generator)
        original = pile.composed(parts)
        references.append(Reference(whole, frozenset([original])))
        for _ in range(_SLIDES):
            try:
                shown = recompressed(slide(whole, generator), int(generator.integers(70, 96)))
            except NotRecognisable:
                continue
            queries.append(Query(shown, "slide_of_long", original, frozenset([original]), pile.any_part_of(parts)))
    return references, queries
