"""Printed things around pictures: comic pages, magazine covers, instant photographs, sayings, postcards, posters."""

from itertools import pairwise

import numpy as np

from guardian.evaluation.designs.canvas import Canvas, any_look
from guardian.evaluation.designs.sheet import Painter, artwork
from guardian.evaluation.pictures import Picture, cropped


def comic_page(generator: np.random.Generator) -> Painter:
    """Design pages of a comic: the same panels, other scenes, figures and balloons in them."""
    look, rows = any_look(generator, float(generator.uniform(0.65, 0.8)), dark=False), int(generator.integers(2, 5))
    cuts = [np.sort(generator.uniform(0.2, 0.8, int(generator.integers(0, 3)))) for _ in range(rows)]
    title = look.words(generator, 1, 2)

    def page(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        for row, inner in enumerate(cuts):
            y, down, edges = tall * (0.05 + 0.93 * row / rows), tall * 0.93 / rows - 8, [0.02, *inner, 0.98]
            for left, right in pairwise(edges):
                x, across = wide * left + 3, wide * (right - left) - 6
                scene = cropped(picture, own, 0.3) if own.random() < 0.5 else artwork(own, 160)
                canvas.show(x, y, across, down, scene)
                _figure(canvas, own, x + across * own.uniform(0.3, 0.7), y + down, down * own.uniform(0.4, 0.7))
                canvas.rounded(x + across * 0.06, y + down * 0.06, across * own.uniform(0.4, 0.85), down * 0.24, 16,
                               (255, 255, 255))  # fmt: skip
                canvas.write(x + across * 0.12, y + down * 0.11, look.words(own, 2, 4), down * 0.11, (0, 0, 0),
                             room=across * 0.35)  # fmt: skip
                canvas.frame(x, y, across, down, (0, 0, 0), 3)
        canvas.write(wide / 2, tall * 0.008, title, tall * 0.03, room=wide * 0.6, centred=True)
        return canvas.pixels

    return page


def _figure(canvas: Canvas, own: np.random.Generator, x: float, bottom: float, height: float) -> None:
    colours = canvas.look.colours
    body = colours[int(own.integers(0, 5))]
    canvas.shape([(x - height * 0.2, bottom), (x - height * 0.12, bottom - height * 0.6),
                  (x + height * 0.12, bottom - height * 0.6), (x + height * 0.2, bottom)], body)  # fmt: skip
    canvas.dot(x, bottom - height * 0.75, height * 0.17, colours[int(own.integers(0, 5))])
    canvas.dot(x, bottom - height * 0.75, height * 0.17, (0, 0, 0), stroke=2)
    for eye in (-0.06, 0.06):
        canvas.dot(x + height * eye, bottom - height * 0.78, height * 0.025, (0, 0, 0))


def magazine_cover(generator: np.random.Generator) -> Painter:
    """Design the covers of a magazine: its name and price over another picture and other headlines."""
    look, has_frame = any_look(generator, 0.76), generator.random() < 0.4
    name, motto = look.words(generator, 1, 1).upper(), look.words(generator, 3, 4)

    def cover(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, 0, wide, tall, picture)
        if has_frame:
            canvas.frame(6, 6, wide - 12, tall - 12, look.colours[0], 12)
        canvas.write(wide / 2, tall * 0.04, name, tall * 0.14, look.colours[0], room=wide * 0.9, centred=True)
        canvas.write(wide / 2, tall * 0.19, motto, tall * 0.025, look.panel, centred=True)
        for row in range(int(own.integers(2, 5))):
            y = tall * (0.36 + 0.13 * row)
            canvas.write(wide * 0.06, y, look.words(own, 1, 3), tall * 0.05, look.colours[1], room=wide * 0.5)
            canvas.write(
                wide * 0.06, y + tall * 0.055, look.words(own, 2, 5), tall * 0.028, look.panel, room=wide * 0.5
            )
        canvas.fill(wide * 0.72, tall * 0.86, wide * 0.22, tall * 0.1, (255, 255, 255))
        canvas.write(wide * 0.74, tall * 0.88, f"Nr {own.integers(1, 53)}", tall * 0.04, (0, 0, 0), room=wide * 0.18)
        return canvas.pixels

    return cover


def instant_photo(generator: np.random.Generator) -> Painter:
    """Design instant photographs with a thick frame and a line written below, pinned on the same board."""
    look, tilt = any_look(generator, float(generator.uniform(0.8, 1.1))), generator.uniform(0.05, 0.12)
    board = artwork(generator, 150) // 2 + 90

    def photo(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, 0, wide, tall, board)
        margin = wide * tilt
        canvas.fill(margin + 6, margin + 8, wide - 2 * margin, tall - 2 * margin, (60, 60, 60))
        canvas.fill(margin, margin, wide - 2 * margin, tall - 2 * margin, (248, 247, 240))
        canvas.show(margin * 1.7, margin * 1.7, wide - 3.4 * margin, tall * 0.72 - 2 * margin, picture)
        canvas.write(wide / 2, tall * 0.78, look.words(own, 1, 4), tall * 0.07, (40, 40, 80), room=wide * 0.7,
                     centred=True)  # fmt: skip
        canvas.dot(wide / 2, margin, 9, look.colours[0])
        canvas.dot(wide / 2 - 2, margin - 3, 3, look.panel)
        return canvas.pixels

    return photo


def saying(generator: np.random.Generator) -> Painter:
    """Design cards of sayings over a darkened picture: quotation marks, a rule and an address stay."""
    look, dim = any_look(generator, float(generator.uniform(0.8, 1.25))), generator.uniform(0.3, 0.6)
    address, has_box = "@" + look.words(generator, 1, 1).lower(), generator.random() < 0.5

    def card(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, 0, wide, tall, (picture * dim).astype(np.uint8))
        if has_box:
            canvas.frame(wide * 0.07, tall * 0.07, wide * 0.86, tall * 0.86, (255, 255, 255), 3)
        for shift in (0.0, 0.05):
            canvas.dot(wide * (0.14 + shift), tall * 0.17, tall * 0.02, look.colours[0])
            canvas.path(
                [(wide * (0.155 + shift), tall * 0.17), (wide * (0.14 + shift), tall * 0.22)], look.colours[0], 3
            )
        rows = int(own.integers(2, 5))
        for row in range(rows):
            canvas.write(wide / 2, tall * (0.3 + 0.36 * row / rows), look.words(own, 2, 5), tall * 0.075,
                         (250, 250, 250), room=wide * 0.76, centred=True)  # fmt: skip
        canvas.path([(wide * 0.4, tall * 0.74), (wide * 0.6, tall * 0.74)], look.colours[1], 3)
        canvas.write(
            wide / 2, tall * 0.77, look.words(own, 2, 3), tall * 0.045, look.colours[2], room=wide / 2, centred=True
        )
        canvas.write(wide / 2, tall * 0.86, address, tall * 0.035, (230, 230, 230), centred=True)
        return canvas.pixels

    return card


def postcard(generator: np.random.Generator) -> Painter:
    """Design postcards of one publisher: a greeting over four views and a round middle, other views."""
    look, greeting = any_look(generator, 1.5), generator.uniform(0.12, 0.2)
    words = look.words(generator, 2, 3)

    def card(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        shown = int(own.integers(0, 4))
        for number in range(4):
            x, y = wide * (0.02 + 0.485 * (number % 2)), tall * (0.03 + 0.475 * (number // 2))
            view = picture if number == shown else artwork(own, 200)
            canvas.show(x, y, wide * 0.475, tall * 0.465, view)
        canvas.dot(wide / 2, tall / 2, tall * greeting * 1.5, look.paper)
        canvas.dot(wide / 2, tall / 2, tall * greeting * 1.4, look.colours[0], stroke=3)
        canvas.write(
            wide / 2, tall * 0.4, words, tall * 0.07, look.colours[0], room=tall * greeting * 2.4, centred=True
        )
        canvas.write(wide / 2, tall * 0.5, look.words(own, 1, 1), tall * 0.1, room=tall * greeting * 2.4, centred=True)
        return canvas.pixels

    return card


def film_poster(generator: np.random.Generator) -> Painter:
    """Design the posters of a festival: bands, laurels and small print around another film each."""
    look, slant = any_look(generator, 0.68, dark=True), generator.uniform(-0.12, 0.12)
    small = [look.words(generator, 6, 9) for _ in range(3)]

    def poster(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, tall * 0.12, wide, tall * 0.56, picture)
        canvas.shape([(0, tall * (0.62 - slant)), (wide, tall * (0.62 + slant)), (wide, tall), (0, tall)], look.panel)
        for x in (0.2, 0.5, 0.8):
            for leaf in np.linspace(0.6, 5.7, 12):
                at = wide * x + tall * 0.04 * np.sin(leaf), tall * 0.06 - tall * 0.04 * np.cos(leaf)
                canvas.dot(*at, 3, look.colours[0])
            canvas.write(wide * x, tall * 0.045, look.words(own, 1, 1), tall * 0.02, room=tall * 0.06, centred=True)
        canvas.write(
            wide / 2, tall * 0.72, look.words(own, 1, 3), tall * 0.09, look.colours[1], room=wide * 0.9, centred=True
        )
        canvas.write(wide / 2, tall * 0.82, look.words(own, 2, 4), tall * 0.035, room=wide * 0.8, centred=True)
        for row, line in enumerate(small):
            canvas.write(wide / 2, tall * (0.88 + 0.035 * row), line, tall * 0.025, room=wide * 0.9, centred=True)
        return canvas.pixels

    return poster
