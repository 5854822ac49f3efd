"""Tells by file names whether two URLs that a page connects are renditions of one picture.

Connected are a picture and the link around it, or two attributes of one element. URLs that stand apart on a page need
more than similar names: see `renditions`.
"""

import re
from urllib.parse import unquote, urlsplit

from guardian.urls.renditions import picture_key, stated_width

_WORDS = {
    -1: "thumb thumbs thumbnail thumbnails tn th t s xs sm small mini m md medium preview low lowres",
    1: "l lg large xl xxl big b full fullsize o orig original originals zoom hd hires high max",
    0: "csm normal web resized cache crop cropped scaled webp jpg jpeg png avif images image img",
}
_SIZE_OF_WORD = {word: size for size, words in _WORDS.items() for word in words.split()}
"""Words that name renditions: -1 for smaller, 1 for larger, 0 when they say nothing about size."""

_SHORTEST_WORD_OF_FOLDER = 3
"""Folders of one letter or two are mostly shares of a large archive."""

_WORD = re.compile(r"[^\W_]+")
_BOX = re.compile(r"\d{2,5}x\d{2,5}|\d{2,5}(?:w|px)|[23]x")
_PIXELS = re.compile(r"[1-9]\d{2,3}")
_DIGEST = re.compile(r"(?=.*\d)[0-9a-f]{8,64}")
_ENDING = re.compile(r"\.(?:jpe?g|png|webp|avif|gif|jxl|heic)$")
_LAST_NUMBER = re.compile(r"[-_.]([1-9]\d{2,3})\.\w{3,4}$")
_DENSITY = re.compile(r"@([23])x\.\w{3,4}$")
_LEAST_RATIO = 1.2
_ROUND_TO = (10, 16)
"""Sizes of one picture are round and lie far apart. The running numbers of a camera are neither."""

_MOST_WORDS = 40
"""Words of one name that are compared; a longer name is made by a machine, and comparing costs time."""


def are_renditions(one: str, other: str, is_link: bool = False) -> bool:
    """Return whether two URLs that a page connects are renditions of one picture.

    Their folders must be equal but for words of size, unless one URL is a link around the other (`is_link`).
    """
    first, second = picture_key(one), picture_key(other)
    if "?" in first or "?" in second:
        # A query names the picture; nothing in it is taken for a size or an ending.
        return first == second
    if _ENDING.sub("", first) == _ENDING.sub("", second):
        return True
    if not (_ENDING.search(first) and _ENDING.search(second)):
        return False

    *folders, name = _path_parts(first)
    *other_folders, other_name = _path_parts(second)
    # /small/mug.jpg and /large/mug.jpg, but not /front/mug.jpg and /back/mug.jpg.
    if not is_link and _without_size_words(folders) != _without_size_words(other_folders):
        return False
    return _differ_in_size_only(name, other_name)


def rendition_rank(url: str) -> tuple[float, int, float, int]:
    """Return a sort key for the renditions of one picture: the larger its size by its URL, the larger the key.

    It holds the stated width in pixels (infinite for the original), the pixel density, the last number of the name
    (infinite without one), and the balance of words for large and small.
    """
    path = urlsplit(url).path
    density = _DENSITY.search(path)
    number = _LAST_NUMBER.search(path)

    folders, _, name = path.lower().rpartition("/")
    # The last folders are the ones that say a size.
    words = [word for word in _WORD.findall(folders)[-_MOST_WORDS:] if len(word) >= _SHORTEST_WORD_OF_FOLDER]
    words_of_name = _words_of(_ENDING.sub("", name))
    # A name of one word says what is seen, not how large.
    if len(words_of_name) > 1:
        words += words_of_name
    balance = sum(_SIZE_OF_WORD.get(word, 0) for word in words)

    return (
        stated_width(url),
        int(density[1]) if density else 1,
        float(number[1]) if number else float("inf"),
        balance,
    )


def _path_parts(key: str) -> list[str]:
    """Return the host, the folders and the file name without its ending, in lower case."""
    *folders, name = unquote(key.partition("?")[0]).lower().split("/")
    return [*folders, _ENDING.sub("", name)]


def _words_of(name: str) -> list[str]:
    return _WORD.findall(name)[:_MOST_WORDS]


def _is_size_word(word: str) -> bool:
    return word in _SIZE_OF_WORD or _BOX.fullmatch(word) is not None


def _without_size_words(words: list[str]) -> list[str]:
    return [word for word in words if not _is_size_word(word)]


def _differ_in_size_only(one: str, other: str) -> bool:
    """Return whether two file names share a word of their own, and differ in no more than their sizes."""
    words, other_words = _words_of(one), _words_of(other)
    shared = [word for word in words if word in other_words]
    # Names that share nothing but "thumb" have nothing in common.
    if not _without_size_words(shared):
        return one == other

    only_first = [word for word in words if word not in other_words]
    only_second = [word for word in other_words if word not in words]
    return _are_sizes_or_digest(_without_size_words(only_first), _without_size_words(only_second))


def _are_sizes_or_digest(only_first: list[str], only_second: list[str]) -> bool:
    """Return whether the words that two names do not share are a size in each, or a size or digest in one of them."""
    if len(only_first) > 1 or len(only_second) > 1:
        return False

    unshared = [*only_first, *only_second]
    if len(unshared) == 2:
        small, large = sorted(_pixels(word) for word in unshared)
        return 0 < small * _LEAST_RATIO <= large
    return all(_pixels(word) or _DIGEST.fullmatch(word) for word in unshared)


def _pixels(word: str) -> int:
    """Return the size in pixels that a word of a name states; 0 when it states none."""
    number = int(word) if _PIXELS.fullmatch(word) else 0
    return number if any(number % step == 0 for step in _ROUND_TO) else 0
