"""Pictures of one design with different contents: calendars of one maker, covers of a series...

Whoever protects one of them owns its contents, not the ruling lines, staves, boards, type and frames around them.
"""

from collections.abc import Sequence

import numpy as np

from guardian.evaluation.designs import documents, figures, printed
from guardian.evaluation.designs.sheet import Design, artwork
from guardian.evaluation.pictures import Picture

KINDS: dict[str, Design] = {
    "board_game": figures.board_game,
    "book_cover": printed.book_cover,
    "business_card": documents.business_card,
    "calendar": documents.calendar,
    "certificate": documents.certificate,
    "chart": figures.chart,
    "chess_diagram": figures.chess_diagram,
    "crossword": documents.crossword,
    "emblem": figures.emblem,
    "event_poster": printed.event_poster,
    "floor_plan": figures.floor_plan,
    "form": documents.form,
    "icon_sheet": figures.icon_sheet,
    "invoice": documents.invoice,
    "knitting_chart": figures.knitting_chart,
    "lecture_slide": printed.lecture_slide,
    "map_sheet": figures.map_sheet,
    "news_card": printed.news_card,
    "newspaper": documents.newspaper,
    "packaged": printed.packaged,
    "pixel_art": figures.pixel_art,
    "playing_card": figures.playing_card,
    "product_label": printed.product_label,
    "quote_card": printed.quote_card,
    "score_card": documents.score_card,
    "screen": printed.screen,
    "sheet_music": documents.sheet_music,
    "shirt": printed.shirt,
    "shop_card": printed.shop_card,
    "stamp": printed.stamp,
    "text_logo": figures.text_logo,
    "ticket": documents.ticket,
    "timetable": documents.timetable,
    "word_search": figures.word_search,
}
"""The kinds of designs by name."""


def make(kind: str, generator: np.random.Generator, count: int, pictures: Sequence[Picture] = ()) -> list[Picture]:
    """Draw `count` pictures of one design, which the generator decides; no two share what is particular to them.

    Designs that show a picture take them from `pictures` in turn; artwork is invented where there are none.
    """
    draw = KINDS[kind](generator)
    made = []
    for number in range(count):
        own = np.random.default_rng(int(generator.integers(1 << 62)))
        shown = pictures[number % len(pictures)] if pictures else artwork(own)
        made.append(draw(own, shown))
    return made
