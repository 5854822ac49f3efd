"""Pictures of one design with different contents: calendars of one maker, covers of a series...

Whoever protects one of them owns its contents, not the ruling lines, staves, boards, type and frames around them.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from guardian.evaluation.designs import diagrams, documents, figures, goods, objects, printed, prints, screens
from guardian.evaluation.designs.sheet import Design, artwork
from guardian.evaluation.pictures import Picture, shrunk

KINDS: dict[str, Design] = {
    "ball": objects.ball,
    "bingo_card": diagrams.bingo_card,
    "board_game": figures.board_game,
    "boarding_pass": goods.boarding_pass,
    "book_cover": printed.book_cover,
    "bottle": objects.bottle,
    "business_card": documents.business_card,
    "calendar": documents.calendar,
    "certificate": documents.certificate,
    "chart": figures.chart,
    "chat": screens.chat,
    "chess_diagram": figures.chess_diagram,
    "coin": objects.coin,
    "code_listing": screens.code_listing,
    "comic_page": prints.comic_page,
    "crossword": documents.crossword,
    "emblem": figures.emblem,
    "event_poster": printed.event_poster,
    "family_tree": diagrams.family_tree,
    "film_poster": prints.film_poster,
    "floor_plan": figures.floor_plan,
    "food_facts": goods.food_facts,
    "form": documents.form,
    "go_board": diagrams.go_board,
    "heat_map": diagrams.heat_map,
    "icon_sheet": figures.icon_sheet,
    "instant_photo": prints.instant_photo,
    "invoice": documents.invoice,
    "knitting_chart": figures.knitting_chart,
    "lecture_slide": printed.lecture_slide,
    "line_plot": diagrams.line_plot,
    "magazine_cover": prints.magazine_cover,
    "map_sheet": figures.map_sheet,
    "map_tile": screens.map_tile,
    "maze": diagrams.maze,
    "menu_card": goods.menu_card,
    "name_badge": goods.name_badge,
    "news_card": printed.news_card,
    "newspaper": documents.newspaper,
    "number_puzzle": diagrams.number_puzzle,
    "packaged": printed.packaged,
    "parcel_label": goods.parcel_label,
    "pie_plot": diagrams.pie_plot,
    "pixel_art": figures.pixel_art,
    "platform_game": screens.platform_game,
    "playing_card": figures.playing_card,
    "postcard": prints.postcard,
    "price_tag": goods.price_tag,
    "product_label": printed.product_label,
    "quilt": diagrams.quilt,
    "quote_card": printed.quote_card,
    "road_sign": goods.road_sign,
    "saying": prints.saying,
    "score_card": documents.score_card,
    "screen": printed.screen,
    "sheet_music": documents.sheet_music,
    "shirt": printed.shirt,
    "shop_card": printed.shop_card,
    "social_post": screens.social_post,
    "stamp": printed.stamp,
    "text_logo": figures.text_logo,
    "ticket": documents.ticket,
    "tiling": diagrams.tiling,
    "timetable": documents.timetable,
    "trading_card": goods.trading_card,
    "video_still": screens.video_still,
    "voucher": goods.voucher,
    "weather_card": screens.weather_card,
    "word_search": figures.word_search,
}
"""The kinds of designs by name."""

_LOOKED_AT = 384
"""Pixels of the longer side at which two pictures are compared."""

_SEEN_FROM = 24
"""Levels of grey or colour from which a difference is seen."""

_LEAST_SEEN = 40
"""Pixels that must differ: a few letters."""


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


def mostly(first: Picture, second: Picture, generator: np.random.Generator) -> Picture:
    """Return the first of two pictures of one design with a few of the places filled in as in the second.

    What differs most is always among them: it may be a picture, and whoever shows that one shows a copy.
    """
    differs = (np.abs(first.astype(np.int16) - second).max(axis=2) > _SEEN_FROM).astype(np.uint8)
    # Letters of one word belong together.
    reach = max(3, max(first.shape[:2]) // 60)
    places, labels, statistics, _ = cv2.connectedComponentsWithStats(cv2.dilate(differs, np.ones((reach, reach))))
    if places < 2:
        return second

    taken = generator.random(places) < generator.uniform(0.05, 0.6)
    taken[1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())] = True
    taken[0] = False
    return np.where(taken[labels][..., None], second, first).astype(np.uint8)


def differ_in_tone(first: Picture, second: Picture) -> bool:
    """Return whether a difference between two pictures of one size is seen in their greys, and not in colour alone."""
    greys = [cv2.cvtColor(shrunk(one, _LOOKED_AT), cv2.COLOR_RGB2GRAY).astype(np.int16) for one in (first, second)]
    return int((np.abs(greys[0] - greys[1]) > _SEEN_FROM).sum()) >= _LEAST_SEEN
