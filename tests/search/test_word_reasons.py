"""Which words answer a text, and where they stand: those that say most of the picture first, with what is around."""

from datetime import UTC, datetime

from guardian.model import Context, SeenAddress
from guardian.search.word_reasons import words_of_places
from guardian.views.word_tokens import terms

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _place(context: Context) -> SeenAddress:
    image = "https://shop.example/red-boat.jpg"
    return SeenAddress(1, "seen_1", image, None, "shop.example", "shops", context, NOON, NOON)


def test_the_best_field_is_shown_with_what_is_around() -> None:
    places = [
        _place(Context(page_title="Boats and more", nearby_text="x" * 50 + " the red boat " + "y" * 80)),
        _place(Context(alt="A boat")),
    ]
    assert words_of_places(places, terms("boat")) == "“A boat” (alt text)"
    assert words_of_places(places, terms("red boat")) == f"“…{'x' * 19} the red boat {'y' * 42}…” (text nearby)"
    assert words_of_places(places[1:], terms("red")) == "“red-boat” (file name)"
    assert words_of_places(places, terms("train")) is None
