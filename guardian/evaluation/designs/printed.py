"""What is laid out round a picture or a few words: cards, posters, covers, shirts, screens and slides of one design."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from guardian.evaluation.designs.documents import bars
from guardian.evaluation.designs.sheet import Painter, Sheet, any_style, artwork, cells, mark
from guardian.evaluation.pictures import Picture, blended, clipped, colour_of, covering, pixels_of


def quote_card(generator: np.random.Generator) -> Painter:
    """Design quote cards: one ground, frame and signature, other words."""
    style, ornament = any_style(generator, float(generator.choice([1.0, 1.0, 0.8, 1.6]))), int(generator.integers(0, 5))
    kind, seal = int(generator.integers(0, 3)), int(generator.integers(1 << 31))
    ground = artwork(np.random.default_rng(int(generator.integers(1 << 31))))
    account = "@" + style.text.words(generator, 1, 2)
    ink = style.paper if kind else style.ink

    def card(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style, style.accent if kind == 1 else None)
        if kind == 2:
            sheet.paste((0, 0, 1, 1), blended(ground, (0, 0, 0), 0.55))
        sheet.frame(ornament, style.second)
        sheet.text((0.08, 0.06, 0.3, 0.26), "\u201c", style.second, "l", heading=True)
        count = int(own.integers(2, 6))
        sheet.text((0.12, 0.25, 0.88, 0.68), style.heading.lines(own, count, 2, 5), ink, heading=True)
        sheet.text((0.3, 0.72, 0.7, 0.78), "\u2014 " + style.text.words(own, 2, 3), ink)
        mark(sheet, np.random.default_rng(seal), (0.44, 0.8, 0.56, 0.9))
        sheet.text((0.3, 0.91, 0.7, 0.96), account, ink)
        return sheet.finished()

    return card


def shirt(generator: np.random.Generator) -> Painter:
    """Design a shop's mock-up: the same shirt in the same folds, with another print on it."""
    style, fabric = any_style(generator, 0.85), colour_of(generator)
    ground = colour_of(generator) if generator.random() < 0.5 else (245, 245, 245)
    shade = cv2.resize(generator.uniform(0.8, 1.1, (9, 7)).astype(np.float32), (style.width, style.height),
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    outline = np.array([[0.3, 0.1], [0.42, 0.14], [0.58, 0.14], [0.7, 0.1], [0.97, 0.28], [0.86, 0.43], [0.76, 0.36],
                        [0.77, 0.95], [0.23, 0.95], [0.24, 0.36], [0.14, 0.43], [0.03, 0.28]])  # fmt: skip
    left, top, wide = generator.uniform(0.32, 0.38), generator.uniform(0.24, 0.32), generator.uniform(0.26, 0.34)
    brand = style.text.words(generator, 1, 3)

    def mock_up(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style, ground)
        sheet.polygon(outline, fabric)
        box = (left, top, left + wide, top + wide * float(own.uniform(0.8, 1.3)))
        if own.random() < 0.5:
            sheet.paste(box, picture)
        else:
            ink = colour_of(own)
            mark(sheet, own, (box[0], box[1], box[2], (box[1] + box[3]) / 2))
            sheet.text(
                (box[0], (box[1] + box[3]) / 2, box[2], box[3]), style.heading.lines(own, 2, 1, 3), ink, heading=True
            )
        sheet.text((0.35, 0.96, 0.65, 0.99), brand)
        return clipped(sheet.finished() * shade[..., None])

    return mock_up


def event_poster(generator: np.random.Generator) -> Painter:
    """Design the posters of one series of events: the same frame and head, other names, dates and pictures."""
    style, ornament = any_style(generator, 0.7), int(generator.integers(0, 5))
    series, seal, slant = (
        style.heading.words(generator, 1, 3).upper(),
        int(generator.integers(1 << 31)),
        generator.uniform(0, 0.2),
    )
    place = style.text.lines(generator, 2, 2, 5)

    def poster(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style, style.accent)
        sheet.paste((0.08, 0.2, 0.92, 0.6), picture)
        sheet.polygon(np.array([[0, 0.56 + slant], [1, 0.56], [1, 1], [0, 1]]), style.second)
        sheet.frame(ornament, style.paper)
        sheet.text((0.08, 0.05, 0.92, 0.17), series, style.paper, heading=True)
        sheet.text((0.1, 0.66, 0.9, 0.8), style.heading.words(own, 1, 4), style.paper, heading=True)
        date = f"{own.integers(1, 29)}.{own.integers(1, 13)}.  {own.integers(15, 23)}:00"
        sheet.text((0.1, 0.8, 0.5, 0.86), date, style.paper, "l")
        sheet.text((0.1, 0.88, 0.6, 0.95), place, style.paper, "l")
        mark(sheet, np.random.default_rng(seal), (0.74, 0.84, 0.92, 0.96))
        return sheet.finished()

    return poster


def book_cover(generator: np.random.Generator) -> Painter:
    """Design the covers of one series of books: the same bands and publisher, other titles and pictures."""
    style, band = any_style(generator, 0.66), generator.uniform(0.3, 0.6)
    series, publisher = style.text.words(generator, 2, 4), style.text.words(generator, 1, 2)
    pattern, seal = int(generator.integers(1 << 31)), int(generator.integers(1 << 31))

    def cover(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.paste((0, band, 1, 0.94), picture)
        dots = np.random.default_rng(pattern)
        for x, y in dots.uniform((0, 0), (1, band), (40, 2)):
            sheet.disc(float(x), float(y), 0.012, style.second)
        sheet.box((0.07, 0.07, 0.93, band - 0.04), fill=style.paper, outline=style.accent)
        sheet.text((0.1, 0.08, 0.9, 0.12), series, style.accent)
        middle = (0.14 + band) / 2
        sheet.text((0.12, 0.14, 0.88, middle), style.heading.lines(own, int(own.integers(1, 3)), 1, 4), heading=True)
        sheet.text((0.2, middle, 0.8, band - 0.06), style.text.words(own, 2, 3), style.second)
        mark(sheet, np.random.default_rng(seal), (0.44, 0.945, 0.5, 0.99))
        sheet.text((0.52, 0.95, 0.75, 0.985), publisher, anchor="l")
        return sheet.finished()

    return cover


def screen(generator: np.random.Generator) -> Painter:
    """Design the screens of one program: menu, side bar and buttons are the same, the content differs."""
    style, seal = any_style(generator, float(generator.choice([0.5, 1.6, 1.6]))), int(generator.integers(1 << 31))
    menu = [style.text.words(generator, 1, 2) for _ in range(6)]
    side, rows = generator.uniform(0.16, 0.26), int(generator.integers(4, 9))
    buttons = [style.text.words(generator, 1, 3) for _ in range(3)]

    def shown(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.box((0, 0, 1, 0.09), fill=style.accent)
        mark(sheet, np.random.default_rng(seal), (0.01, 0.01, 0.07, 0.08))
        for box, word in zip(cells((0.1, 0.0, 0.9, 0.09), 6, 1, 0.2), menu, strict=True):
            sheet.text(box, word, style.paper)
        sheet.box((0, 0.09, side, 1), fill=style.second)
        for n, box in enumerate(cells((0, 0.12, side, 0.8), 1, 9, 0.22)):
            mark(sheet, np.random.default_rng(seal + n), (0.01, box[1], 0.04, box[3]))
            sheet.text(
                (0.05, box[1], side - 0.01, box[3]), style.text.words(own, 1, 2) if n > 4 else menu[n], style.paper, "l"
            )
        sheet.text((side + 0.03, 0.11, 0.7, 0.17), style.heading.words(own, 1, 4), anchor="l", heading=True)
        has_picture = own.random() < 0.5
        if has_picture:
            sheet.paste((side + 0.03, 0.2, 0.96, 0.5), picture)
        for box in cells((side + 0.03, 0.53 if has_picture else 0.2, 0.96, 0.86), 1, rows, 0.12):
            sheet.box(box, outline=style.ink, radius=4)
            sheet.text((box[0] + 0.01, box[1], box[2] - 0.1, box[3]), style.text.words(own, 2, 7), anchor="l")
            sheet.text((box[2] - 0.09, box[1], box[2] - 0.01, box[3]), str(own.integers(0, 9999)), anchor="r")
        for box, word in zip(cells((0.5, 0.89, 0.97, 0.97), 3, 1, 0.06), buttons, strict=True):
            sheet.box(box, fill=style.accent, radius=6)
            sheet.text(box, word, style.paper)
        return sheet.finished()

    return shown


def shop_card(generator: np.random.Generator) -> Painter:
    """Design the advertisements of one shop: badge, price field and button are the same, the goods differ."""
    style, logo = any_style(generator, float(generator.choice([1.0, 0.8, 1.9]))), int(generator.integers(1 << 31))
    shop, call = style.heading.words(generator, 1, 3), style.text.words(generator, 1, 3).upper()
    corner = bool(generator.random() < 0.5)

    def advertisement(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style, style.second)
        sheet.paste((0.08, 0.18, 0.92, 0.68), picture)
        sheet.text((0.2, 0.03, 0.95, 0.14), shop, style.paper, "l", heading=True)
        mark(sheet, np.random.default_rng(logo), (0.05, 0.02, 0.17, 0.16))
        x = 0.84 if corner else 0.16
        sheet.disc(x, 0.26, 0.12, style.accent)
        sheet.text((x - 0.09, 0.22, x + 0.09, 0.3), f"-{own.integers(5, 80)}%", style.paper)
        sheet.text((0.08, 0.7, 0.92, 0.77), style.text.words(own, 2, 6), style.paper)
        sheet.text((0.08, 0.78, 0.5, 0.94), f"{own.uniform(1, 900):.2f}", style.paper, "l", heading=True)
        sheet.box((0.56, 0.8, 0.92, 0.93), fill=style.accent, radius=12)
        sheet.text((0.58, 0.82, 0.9, 0.91), call, style.paper)
        return sheet.finished()

    return advertisement


def lecture_slide(generator: np.random.Generator) -> Painter:
    """Design the slides of one lecture: head and foot are the same, points and figures differ."""
    style, logo = any_style(generator, float(generator.choice([1.78, 1.33]))), int(generator.integers(1 << 31))
    foot, bar = style.text.words(generator, 3, 7), generator.uniform(0.12, 0.2)

    def slide(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.box((0, 0, 1, bar), fill=style.accent)
        sheet.text((0.04, 0.02, 0.8, bar - 0.02), style.heading.words(own, 2, 6), style.paper, "l", heading=True)
        mark(sheet, np.random.default_rng(logo), (0.87, 0.02, 0.97, bar - 0.02))
        has_picture = own.random() < 0.5
        for box in cells((0.06, bar + 0.05, 0.55 if has_picture else 0.94, 0.88), 1, int(own.integers(3, 7)), 0.25):
            sheet.disc(box[0], (box[1] + box[3]) / 2, 0.012, style.second)
            sheet.text((box[0] + 0.03, *box[1:]), style.text.words(own, 3, 8), anchor="l")
        if has_picture:
            sheet.paste((0.6, bar + 0.08, 0.95, 0.84), picture)
        sheet.line(0.03, 0.92, 0.97, 0.92, style.accent)
        sheet.text((0.04, 0.935, 0.7, 0.98), foot, anchor="l")
        sheet.text((0.88, 0.935, 0.96, 0.98), str(own.integers(1, 120)), anchor="r")
        return sheet.finished()

    return slide


def news_card(generator: np.random.Generator) -> Painter:
    """Design the pictures of one broadcaster: the band below and the signet are the same over another picture."""
    style, logo = any_style(generator, 1.78), int(generator.integers(1 << 31))
    name, red = style.heading.words(generator, 1, 2).upper(), colour_of(generator)

    def card(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.paste((0, 0, 1, 1), picture)
        sheet.box((0.04, 0.7, 0.96, 0.84), fill=style.paper)
        sheet.box((0.04, 0.84, 0.96, 0.94), fill=red)
        sheet.text((0.06, 0.72, 0.94, 0.82), style.heading.words(own, 3, 7), anchor="l", heading=True)
        sheet.text((0.06, 0.855, 0.8, 0.925), style.text.words(own, 4, 9), (255, 255, 255), "l")
        mark(sheet, np.random.default_rng(logo), (0.85, 0.04, 0.97, 0.2))
        sheet.box((0.04, 0.05, 0.2, 0.14), fill=red)
        sheet.text((0.05, 0.06, 0.19, 0.13), name, (255, 255, 255))
        return sheet.finished()

    return card


def product_label(generator: np.random.Generator) -> Painter:
    """Design the labels of one maker: the same ornament and bar code field, other sorts and figures."""
    style, ornament = any_style(generator, 1.2), int(generator.integers(1, 5))
    maker, logo = style.heading.words(generator, 1, 3), int(generator.integers(1 << 31))
    small = style.text.lines(generator, 4, 4, 8)

    def label(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style, style.accent)
        sheet.frame(ornament, style.paper)
        mark(sheet, np.random.default_rng(logo), (0.38, 0.06, 0.62, 0.32))
        sheet.text((0.15, 0.33, 0.85, 0.45), maker, style.paper, heading=True)
        sheet.box((0.1, 0.48, 0.9, 0.64), fill=colour_of(own))
        sheet.text((0.13, 0.5, 0.87, 0.62), style.heading.words(own, 1, 4), style.paper, heading=True)
        sheet.text((0.08, 0.7, 0.5, 0.92), small, style.paper, "l")
        sheet.box((0.58, 0.68, 0.93, 0.93), fill=(255, 255, 255))
        bars(sheet, own, (0.61, 0.7, 0.9, 0.86))
        sheet.text((0.61, 0.87, 0.9, 0.92), str(own.integers(10**11, 10**12)), (0, 0, 0))
        return sheet.finished()

    return label


def stamp(generator: np.random.Generator) -> Painter:
    """Design the stamps of one set: the same perforation, country and type, another motif and value."""
    style, country = any_style(generator, float(generator.choice([0.8, 1.3]))), any_style(generator).heading
    name, ground = country.words(generator, 1, 2).upper(), colour_of(generator)

    def drawn(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style, ground)
        sheet.box((0.05, 0.05, 0.95, 0.95), fill=style.paper)
        for at in np.linspace(0.05, 0.95, 20):
            for x, y in ((at, 0.05), (at, 0.95), (0.05, at), (0.95, at)):
                sheet.disc(float(x), float(y), 0.016, ground)
        sheet.paste((0.11, 0.11, 0.89, 0.78), picture)
        sheet.text((0.11, 0.8, 0.65, 0.9), name, anchor="l", heading=True)
        sheet.text(
            (0.66, 0.8, 0.89, 0.9), str(int(own.choice([5, 10, 20, 45, 70, 80, 155]))), style.accent, "r", heading=True
        )
        sheet.text((0.2, 0.12, 0.8, 0.17), style.text.words(own, 2, 5), (255, 255, 255))
        return sheet.finished()

    return drawn


def packaged(generator: np.random.Generator) -> Painter:
    """Design records or game boxes of one label: spine, strip and signs are the same round another picture."""
    style, logo = any_style(generator, float(generator.choice([1.0, 0.72]))), int(generator.integers(1 << 31))
    label, spine = style.heading.words(generator, 1, 2).upper(), generator.uniform(0.06, 0.14)

    def box(own: np.random.Generator, picture: Picture) -> Picture:
        image = Image.fromarray(covering(picture, style.width, style.height))
        sheet = Sheet(style)
        sheet.image.paste(image)
        sheet.draw = ImageDraw.Draw(sheet.image)
        sheet.box((0, 0, spine, 1), fill=style.accent)
        sheet.box((spine, 0, 1, 0.09), fill=style.ink)
        sheet.text((spine + 0.03, 0.015, 0.7, 0.075), label, style.paper, "l", heading=True)
        mark(sheet, np.random.default_rng(logo), (0.87, 0.86, 0.98, 0.97))
        sheet.text((spine + 0.05, 0.12, 0.95, 0.28), style.heading.words(own, 1, 4), style.paper, heading=True)
        return pixels_of(sheet.image)

    return box
