"""Says which words of a picture answer a text that was asked with, and where they stand."""

from collections.abc import Iterable, Sequence

from guardian.model import Asset, SeenAddress
from guardian.store.words import file_name
from guardian.views.word_tokens import Term, found_in

_BEFORE, _AFTER = 24, 48
"""Signs shown on either side of the first word that was found."""


def words_of_asset(asset: Asset, asked: Sequence[Term]) -> str | None:
    """Return the words of an asset that answer some terms, and where they stand; None when none do."""
    rights = asset.rights
    return _first(
        (
            ("title", asset.title),
            *(("tag", tag) for tag in asset.tags),
            ("keywords", asset.description.keywords),
            ("caption", asset.description.caption),
            ("collection", asset.collection),
            ("creator", rights.creator),
            ("copyright notice", rights.copyright_notice),
            ("licensor", rights.licensor),
            ("file name", file_name(asset.path)),
        ),
        asked,
    )


def words_of_places(places: Sequence[SeenAddress], asked: Sequence[Term]) -> str | None:
    """Return the words around a picture that answer some terms best, and where they stand; None when none do."""
    captions = [
        named
        for place in places
        for named in (
            ("alt text", place.context.alt),
            ("title", place.context.title),
            ("caption", place.context.caption),
        )
    ]
    titles = [("page title", place.context.page_title) for place in places]
    around = [
        named
        for place in places
        for named in (
            ("text nearby", place.context.nearby_text),
            ("claims", place.context.claims),
            ("file name", file_name(place.image_url)),
        )
    ]
    return _first((*captions, *titles, *around), asked)


def _first(texts: Iterable[tuple[str, str | None]], asked: Sequence[Term]) -> str | None:
    """Return the text with most of the terms, the earlier one of equals, cut to what is around the first of them."""
    best: tuple[int, str] | None = None
    for name, text in texts:
        if not text:
            continue
        count = sum(found_in(text, [term]) is not None for term in asked)
        place = found_in(text, asked)
        if place is not None and (best is None or count > best[0]):
            best = (count, f"“{_cut(text, place)}” ({name})")
    return best[1] if best is not None else None


def _cut(text: str, place: tuple[int, int]) -> str:
    start, end = max(0, place[0] - _BEFORE), min(len(text), place[1] + _AFTER)
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"
