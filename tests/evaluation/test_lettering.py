"""Words are written in fonts that have all their letters, and fit into their boxes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.evaluation import lettering
from guardian.evaluation.lettering import Lettering, any_lettering, fitting, font_files, measured, paragraphs, written


def test_every_font_that_is_offered_has_the_letters_of_its_language() -> None:
    for seed in range(40):
        drawn = any_lettering(np.random.default_rng(seed))
        if drawn.file is None:
            assert drawn.language == "english"
            continue
        assert drawn.file in font_files()
        missing = bytes(ImageFont.truetype(drawn.file, 24).getmask("\U0010fffe"))
        words = drawn.words(np.random.default_rng(seed), 3, 6)
        assert all(
            bytes(ImageFont.truetype(drawn.file, 24).getmask(letter)) != missing for letter in set(words) - {" "}
        )


def test_a_machine_without_fonts_writes_with_the_font_of_pillow() -> None:
    font = Lettering(None, "english").font(20)
    assert measured("words", font)[0] > 20


def test_text_is_as_large_as_its_box_and_no_larger() -> None:
    drawn = Lettering(None, "english")
    for text in ("A", "several words in a row", "one\ntwo\nthree"):
        font, (width, height) = fitting(drawn, text, 300, 80)
        assert (width, height) == measured(text, font)
        assert width <= 306
        assert height <= 82
        assert width > 200 or height > 55


def test_written_text_stays_in_its_box() -> None:
    image = Image.new("RGB", (300, 200), (255, 255, 255))
    written(ImageDraw.Draw(image), (50, 60, 250, 120), "hello", Lettering(None, "english"), (0, 0, 0))
    rows, columns = np.nonzero(np.asarray(image).min(axis=2) < 128)
    assert 45 <= columns.min() <= columns.max() <= 255
    assert 55 <= rows.min() <= rows.max() <= 130


def test_paragraphs_are_cut_to_their_length() -> None:
    lines = paragraphs(np.random.default_rng(1), Lettering(None, "english"), 40, 5)
    assert [len(line) for line in lines] == [40] * 5


def test_every_language_has_words_enough_for_a_headline() -> None:
    assert all(len(set(words.split())) >= 15 for words in lettering._WORDS.values())
