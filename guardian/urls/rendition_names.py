"""Whether two addresses that a page connects (a link around a picture, two attributes of one element) are one picture.

Told by their names. Two that stand unconnected on a page need more than that: see `variants`.
"""

import re
from urllib.parse import unquote, urlsplit

from guardian.urls.renditions import picture_key, stated_width

_WORDS = {
    -1: "thumb thumbs thumbnail thumbnails tn th t s xs sm small mini m md medium preview low lowres",
    1: "l lg large xl xxl big b full fullsize o orig original originals zoom hd hires high max",
    0: "csm normal web resized cache crop cropped scaled webp jpg jpeg png avif images image img",
}
_SAID = {word: said for said, words in _WORDS.items() for word in words.split()}
"""Words for renditions, and whether they say smaller or larger."""

_SHORTEST_WORD_OF_FOLDER = 3
"""Folders of one letter or two are mostly shares of a large archive."""

_PART = re.compile(r"[^\W_]+")
_BOX = re.compile(r"\d{2,5}x\d{2,5}|\d{2,5}(?:w|px)|[23]x")
_PIXELS = re.compile(r"[1-9]\d{2,3}")
_DIGEST = re.compile(r"(?=.*\d)[0-9a-f]{8,64}")
_ENDING = re.compile(r"\.(?:jpe?g|png|webp|avif|gif|jxl|heic)$")
_LAST_NUMBER = re.compile(r"[-_.]([1-9]\d{2,3})\.\w{3,4}$")
_DENSITY = re.compile(r"@([23])x\.\w{3,4}$")
_FEWEST_TIMES = 1.2
_STEPS = (10, 16)
"""Sizes of one picture are round and lie far apart; the numbers of two that a camera took are and do not."""

_MOST_PARTS = 40


def are_renditions(one: str, other: str, is_link: bool = False) -> bool:
    """Whether one is a rendition of the other. `is_link`: one links to the other, so that folders may differ."""
    first, second = picture_key(one), picture_key(other)
    if "?" in first or "?" in second:
        # A query names the picture; nothing in it is taken for a size or an ending.
        return first == second
    if _ENDING.sub("", first) == _ENDING.sub("", second):
        return True
    if not (_ENDING.search(first) and _ENDING.search(second)):
        return False
    place, other_place = _place(first), _place(second)
    if is_link:
        return _differ_in_size_only(place[-1], other_place[-1])
    # /small/mug.jpg and /large/mug.jpg, but not /front/mug.jpg and /back/mug.jpg.
    folders = ([part for part in parts[:-1] if not _is_rendition(part)] for parts in (place, other_place))
    return next(folders) == next(folders) and _differ_in_size_only(place[-1], other_place[-1])


def rank(url: str) -> tuple[float, int, float, int]:
    """What an address says about its size, for putting those of one picture in order: larger is more."""
    path = urlsplit(url).path
    density = _DENSITY.search(path)
    number = _LAST_NUMBER.search(path)
    folders, _, name = path.lower().rpartition("/")
    words = [part for part in _PART.findall(folders)[-_MOST_PARTS:] if len(part) >= _SHORTEST_WORD_OF_FOLDER]
    parts = _PART.findall(_ENDING.sub("", name))[:_MOST_PARTS]
    # A name of one word says what is seen, not how large.
    said = sum(_SAID.get(part, 0) for part in (words + parts if len(parts) > 1 else words))
    return stated_width(url), int(density[1]) if density else 1, float(number[1]) if number else float("inf"), said


def _place(key: str) -> list[str]:
    """Host, folders and the name without its ending."""
    *folders, name = unquote(key.partition("?")[0]).lower().split("/")
    return [*folders, _ENDING.sub("", name)]


def _is_rendition(part: str) -> bool:
    return part in _SAID or _BOX.fullmatch(part) is not None


def _differ_in_size_only(one: str, other: str) -> bool:
    """Whether two names share all but words for sizes."""
    parts, others = _PART.findall(one)[:_MOST_PARTS], _PART.findall(other)[:_MOST_PARTS]
    mine = [part for part in parts if part not in others]
    theirs = [part for part in others if part not in parts]
    shared = [part for part in parts if part in others]
    if not shared or all(_is_rendition(part) for part in shared):
        return one == other
    return _say_sizes(
        [part for part in mine if not _is_rendition(part)], [part for part in theirs if not _is_rendition(part)]
    )


def _say_sizes(mine: list[str], theirs: list[str]) -> bool:
    """Whether what two names do not share is at most a size, or a digest that one of them has."""
    if len(mine) > 1 or len(theirs) > 1:
        return False
    left = [*mine, *theirs]
    if len(left) == 2:
        small, large = sorted(_pixels(part) for part in left)
        return 0 < small * _FEWEST_TIMES <= large
    return all(_pixels(part) or _DIGEST.fullmatch(part) for part in left)


def _pixels(part: str) -> int:
    """The size that a number in a name is; 0 for what is none."""
    number = int(part) if _PIXELS.fullmatch(part) else 0
    return number if any(number % step == 0 for step in _STEPS) else 0
