"""Parses the srcset attribute (HTML Standard, "parsing a srcset attribute")."""

import re
from dataclasses import dataclass

_SPACES = " \t\n\f\r"
_DESCRIPTOR = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([wxh])")


@dataclass(frozen=True, slots=True)
class Variant:
    """One image of a srcset. `width` (pixels) and `density` (pixels per CSS pixel) are None where it does not say."""

    url: str
    width: float | None = None
    density: float | None = None

    @property
    def rank(self) -> tuple[float, float]:
        """A sort key: larger means more pixels. One valid set states widths or densities, never both."""
        return (self.width or 0.0, self.density if self.density is not None else 1.0)


def largest_first(variants: list[Variant]) -> list[str]:
    """Return the URLs of a set, those with the most pixels first."""
    return [variant.url for variant in sorted(variants, key=lambda one: one.rank, reverse=True)]


def parse_srcset(text: str) -> list[Variant]:
    """Return the images of a srcset in its own order.

    As in browsers, commas inside URLs are kept, and what is malformed is passed over; nothing is raised.
    """
    variants, at = [], 0
    while at < len(text):
        while at < len(text) and (text[at] in _SPACES or text[at] == ","):
            at += 1

        begin = at
        while at < len(text) and text[at] not in _SPACES:
            at += 1
        url = text[begin:at]
        if not url:
            break

        # A comma at the end of a URL ends the image: it has no descriptors.
        if url.endswith(","):
            variants.append(Variant(url.rstrip(",")))
            continue

        descriptors, at = _descriptors(text, at)
        variants.append(_variant(url, descriptors))
    return [variant for variant in variants if variant.url]


def _descriptors(text: str, at: int) -> tuple[str, int]:
    """Return the text from `at` to the next comma outside parentheses, and the index after that comma."""
    begin, depth = at, 0
    while at < len(text):
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth = max(0, depth - 1)
        elif text[at] == "," and not depth:
            return text[begin:at], at + 1
        at += 1
    return text[begin:at], at


def _variant(url: str, descriptors: str) -> Variant:
    """Return an image with its width (600w) or density (2x). Heights and unknown descriptors are passed over."""
    width = density = None
    for word in descriptors.split():
        found = _DESCRIPTOR.fullmatch(word)
        if found and found[2] == "w":
            width = float(found[1])
        elif found and found[2] == "x":
            density = float(found[1])
    return Variant(url, width, density)
