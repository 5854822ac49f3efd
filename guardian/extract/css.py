"""What style sheets name: pictures, by url(), image-set() and quoted addresses inside them, and imported sheets."""

import re

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE_WITHOUT_PICTURE = re.compile(
    r"@(?:import|namespace|charset)\b[^;]*(?:;|\Z)|@font-face\s*\{[^}]*(?:\}|\Z)", re.IGNORECASE
)
# No step back anywhere, and no parenthesis in a bare address (CSS Syntax, 4.3.6): a hostile sheet costs one pass.
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
    """Return pictures of a style sheet or style attribute, each once, in order: all addresses of one, the finest first.

    Several addresses come from an image-set, which offers one picture in several sizes or types. Fonts are left out.
    """
    text = _RULE_WITHOUT_PICTURE.sub(" ", _COMMENT.sub(" ", text))
    found: list[tuple[str, ...]] = []
    at = 0
    while opening := _IMAGE_SET.search(text, at):
        found += _alone(text, at, opening.start())
        # Sets within the set are looked at with it.
        at = _end_of(text, opening.end())
        found.append(_options(_TYPE.sub(" ", text[opening.end() : at])))
    found += _alone(text, at, len(text))
    pictures = (tuple(url for url in urls if _may_be_picture(url)) for urls in found)
    return list(dict.fromkeys(urls for urls in pictures if urls))


def css_imports(text: str) -> list[str]:
    """Return the addresses of the style sheets that a style sheet imports, as it writes them."""
    matches = _IMPORT.finditer(_COMMENT.sub(" ", text))
    urls = (_plain(next(part for part in match.groups() if part is not None)) for match in matches)
    return [url for url in dict.fromkeys(urls) if url]


def _alone(text: str, begin: int, end: int) -> list[tuple[str, ...]]:
    matches = _URL.finditer(text, begin, end)
    return [(_plain(next(part for part in match.groups() if part is not None)),) for match in matches]


def _options(inside: str) -> tuple[str, ...]:
    """Return the addresses of one image-set, the finest first, in its own order where it does not say."""
    options = []
    for match in _OPTION.finditer(inside):
        *written, number, unit = match.groups()
        finesse = float(number) / (96 if unit.lower() == "dpi" else 1) if number else 1.0
        options.append((finesse, _plain(next(part for part in written if part is not None))))
    return tuple(dict.fromkeys(url for _, url in sorted(options, key=lambda option: -option[0])))


def _may_be_picture(url: str) -> bool:
    return bool(url) and not url.startswith("#") and not _path(url).endswith(_NO_PICTURE)


def _end_of(text: str, at: int) -> int:
    """Return the place of the parenthesis that closes what was opened before `at`; the end of the text if none does."""
    depth = 1
    for sign in _PARENTHESIS.finditer(text, at):
        depth += 1 if sign[0] == "(" else -1
        if not depth:
            return sign.start()
    return len(text)


def _plain(escaped: str) -> str:
    def character(match: re.Match[str]) -> str:
        if not match[1]:
            return match[2]
        code = int(match[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"

    return _ESCAPE.sub(character, escaped).strip()


def _path(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].lower() if not url.startswith("data:") else ""
