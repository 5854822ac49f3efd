"""Strangers' words made safe."""

import json

from hypothesis import given
from hypothesis import strategies as st

from guardian.views.plain_text import cleaned, clipped, json_size, printable


@given(st.text(), st.integers(min_value=3, max_value=50))
def test_clipped_fits_and_is_stable(text: str, max_bytes: int) -> None:
    short = clipped(text, max_bytes)
    assert json_size(short) <= max_bytes
    assert clipped(short, max_bytes) == short
    assert json.loads(json.dumps(short, ensure_ascii=False).encode()) == short


@given(st.text())
def test_cleaned_is_one_line_without_controls(text: str) -> None:
    clean = cleaned(text)
    assert cleaned(clean) == clean
    assert len(clean.splitlines()) <= 1
    assert not any(ord(character) < 32 for character in clean)
    assert clean.encode().decode() == clean


def test_cut_is_marked_and_words_stay() -> None:
    assert clipped("a short caption", 100) == "a short caption"
    assert clipped("abcdefghij", 9) == "abcdef…"
    assert clipped("zero\u200dwidth joiners make \U0001f469\u200d\U0001f4bb", 100).endswith(
        "\U0001f469\u200d\U0001f4bb"
    )


def test_spaces_of_other_widths_stay_where_text_is_printed() -> None:
    assert (
        printable("«\u00a0café\u00a0»\u202f; 写真\u3000展 \x1b[31m\u202e")
        == "«\u00a0café\u00a0»\u202f; 写真\u3000展 \ufffd[31m\ufffd"
    )
