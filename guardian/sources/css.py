"""Pictures that style sheets name: url(), image-set() and quoted addresses inside them."""

import re

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE_WITHOUT_PICTURE = re.compile(
    r"@(?:import|namespace|charset)\b[^;]*(?:;|\Z)|@font-face\s*\{[^}]*(?:\}|\Z)", re.IGNORECASE
)
# No step back anywhere, and no parenthesis in a bare address (CSS Syntax, 4.3.6): a hostile sheet costs one pass.
_URL = re.compile(
    r"""url\(\s*+(?:"((?:\\.|[^"\\])*+)"|'((?:\\.|[^'\\])*+)'|((?:\\.|[^()'"\s\\])*+))\s*+\)""", re.IGNORECASE
)
_IMAGE_SET = re.compile(r"image-set\(", re.IGNORECASE)
_QUOTED = re.compile(r"""(?<!type\()(?:"((?:\\.|[^"\\])+)"|'((?:\\.|[^'\\])+)')\s+\d+(?:\.\d+)?(?:x|dppx|dpi)""")
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_PARENTHESIS = re.compile(r"[()]")
_NO_PICTURE = (".woff", ".woff2", ".ttf", ".otf", ".eot", ".css", ".cur")


def css_pictures(text: str) -> list[str]:
    """Addresses of pictures in a style sheet or style attribute, each once, in order. Fonts are left out."""
    text = _RULE_WITHOUT_PICTURE.sub(" ", _COMMENT.sub(" ", text))
    found = [_plain(next(part for part in match.groups() if part is not None)) for match in _URL.finditer(text)]
    at = 0
    while opening := _IMAGE_SET.search(text, at):
        # Sets within the set are looked at with it.
        at = _end_of(text, opening.end())
        found += [_plain(match[1] or match[2]) for match in _QUOTED.finditer(text, opening.end(), at)]
    pictures = (url for url in found if url and not url.startswith("#"))
    return list(dict.fromkeys(url for url in pictures if not _path(url).endswith(_NO_PICTURE)))


def _end_of(text: str, at: int) -> int:
    """The place of the parenthesis that closes what was opened before `at`; the end of the text if none does."""
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
