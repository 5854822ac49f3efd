"""Words of any language: how texts are split, what is asked for, and where it is found again."""

import pytest

from guardian.views.word_tokens import Term, found_in, kept, terms, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dunes at DAWN, 2026!", ["dunes", "at", "dawn", "2026"]),
        ("Café Straße", ["cafe", "strasse"]),
        ("snow_covered-peak's", ["snow", "covered", "peak", "s"]),
        ("ＡＢＣ ｶﾒﾗ", ["abc", "カメ", "メラ", "ラ"]),
        ("沙漠日落", ["沙漠", "漠日", "日落", "落"]),
        ("富士山Fuji2026", ["富士", "士山", "山", "fuji2026"]),
        ("ガ カ", ["ガ", "カ"]),
        ("서울의 밤", ["서울", "울의", "의", "밤"]),
        ("हिन्दी चित्र", ["हिन्दी", "चित्र"]),
        ("Ёлка и ёж", ["елка", "и", "еж"]),
        ("", []),
        ("--- \x00 ☃", []),
    ],
)
def test_texts_are_split_into_folded_words(text: str, words: list[str]) -> None:
    assert tokens(text) == words


def test_a_text_that_stands_twice_is_kept_once() -> None:
    assert kept(["Red dunes", None, "Red dunes", "", "Sand"]) == "red dunes sand"


def test_a_question_is_words_and_phrases_and_never_a_command() -> None:
    assert terms('dunes "red sand" 沙漠日落') == (
        Term(("red", "sand"), is_exact=True),
        Term(("dunes",)),
        Term(("沙漠", "漠日", "日落")),
    )
    assert terms('"東京 タワー"') == (Term(("東京",), is_exact=True), Term(("タワ", "ワー"), is_exact=True))
    assert terms("title:x* NOT (a OR b) -c") == tuple(
        Term((word,)) for word in ("title", "x", "not", "a", "or", "b", "c")
    )
    assert terms('"') == terms("- *") == ()


@pytest.mark.parametrize(
    ("word", "beginning"),
    [("dunes", "dune"), ("dune", "dune"), ("sun", "sun"), ("ab", None), ("20261", None), ("山", "山"), ("富士", None)],
)
def test_longer_words_count_too_where_that_means_something(word: str, beginning: str | None) -> None:
    assert Term((word,)).beginning == beginning


@pytest.mark.parametrize(
    ("text", "question", "shown"),
    [
        ("Red DUNES at dawn", "dunes", "DUNES"),
        ("The Café is open", "cafe", "Café"),
        ("A dune", "dunes", "dune"),
        ("see 沙漠日落 now", "漠日", "漠日"),
        ("see 富士山", "山", "山"),
        ("red sand and white sand", '"white sand"', "white sand"),
        ("sanded", '"sand"', None),
        ("nothing here", "dunes", None),
    ],
)
def test_what_was_asked_for_is_shown_as_it_is_written(text: str, question: str, shown: str | None) -> None:
    place = found_in(text, terms(question))
    assert (text[place[0] : place[1]] if place else None) == shown
