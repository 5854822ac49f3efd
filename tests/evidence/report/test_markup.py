"""Strangers' text in the report: bounded, harmless, every character shown or named, in the order of its script."""

import pytest

from guardian.evidence.report.direction import in_seen_order
from guardian.evidence.report.markup import bounded, markup
from guardian.evidence.report.typefaces import BODY, runs


@pytest.mark.parametrize(
    ("logical", "base_level", "seen"),
    [
        ("abc אבג 123 def", 0, "abc 123 גבא def"),
        ("אבג (abc) 12.5 דה", 1, "הד 12.5 (abc) גבא"),
        ("abc (אבג) def", 0, "abc (גבא) def"),
        ("אבג 10% (דה)", 1, "(הד) 10% גבא"),
        ("plain text, 1.5 %", 0, "plain text, 1.5 %"),
        ("", 0, ""),
    ],
)
def test_right_to_left_runs_stand_as_they_are_seen(logical: str, base_level: int, seen: str) -> None:
    assert in_seen_order(logical, base_level) == seen


def test_marks_stay_on_their_letters() -> None:
    assert in_seen_order("שָׁל", 1) == "לשָׁ"


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    assert bounded("gpj.\u202egnp\x00 \ue000") == "gpj.[U+202E]gnp[U+0000] [U+E000]"
    assert bounded(" a\n\n\tb ") == "a b"


def test_a_title_of_ten_megabytes_is_cut_and_its_length_said() -> None:
    shown = bounded("A" * 10_000_000, 100)
    assert len(shown) < 160
    assert "10,000,000 characters" in shown


def test_markup_of_others_is_text() -> None:
    assert "<script" not in markup("<script>x</script> <b>& (Tj) ET endstream")
    assert "&lt;script&gt;" in markup("<script>x</script>")


def test_every_character_has_a_typeface_or_a_number() -> None:
    text = "Zürich Αθήνα Москва القاهرة ירושלים 東京 서울"
    parts = list(runs(text, BODY))
    assert "".join(part for _, part in parts) == text
    assert len(parts) > 1
    shown = "".join(part for _, part in runs("\U0001f9ff \U0010fffd", BODY))
    assert "U+10FFFD" in shown


def test_letters_of_an_arabic_word_are_joined() -> None:
    drawn = markup("رائدة")
    assert "ر" not in drawn, "the forms that letters have within words are drawn"
    assert "NotoSansArabic" in drawn
