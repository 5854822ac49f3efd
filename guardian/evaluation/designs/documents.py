"""Papers of one design that are filled in differently: calendars, certificates, forms, bills, music and their like."""

import numpy as np

from guardian.evaluation.designs.sheet import Painter, Sheet, any_style, artwork, cells, mark
from guardian.evaluation.lettering import paragraphs
from guardian.evaluation.pictures import Picture, colour_of


def calendar(generator: np.random.Generator) -> Painter:
    """Design the pages of a calendar: another month each, with marked days and sometimes a picture."""
    style, ornament = any_style(generator), int(generator.integers(0, 5))
    top, has_grid, has_picture = generator.uniform(0.16, 0.28), generator.random() < 0.7, generator.random() < 0.4
    days = [style.text.words(generator, 1, 2)[:3] for _ in range(7)]
    top = top + 0.3 if has_picture else top

    def page(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.frame(ornament, style.accent)
        if has_picture:
            sheet.paste((0.06, 0.05, 0.94, top - 0.16), picture)
        month = f"{style.heading.words(own, 1, 2)} {int(own.integers(1990, 2040))}"
        sheet.text((0.08, top - 0.15, 0.92, top - 0.04), month, style.accent, heading=True)

        body = (0.06, top + 0.06, 0.94, 0.94)
        for box, day in zip(cells((0.06, top, 0.94, top + 0.05), 7, 1), days, strict=True):
            sheet.text(box, day, style.second)
        if has_grid:
            sheet.grid(body, 7, 6)
        first, length = int(own.integers(0, 7)), int(own.integers(28, 32))
        for number, box in enumerate(cells(body, 7, 6, 0.25)[first : first + length], 1):
            if own.random() < 0.15:
                sheet.disc((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 0.035, style.accent)
            sheet.text(box, str(number))
        return sheet.finished()

    return page


def certificate(generator: np.random.Generator) -> Painter:
    """Design a certificate: names, dates and numbers differ."""
    style, ornament = any_style(generator, 1.4), int(generator.integers(1, 5))
    title, words = style.heading.words(generator, 1, 3).upper(), style.text.lines(generator, 2, 3, 7)
    seal, under = int(generator.integers(1 << 31)), [style.text.words(generator, 1, 2) for _ in range(2)]

    def paper(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.frame(ornament, style.accent)
        sheet.text((0.15, 0.1, 0.85, 0.22), title, style.accent, heading=True)
        sheet.text((0.25, 0.26, 0.75, 0.36), words)
        sheet.text((0.15, 0.4, 0.85, 0.52), style.heading.words(own, 2, 4), style.second, heading=True)
        sheet.text((0.2, 0.55, 0.8, 0.66), style.text.lines(own, 2, 3, 6))
        mark(sheet, np.random.default_rng(seal), (0.42, 0.7, 0.58, 0.9))
        for x, word in zip((0.1, 0.65), under, strict=True):
            sheet.line(x, 0.84, x + 0.25, 0.84)
            sheet.text((x, 0.85, x + 0.25, 0.9), word)
        sheet.text((0.1, 0.77, 0.35, 0.83), "{}.{}.{}".format(*own.integers(1, 29, 2), own.integers(1980, 2040)))
        _signature(sheet, own, 0.68, 0.78)
        return sheet.finished()

    return paper


def _signature(sheet: Sheet, own: np.random.Generator, x: float, y: float) -> None:
    steps = np.linspace(0, 1, 60)
    wave = np.zeros(60)
    for pace in (9, 17, 31):
        wave += own.uniform(-1, 1) * np.sin(steps * pace + own.uniform(0, 6))
    points = [
        ((x + 0.2 * at) * sheet.style.width, (y + 0.02 * float(up)) * sheet.style.height)
        for at, up in zip(steps, wave, strict=True)
    ]
    sheet.draw.line(points, fill=(20, 30, 120), width=2)


def form(generator: np.random.Generator) -> Painter:
    """Design a form of labelled fields and boxes to tick, filled in by other people."""
    style, rows = any_style(generator, 0.7), int(generator.integers(8, 16))
    title, columns = style.heading.words(generator, 2, 4), int(generator.integers(1, 3))
    labels = [style.text.words(generator, 1, 3) for _ in range(rows * columns)]
    ticked = [bool(generator.random() < 0.25) for _ in labels]

    def filled(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.08, 0.04, 0.92, 0.12), title, style.accent, heading=True)
        for box, label, is_ticked in zip(
            cells((0.06, 0.15, 0.94, 0.95), columns, rows, 0.08), labels, ticked, strict=True
        ):
            left, top, right, bottom = box
            split = left + (right - left) * 0.38
            sheet.text((left, top, split - 0.01, bottom), label, anchor="l")
            if is_ticked:
                for n in range(3):
                    x = split + n * (right - split) / 3
                    sheet.box((x, top, x + 0.03, bottom), outline=style.ink)
                    if own.random() < 0.4:
                        sheet.line(x, top, x + 0.03, bottom, style.second)
                        sheet.line(x, bottom, x + 0.03, top, style.second)
            else:
                sheet.box((split, top, right, bottom), outline=style.ink)
                value = style.text.words(own, 1, 4) if own.random() < 0.7 else str(own.integers(100, 10**7))
                sheet.text((split + 0.01, top + 0.005, right - 0.01, bottom - 0.005), value, style.second, "l")
        return sheet.finished()

    return filled


def invoice(generator: np.random.Generator) -> Painter:
    """Design a bill: letter head, a table of articles and prices, a total."""
    style, rows = any_style(generator, 0.72), int(generator.integers(8, 20))
    head, logo = style.heading.words(generator, 1, 3), int(generator.integers(1 << 31))
    titles = [style.text.words(generator, 1, 2) for _ in range(4)]
    stripes, address = generator.random() < 0.5, style.text.lines(generator, 3, 2, 4)

    def bill(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        mark(sheet, np.random.default_rng(logo), (0.06, 0.03, 0.2, 0.13))
        sheet.text((0.24, 0.04, 0.6, 0.1), head, style.accent, "l", heading=True)
        sheet.text((0.65, 0.04, 0.94, 0.12), address, anchor="r")
        sheet.text((0.06, 0.16, 0.4, 0.25), style.text.lines(own, 3, 2, 4), anchor="l")
        sheet.text((0.65, 0.18, 0.94, 0.22), f"Nr. {own.integers(1000, 10**7)}", anchor="r")

        table = (0.06, 0.3, 0.94, 0.88)
        boxes, used = cells(table, 4, rows + 1, 0.14), int(own.integers(rows // 3, rows))
        sheet.box((0.06, 0.3, 0.94, 0.3 + 0.58 / (rows + 1)), fill=style.accent)
        for number, box in enumerate(boxes):
            row, column = divmod(number, 4)
            if row == 0:
                sheet.text(box, titles[column], style.paper, "l")
            elif row <= used:
                price = f"{own.uniform(1, 3000):.2f}"
                sheet.text(
                    box, style.text.words(own, 1, 4) if column == 0 else price, anchor="l" if column == 0 else "r"
                )
        if stripes:
            for row in range(rows + 2):
                sheet.line(0.06, 0.3 + 0.58 * row / (rows + 1), 0.94, 0.3 + 0.58 * row / (rows + 1))
        else:
            sheet.grid(table, 4, rows + 1)
        sheet.text((0.6, 0.9, 0.94, 0.94), f"{own.uniform(100, 9000):.2f}", style.second, "r")
        return sheet.finished()

    return bill


def timetable(generator: np.random.Generator) -> Painter:
    """Design a timetable: the same days and hours, other entries in coloured boxes."""
    style, columns, rows = any_style(generator, 1.3), int(generator.integers(5, 8)), int(generator.integers(5, 11))
    title = style.heading.words(generator, 1, 3)
    days = [style.text.words(generator, 1, 2)[:9] for _ in range(columns)]
    inks = [colour_of(generator) for _ in range(5)]

    def week(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.05, 0.03, 0.95, 0.11), title, style.accent, heading=True)
        for box, day in zip(cells((0.12, 0.13, 0.97, 0.2), columns, 1), days, strict=True):
            sheet.text(box, day)
        for number, box in enumerate(cells((0.02, 0.2, 0.12, 0.96), 1, rows, 0.2)):
            sheet.text(box, f"{8 + number}:00")
        sheet.grid((0.12, 0.2, 0.97, 0.96), columns, rows)
        for box in cells((0.12, 0.2, 0.97, 0.96), columns, rows, 0.06):
            if own.random() < 0.45:
                sheet.box(box, fill=inks[int(own.integers(0, 5))])
                sheet.text(box, style.text.words(own, 1, 3), style.paper)
        return sheet.finished()

    return week


def sheet_music(generator: np.random.Generator) -> Painter:
    """Design pages of music of one edition: the same staves and clefs, another melody and title."""
    style, staves = any_style(generator, 0.75), int(generator.integers(5, 11))
    clef, bars = style.heading.words(generator, 1, 2)[0], int(generator.integers(3, 6))
    footer = style.text.words(generator, 2, 6)

    def page(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.15, 0.03, 0.85, 0.09), style.heading.words(own, 2, 5), heading=True)
        sheet.text((0.6, 0.09, 0.93, 0.12), style.text.words(own, 2, 4), anchor="r")
        for left, top, right, bottom in cells((0.05, 0.12, 0.95, 0.94), 1, staves, 0.0):
            gap = (bottom - top) / 12
            middle = top + 6 * gap
            for line in range(-2, 3):
                sheet.line(left, middle + line * gap, right, middle + line * gap, width=1)
            sheet.text((left, middle - 3 * gap, left + 0.04, middle + 3 * gap), clef)
            for bar in range(1, bars + 1):
                x = left + (right - left) * bar / bars
                sheet.line(x, middle - 2 * gap, x, middle + 2 * gap, width=1)
            x = left + 0.06
            while x < right - 0.03:
                y = middle + int(own.integers(-5, 6)) * gap / 2
                sheet.disc(x, y, gap * 0.65, style.ink if own.random() < 0.75 else style.paper, style.ink)
                if own.random() < 0.85:
                    sheet.line(x + gap * 0.5, y, x + gap * 0.5, y - 3.5 * gap, width=1)
                x += float(own.choice([0.025, 0.035, 0.05, 0.07]))
        sheet.text((0.2, 0.95, 0.8, 0.98), footer)
        return sheet.finished()

    return page


def score_card(generator: np.random.Generator) -> Painter:
    """Design the card of a match: the same emblem, bars and frame, other teams, figures and crests."""
    style, ornament = any_style(generator, 1.6), int(generator.integers(0, 5))
    event, seal = style.heading.words(generator, 2, 4).upper(), int(generator.integers(1 << 31))
    rows = [style.text.words(generator, 1, 3) for _ in range(int(generator.integers(3, 7)))]
    ground = int(generator.integers(1 << 31)) if generator.random() < 0.4 else None

    def card(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style, style.accent)
        if ground is not None:
            sheet.paste((0, 0, 1, 1), artwork(np.random.default_rng(ground)) // 2)
        sheet.frame(ornament, style.second)
        sheet.text((0.2, 0.05, 0.8, 0.14), event, style.paper, heading=True)
        mark(sheet, np.random.default_rng(seal), (0.03, 0.03, 0.13, 0.17))
        sheet.box((0.36, 0.2, 0.64, 0.45), fill=style.paper)
        sheet.text((0.38, 0.22, 0.62, 0.43), f"{own.integers(0, 10)} : {own.integers(0, 10)}", heading=True)
        for left, right in ((0.05, 0.34), (0.66, 0.95)):
            mark(sheet, own, (left + 0.07, 0.18, right - 0.07, 0.4))
            sheet.text((left, 0.42, right, 0.5), style.text.words(own, 1, 3).upper(), style.paper)
        for box, row in zip(cells((0.08, 0.54, 0.92, 0.95), 1, len(rows), 0.15), rows, strict=True):
            left, top, right, bottom = box
            share = own.uniform(0.2, 0.8)
            sheet.box((left, bottom - 0.02, left + (right - left) * share, bottom), fill=style.second)
            sheet.box((left + (right - left) * share, bottom - 0.02, right, bottom), fill=style.paper)
            sheet.text((0.3, top, 0.7, bottom - 0.02), row, style.paper)
            sheet.text((left, top, left + 0.1, bottom - 0.02), str(int(share * 100)), style.paper, "l")
            sheet.text((right - 0.1, top, right, bottom - 0.02), str(int(100 - share * 100)), style.paper, "r")
        return sheet.finished()

    return card


def business_card(generator: np.random.Generator) -> Painter:
    """Design the cards of one company: logo, pattern and address are the same, the people differ."""
    style, logo = any_style(generator, 1.7), int(generator.integers(1 << 31))
    company, address = style.heading.words(generator, 1, 3), style.text.lines(generator, 2, 2, 5)
    lines = generator.uniform(0, 1, (int(generator.integers(0, 12)), 2))

    def card(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        for start, end in lines:
            sheet.line(float(start), 0, float(end), 1, style.second)
        sheet.box((0, 0, 0.28, 1), fill=style.accent)
        mark(sheet, np.random.default_rng(logo), (0.05, 0.3, 0.23, 0.7))
        sheet.text((0.33, 0.08, 0.95, 0.2), company, style.accent, "l", heading=True)
        sheet.text((0.33, 0.28, 0.95, 0.45), style.heading.words(own, 2, 3), anchor="l", heading=True)
        sheet.text((0.33, 0.46, 0.8, 0.54), style.text.words(own, 1, 3), style.second, "l")
        sheet.text((0.33, 0.6, 0.8, 0.68), f"+{own.integers(10**9, 10**11)}", anchor="l")
        sheet.text((0.33, 0.69, 0.9, 0.77), f"{style.text.words(own, 1, 2).lower()}@example.com", anchor="l")
        sheet.text((0.33, 0.82, 0.95, 0.95), address, anchor="l")
        return sheet.finished()

    return card


def ticket(generator: np.random.Generator) -> Painter:
    """Design the tickets of one event series: stub, bars and seats."""
    style = any_style(generator, 2.3)
    event = style.heading.words(generator, 2, 4).upper()
    scene = artwork(np.random.default_rng(int(generator.integers(1 << 31)))) if generator.random() < 0.6 else None

    def slip(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        if scene is not None:
            sheet.paste((0, 0, 0.3, 1), scene)
        sheet.text((0.33, 0.06, 0.76, 0.25), event, style.accent, heading=True)
        sheet.text((0.33, 0.3, 0.76, 0.5), style.heading.words(own, 2, 5), heading=True)
        labels = (
            f"{own.integers(1, 29)}.{own.integers(1, 13)}.{own.integers(2000, 2040)}",
            f"{own.integers(10, 23)}:{own.integers(0, 6)}0",
            f"{own.integers(1, 60)} / {own.integers(1, 90)}",
        )
        for box, label in zip(cells((0.33, 0.58, 0.76, 0.9), 3, 1, 0.08), labels, strict=True):
            sheet.box(box, outline=style.ink)
            sheet.text((box[0] + 0.01, box[1] + 0.05, box[2] - 0.01, box[3] - 0.05), label)
        for y in np.linspace(0.02, 0.98, 24):
            sheet.disc(0.79, float(y), 0.008, style.ink)
        bars(sheet, own, (0.82, 0.1, 0.97, 0.75))
        sheet.text((0.82, 0.8, 0.97, 0.92), str(own.integers(10**8, 10**10)))
        return sheet.finished()

    return slip


def bars(sheet: Sheet, own: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """Draw a bar code."""
    left, top, right, bottom = box
    x = left
    while x < right:
        wide = float(own.uniform(0.002, 0.01))
        sheet.box((x, top, min(right, x + wide), bottom), fill=(0, 0, 0))
        x += wide + float(own.uniform(0.003, 0.012))


def crossword(generator: np.random.Generator) -> Painter:
    """Design the puzzles of one newspaper: the same head and grid, other black squares and clues."""
    style, side = any_style(generator, 0.72), int(generator.integers(9, 16))
    title = style.heading.words(generator, 1, 3)
    height = 0.88 * 0.72

    def puzzle(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.06, 0.03, 0.94, 0.09), title, style.accent, "l", heading=True)
        board, number = (0.06, 0.11, 0.94, 0.11 + height), 1
        black = own.random((side, side)) < 0.2
        black |= black[::-1, ::-1]
        for box, is_black in zip(cells(board, side, side, 0.0), black.ravel(), strict=True):
            if is_black:
                sheet.box(box, fill=style.ink)
            elif own.random() < 0.3:
                sheet.text((box[0], box[1], (box[0] + box[2]) / 2, (box[1] + box[3]) / 2), str(number), anchor="l")
                number += 1
        sheet.grid(board, side, side)
        for column in range(2):
            clues = "\n".join(paragraphs(own, style.text, 34, 6))
            left = 0.06 + column * 0.46
            sheet.text((left, 0.13 + height, left + 0.42, 0.97), clues, anchor="l")
        return sheet.finished()

    return puzzle


def newspaper(generator: np.random.Generator) -> Painter:
    """Design the front pages of one newspaper: head, columns, and the place of the picture are the same."""
    style, columns = any_style(generator, 0.7), int(generator.integers(3, 6))
    title, line = style.heading.words(generator, 2, 3).upper(), style.text.words(generator, 4, 8)
    place = int(generator.integers(0, columns - 1))

    def front(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.08, 0.02, 0.92, 0.11), title, heading=True)
        sheet.line(0.04, 0.12, 0.96, 0.12)
        sheet.text((0.2, 0.122, 0.8, 0.145), line)
        sheet.line(0.04, 0.15, 0.96, 0.15)
        sheet.text((0.05, 0.16, 0.95, 0.25), style.heading.words(own, 3, 7), heading=True)
        for column, box in enumerate(cells((0.04, 0.27, 0.96, 0.97), columns, 1, 0.03)):
            top = box[1]
            if column == place:
                sheet.paste((box[0], top, box[2] + 0.92 / columns, top + 0.25), picture)
            if column in (place, place + 1):
                top += 0.27
            rows = int((box[3] - top) * 60)
            sheet.text(
                (box[0], top, box[2], box[3]), "\n".join(paragraphs(own, style.text, 150 // columns, rows)), anchor="l"
            )
        return sheet.finished()

    return front
