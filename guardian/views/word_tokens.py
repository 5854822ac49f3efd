"""Splits texts of any language into the words that are searched, and finds them again in a text to show where.

One rule serves both databases: what is kept are the words themselves, divided by blanks. Scripts that write no blanks
(Chinese, Japanese, Thai...) and Korean, whose words carry endings, are cut into overlapping pairs of signs, as search
engines do: trigrams would miss words of two signs, which most Chinese words are.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

TOKENS_VERSION = 1
"""Raise when a text gives other words than before: what databases keep is then made anew."""

_LONGEST_WORD = 64
_MOST_TERMS = 24
"""Of one question; what follows is not asked for."""

_SHORTEST_BEGINNING = 3
_SHORTEST_STEM = 5
"""Letters from which on a word is also found with another ending: dunes, dune."""

# Thai, Lao, Myanmar, Khmer, kana, Han (with its extensions and compatibility forms), Hangul.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)
_MARKS = re.compile("[\u0300-\u036f]")
_PLAIN = re.compile("[0-9a-z]+")
_QUOTED = re.compile('"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked for: words that follow each other.

    `is_exact`: as the person quoted it. Else longer words that begin with the last one count too, and count less.
    """

    words: tuple[str, ...]
    is_exact: bool = False

    @property
    def beginning(self) -> str | None:
        """What a word that counts as the last one begins with; None where only the word itself counts."""
        last = self.words[-1]
        if is_unspaced(last):
            # One sign alone is kept only where a run ends; else it begins a pair.
            return last if len(last) == 1 else None
        if self.is_exact or len(last) < _SHORTEST_BEGINNING or last.isdecimal():
            return None
        return last[:-1] if len(last) >= _SHORTEST_STEM and last.isalpha() else last


def tokens(text: str) -> list[str]:
    """Return the words of a text in their order, folded: no case, no accents, full width as half width."""
    found: list[str] = []
    for run in _runs(folded(text)):
        found += _pairs(run) if is_unspaced(run) else [run[:_LONGEST_WORD]]
    return found


def kept(texts: Iterable[str | None]) -> str:
    """Return the words of some texts as databases keep them: divided by blanks, each text once."""
    different = dict.fromkeys(text for text in texts if text)
    return " ".join(word for text in different for word in tokens(text))


def terms(question: str) -> tuple[Term, ...]:
    """Return what a person asks for: each word, and each phrase in double quotes. Nothing in it is a command."""
    found: list[Term] = []
    rest = question
    for quoted in _QUOTED.findall(question):
        found += _phrases(quoted)
        rest = rest.replace(f'"{quoted}"', " ", 1)
    for run in _runs(folded(rest)):
        found.append(Term(_asked(run)))
    return tuple(dict.fromkeys(found))[:_MOST_TERMS]


def folded(text: str) -> str:
    """Return a text without what people do not mean when they search: case, accents, width."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    # Only the marks of Latin, Greek and Cyrillic: others tell words apart, those of kana above all.
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", plain)))


def is_unspaced(word: str) -> bool:
    """Return whether a word, or a pair of signs, is of a script that is cut into pairs."""
    return _UNSPACED.match(word) is not None


def found_in(text: str, asked: Sequence[Term]) -> tuple[int, int] | None:
    """Return where the first of some terms stands in a text: its first sign and the one after its last; None if none.

    Where folding changes the length of a text, the place is that of the word as it is written.
    """
    places = [place for term in asked if (place := _place(text, term)) is not None]
    return min(places, default=None)


def _place(text: str, term: Term) -> tuple[int, int] | None:
    if is_unspaced(term.words[0]):
        written = "".join(word[0] for word in term.words[:-1]) + term.words[-1]
        same = unicodedata.normalize("NFKC", text).casefold()
        at = same.find(written)
        return (at, at + len(written)) if at >= 0 else None

    spans = [(span, folded(text[span[0] : span[1]])) for span in _spans(text)]
    for start in range(len(spans) - len(term.words) + 1):
        several = spans[start : start + len(term.words)]
        if all(_is_it(word, asked, term) for (_, word), asked in zip(several, term.words, strict=True)):
            return several[0][0][0], several[-1][0][1]
    return None


def _is_it(word: str, asked: str, term: Term) -> bool:
    beginning = term.beginning
    return word == asked or (beginning is not None and word.startswith(beginning))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the words of a text begin and end, as they are written."""
    start: int | None = None
    for at, sign in enumerate(text):
        if _is_of_word(sign):
            start = at if start is None else start
        elif start is not None:
            yield start, at
            start = None
    if start is not None:
        yield start, len(text)


def _runs(text: str) -> Iterator[str]:
    """Yield runs of letters, marks and digits, divided where a script begins or ends that is cut into pairs."""
    if text.isascii():
        yield from _PLAIN.findall(text)
        return
    for start, end in _spans(text):
        run = text[start:end]
        at = 0
        for unspaced in _UNSPACED.finditer(run):
            if at < unspaced.start():
                yield run[at : unspaced.start()]
            yield unspaced[0]
            at = unspaced.end()
        if at < len(run):
            yield run[at:]


def _is_of_word(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign)[0] == "M"


def _pairs(run: str) -> list[str]:
    """Return the overlapping pairs of signs of a run, and its last sign alone, so that each sign begins a word."""
    return [run[at : at + 2] for at in range(len(run))]


def _phrases(quoted: str) -> list[Term]:
    """Return the terms of what stands in quotes: one, unless signs that are cut into pairs are among it."""
    runs = list(_runs(folded(quoted)))
    if any(is_unspaced(run) for run in runs):
        # The last sign of a run is kept alone, too, so that two runs never follow each other.
        return [Term(_asked(run), is_exact=True) for run in runs]
    return [Term(tuple(run[:_LONGEST_WORD] for run in runs), is_exact=True)] if runs else []


def _asked(run: str) -> tuple[str, ...]:
    """Return the words of a run that is asked for: of pairs all but the last sign, which the others contain."""
    return tuple(_pairs(run)[: max(1, len(run) - 1)]) if is_unspaced(run) else (run[:_LONGEST_WORD],)
