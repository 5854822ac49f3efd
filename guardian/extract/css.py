"""Finds what style sheets name: pictures in url() and image-set(), and imported sheets."""

import re
from collections.abc import Sequence

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE_WITHOUT_PICTURE = re.compile(
    r"@(?:import|namespace|charset)\b[^;]*(?:;|\Z)|@font-face\s*\{[^}]*(?:\}|\Z)", re.IGNORECASE
)
# Possessive throughout, and no parenthesis in a bare URL (CSS Syntax, 4.3.6), so a hostile sheet costs one pass.
_URL = re.compile(
    r"""url\(\s*+(?:"((?:\\.|[^"\\])*+)"|'((?:\\.|[^'\\])*+)'|((?:\\[0-9a-f]{1,6}+\s?|\\.|[^()'"\s\\])*+))\s*+\)""",
    re.IGNORECASE,
)
_IMPORT = re.compile(rf"""@import\s*+(?:{_URL.pattern}|"((?:\\.|[^"\\])++)"|'((?:\\.|[^'\\])++)')""", re.IGNORECASE)
_IMAGE_SET = re.compile(r"image-set\(", re.IGNORECASE)
_TYPE = re.compile(r"""type\(\s*+(?:"[^"]*+"|'[^']*+')\s*+\)""", re.IGNORECASE)
_OPTION = re.compile(
    rf"""(?:{_URL.pattern}|"((?:\\.|[^"\\])++)"|'((?:\\.|[^'\\])++)')\s*+(?:(\d{{1,4}}+(?:\.\d{{1,4}}+)?)(x|dppx|dpi))?""",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_PARENTHESIS = re.compile(r"[()]")
_NO_PICTURE = (".woff", ".woff2", ".ttf", ".otf", ".eot", ".css", ".cur")


def css_pictures(text: str) -> list[tuple[str, ...]]:
    """Return the pictures of a style sheet or style attribute, each once and in order: the URLs of one, best first.

    Several URLs come from an image-set, which offers one picture in several sizes or types. Fonts are left out.
    """
    text = _RULE_WITHOUT_PICTURE.sub(" ", _COMMENT.sub(" ", text))
    found: list[tuple[str, ...]] = []
    at = 0

    while opening := _IMAGE_SET.search(text, at):
        found += _alone(text, at, opening.start())
        # A set may hold others; their URLs count for the outer one.
        at = _end_of(text, opening.end())
        found.append(_options(_TYPE.sub(" ", text[opening.end() : at])))
    found += _alone(text, at, len(text))

    pictures = (tuple(filter(_may_be_picture, urls)) for urls in found)
    return list(dict.fromkeys(urls for urls in pictures if urls))


def css_imports(text: str) -> list[str]:
    """Return the URLs of the style sheets that a style sheet imports, as it writes them, each once."""
    matches = _IMPORT.finditer(_COMMENT.sub(" ", text))
    urls = (_unescaped(_written_url(match.groups())) for match in matches)
    return [url for url in dict.fromkeys(urls) if url]


def _written_url(groups: Sequence[str | None]) -> str:
    """Return the one of the alternatives (double quotes, single quotes, none) that matched."""
    return next(group for group in groups if group is not None)


def _alone(text: str, begin: int, end: int) -> list[tuple[str, ...]]:
    """Return the pictures in url() between two indices, each with its one URL."""
    return [(_unescaped(_written_url(match.groups())),) for match in _URL.finditer(text, begin, end)]


def _options(inside: str) -> tuple[str, ...]:
    """Return the URLs of one image-set, those of the highest resolution first, else in its own order."""
    options = []
    for match in _OPTION.finditer(inside):
        *written, number, unit = match.groups()
        # CSS defines 1x as 96dpi. An option without a resolution is 1x.
        pixels_per_unit = 96 if unit and unit.lower() == "dpi" else 1
        resolution = float(number) / pixels_per_unit if number else 1.0
        options.append((resolution, _unescaped(_written_url(written))))

    options.sort(key=lambda option: -option[0])
    return tuple(dict.fromkeys(url for _, url in options))


def _may_be_picture(url: str) -> bool:
    return bool(url) and not url.startswith("#") and not _path(url).endswith(_NO_PICTURE)


def _end_of(text: str, at: int) -> int:
    """Return the index of the parenthesis that closes the one before `at`; the text's length if none does."""
    depth = 1
    for sign in _PARENTHESIS.finditer(text, at):
        depth += 1 if sign[0] == "(" else -1
        if not depth:
            return sign.start()
    return len(text)


def _unescaped(escaped: str) -> str:
    """Return a URL with its CSS escapes resolved (CSS Syntax, 4.3.7)."""

    def character(match: re.Match[str]) -> str:
        if not match[1]:
            return match[2]
        code = int(match[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"

    return _ESCAPE.sub(character, escaped).strip()


def _path(url: str) -> str:
    """Return a URL in lower case up to its query; "" for a data: URL, which has no file name."""
    return url.partition("?")[0].partition("#")[0].lower() if not url.startswith("data:") else ""
