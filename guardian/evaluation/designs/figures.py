"""Drawings of one series: boards, maps, plans, charts, emblems, logos and pixel art."""

from itertools import pairwise

import cv2
import numpy as np

from guardian.evaluation.designs.sheet import Painter, Sheet, any_style, cells, mark
from guardian.evaluation.pictures import Picture, colour_of

_PIECES = 12


def chess_diagram(generator: np.random.Generator) -> Painter:
    """Design the diagrams of one chess book: the same board and men, another position and caption."""
    style = any_style(generator, 0.9)
    light, dark = (
        (colour_of(generator), colour_of(generator)) if generator.random() < 0.5 else (style.paper, (150, 150, 150))
    )
    men = generator.uniform(0.1, 0.45, (_PIECES, 9))
    men[:, 8] = 0.45
    files = "abcdefgh" if generator.random() < 0.6 else ""

    def diagram(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        board = (0.08, 0.05, 0.92, 0.05 + 0.84 * 0.9)
        for number, box in enumerate(cells(board, 8, 8, 0.0)):
            row, column = divmod(number, 8)
            sheet.box(box, fill=dark if (row + column) % 2 else light)
            if own.random() < 0.38:
                _man(sheet, box, men[int(own.integers(0, _PIECES))], style.ink if own.random() < 0.5 else style.paper)
        for letter, box in zip(files, cells((0.08, 0.81, 0.92, 0.86), 8, 1), strict=False):
            sheet.text(box, letter)
        sheet.text((0.1, 0.88, 0.9, 0.95), style.text.words(own, 2, 6))
        return sheet.finished()

    return diagram


def _man(sheet: Sheet, box: tuple[float, float, float, float], outline: np.ndarray, fill: tuple[int, int, int]) -> None:
    """Draw a piece, symmetrical, with the half widths of `outline` [n] from head to foot."""
    left, top, right, bottom = box
    heights = np.linspace(0.12, 0.88, len(outline))
    sides = np.concatenate([0.5 - outline, (0.5 + outline)[::-1]])
    points = np.stack(
        [left + sides * (right - left), top + np.concatenate([heights, heights[::-1]]) * (bottom - top)], 1
    )
    sheet.polygon(points, fill)
    scaled = [(float(x) * sheet.style.width, float(y) * sheet.style.height) for x, y in points]
    sheet.draw.line([*scaled, scaled[0]], fill=sheet.style.ink, width=1)


def board_game(generator: np.random.Generator) -> Painter:
    """Design the screens of one puzzle game: the same frame and tiles, in other places."""
    style, side = any_style(generator, 0.8), int(generator.integers(4, 11))
    title, inks = style.heading.words(generator, 1, 3), [colour_of(generator) for _ in range(8)]
    has_figures, has_marks = generator.random() < 0.6, generator.random() < 0.4
    seeds = generator.integers(1 << 31, size=8)

    def screen(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style, style.second)
        sheet.text((0.06, 0.03, 0.6, 0.12), title, style.paper, "l", heading=True)
        sheet.box((0.66, 0.03, 0.95, 0.13), fill=style.accent, radius=8)
        sheet.text((0.68, 0.05, 0.93, 0.11), str(own.integers(0, 99999)), style.paper)
        for box in cells((0.05, 0.17, 0.95, 0.17 + 0.9 * 0.8), side, side, 0.05):
            kind = int(own.integers(0, 9))
            sheet.box(box, fill=inks[kind] if kind < 8 else style.paper, radius=5)
            if kind < 8 and has_marks:
                mark(sheet, np.random.default_rng(int(seeds[kind])), box)
            elif kind < 8 and has_figures:
                sheet.text((box[0] + 0.01, box[1] + 0.01, box[2] - 0.01, box[3] - 0.01), str(2**kind), style.paper)
        return sheet.finished()

    return screen


def chart(generator: np.random.Generator) -> Painter:
    """Design the charts of one report: bars, lines or sectors in one style, of other figures."""
    style, kind, count = any_style(generator, 1.5), int(generator.integers(0, 3)), int(generator.integers(4, 12))
    title, inks = style.heading.words(generator, 2, 5), [colour_of(generator) for _ in range(count)]
    labels = [style.text.words(generator, 1, 2)[:8] for _ in range(count)]

    def drawn(own: np.random.Generator, _: Picture) -> Picture:
        sheet, values = Sheet(style), own.uniform(0.05, 1.0, (3, count))
        sheet.text((0.08, 0.03, 0.92, 0.12), title, heading=True)
        if kind == 2:
            _sectors(sheet, values[0] / values[0].sum(), inks)
        else:
            sheet.grid((0.1, 0.18, 0.95, 0.85), 1, 5, (190, 190, 190))
            for number, label in zip(range(6), own.integers(10, 9999, 6), strict=True):
                sheet.text((0.01, 0.83 - number * 0.134, 0.09, 0.87 - number * 0.134), str(label), anchor="r")
        for number, box in enumerate(cells((0.1, 0.18, 0.95, 0.85), count, 1, 0.0)):
            left, right, ink = box[0], box[2], inks[number]
            if kind == 0:
                sheet.box((left + 0.01, 0.85 - 0.65 * values[0, number], right - 0.01, 0.85), fill=ink)
            if kind == 1 and number:
                for row in range(3):
                    sheet.line(left - (right - left) / 2, 0.85 - 0.65 * values[row, number - 1], (left + right) / 2,
                               0.85 - 0.65 * values[row, number], inks[row], width=style.line + 2)  # fmt: skip
            sheet.text((left + 0.005, 0.87, right - 0.005, 0.93), labels[number])
        return sheet.finished()

    return drawn


def _sectors(sheet: Sheet, shares: np.ndarray, inks: list[tuple[int, int, int]]) -> None:
    reach, start = 0.3 * min(sheet.style.width, sheet.style.height), 0.0
    x, y = sheet.style.width / 2, sheet.style.height * 0.5
    for share, ink in zip(shares, inks, strict=True):
        sheet.draw.pieslice((x - reach, y - reach, x + reach, y + reach), start, start + 360 * float(share), fill=ink)
        start += 360 * float(share)


def map_sheet(generator: np.random.Generator) -> Painter:
    """Design maps in one style: other streets, waters and routes, the same frame, legend, arrow and colours."""
    style = any_style(generator)
    water, park, street, route = [colour_of(generator) for _ in range(4)]
    title, legend = style.heading.words(generator, 1, 3), [style.text.words(generator, 1, 3) for _ in range(4)]
    seal = int(generator.integers(1 << 31))

    def drawn(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        for ink, count in ((park, 4), (water, 2)):
            for _shape in range(count):
                angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
                radius = own.uniform(0.05, 0.2) * own.uniform(0.7, 1.3, 20)
                middle = own.uniform(0.1, 0.9, 2)
                sheet.polygon(middle + np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1), ink)
        for _street in range(int(own.integers(15, 40))):
            x, y, to_x, to_y = own.uniform(0, 1, 4)
            sheet.line(x, y, to_x, to_y, street, width=int(own.integers(1, 7)))
        way = np.cumsum(own.normal(0, 0.09, (12, 2)), axis=0) + 0.5
        for (x, y), (to_x, to_y) in pairwise(way):
            sheet.line(x, y, to_x, to_y, route, width=6)
        for place in own.uniform(0.05, 0.9, (8, 2)):
            x, y = float(place[0]), float(place[1])
            sheet.text((x, y, x + 0.14, y + 0.03), style.text.words(own, 1, 2))

        sheet.box((0.02, 0.74, 0.32, 0.98), fill=style.paper, outline=style.ink)
        sheet.text((0.04, 0.75, 0.3, 0.81), title, heading=True)
        for box, words, ink in zip(
            cells((0.04, 0.81, 0.3, 0.97), 1, 4), legend, (water, park, street, route), strict=True
        ):
            sheet.box((box[0], box[1], box[0] + 0.04, box[3]), fill=ink)
            sheet.text((box[0] + 0.06, *box[1:]), words, anchor="l")
        mark(sheet, np.random.default_rng(seal), (0.88, 0.02, 0.98, 0.12))
        return sheet.finished()

    return drawn


def floor_plan(generator: np.random.Generator) -> Painter:
    """Design the floor plans of one agency: walls, doors and letters in one style, other rooms."""
    style, wall = any_style(generator, 1.25), int(generator.integers(5, 12))
    title, seal = style.heading.words(generator, 1, 3), int(generator.integers(1 << 31))

    def plan(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        rooms = [(0.08, 0.14, 0.92, 0.86)]
        for _wall in range(int(own.integers(4, 9))):
            rooms.sort(key=lambda room: (room[0] - room[2]) * (room[3] - room[1]))
            left, top, right, bottom = rooms.pop(0)
            at = own.uniform(0.35, 0.65)
            if right - left > bottom - top:
                cut = left + at * (right - left)
                rooms += [(left, top, cut, bottom), (cut, top, right, bottom)]
            else:
                cut = top + at * (bottom - top)
                rooms += [(left, top, right, cut), (left, cut, right, bottom)]
        for left, top, right, bottom in rooms:
            for line in (
                (left, top, right, top),
                (left, top, left, bottom),
                (right, top, right, bottom),
                (left, bottom, right, bottom),
            ):
                sheet.line(*line, width=wall)
            x = left + own.uniform(0.2, 0.6) * (right - left)
            sheet.line(x, bottom, x + 0.05, bottom, style.paper, width=wall + 2)
            sheet.line(x, bottom, x + 0.03, bottom - 0.06, width=1)
            middle = (left + right) / 2, (top + bottom) / 2
            words = f"{style.text.words(own, 1, 2)}\n{own.uniform(4, 60):.1f} m²"
            sheet.text((middle[0] - 0.06, middle[1] - 0.04, middle[0] + 0.06, middle[1] + 0.04), words)
        sheet.text((0.08, 0.03, 0.7, 0.1), title, style.accent, "l", heading=True)
        mark(sheet, np.random.default_rng(seal), (0.84, 0.02, 0.94, 0.12))
        return sheet.finished()

    return plan


def pixel_art(generator: np.random.Generator) -> Painter:
    """Design creatures of one series: the same size, ground and colours, other symmetrical figures."""
    side, scale = int(generator.integers(10, 25)), int(generator.integers(14, 32))
    palette = generator.integers(0, 256, (int(generator.integers(3, 7)), 3)).astype(np.uint8)
    ground = generator.integers(0, 256, 3).astype(np.uint8)
    down, across = np.mgrid[:side, :side] - side / 2 + 0.5
    body = np.hypot(down, across) < side * generator.uniform(0.38, 0.5)
    share = generator.uniform(0.55, 0.8)

    def creature(own: np.random.Generator, _: Picture) -> Picture:
        blocks = own.integers(0, len(palette), (side // 2 + 1, side // 2 + 1))
        kinds = np.repeat(np.repeat(blocks, 2, axis=0), 2, axis=1)[:side, :side]
        filled = (own.random((side, side)) < share) & body
        half = side // 2
        kinds[:, side - half :] = kinds[:, :half][:, ::-1]
        filled[:, side - half :] = filled[:, :half][:, ::-1]
        small = np.where(filled[..., None], palette[kinds], ground).astype(np.uint8)
        large = cv2.resize(small, (side * scale, side * scale), interpolation=cv2.INTER_NEAREST)
        return np.asarray(large, np.uint8)

    return creature


def emblem(generator: np.random.Generator) -> Painter:
    """Design flags and crests of one family: the same shield, stripes and border, other charges and colours."""
    style, kind = any_style(generator, float(generator.choice([0.85, 1.0, 1.5]))), int(generator.integers(0, 3))
    stripes, seal = int(generator.integers(2, 6)), int(generator.integers(1 << 31))
    motto = style.heading.words(generator, 2, 4).upper()

    def drawn(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        inks = [colour_of(own) for _ in range(stripes)]
        for box, ink in zip(
            cells((0.06, 0.06, 0.94, 0.8), *((stripes, 1) if kind else (1, stripes)), 0.0), inks, strict=True
        ):
            sheet.box(box, fill=ink)
        if kind == 2:
            points = np.array([[0.06, 0.06], [0.94, 0.8], [0.94, 0.6], [0.2, 0.06]])
            sheet.polygon(points, colour_of(own))
        for box in cells((0.15, 0.15, 0.85, 0.72), *((2, 2) if own.random() < 0.5 else (1, 1)), 0.15):
            mark(sheet, own, box)
        sheet.box((0.06, 0.06, 0.94, 0.8), outline=style.ink)
        mark(sheet, np.random.default_rng(seal), (0.44, 0.02, 0.56, 0.12))
        sheet.box((0.12, 0.82, 0.88, 0.95), fill=style.accent, outline=style.ink, radius=10)
        sheet.text((0.16, 0.84, 0.84, 0.93), motto, style.paper)
        return sheet.finished()

    return drawn


def text_logo(generator: np.random.Generator) -> Painter:
    """Design logos that share a word, set in the same type; each adds a word and a sign of its own."""
    style, shared = any_style(generator, 2.0), any_style(generator).heading.words(generator, 1, 2)
    above, spread = generator.random() < 0.5, generator.uniform(0.3, 0.5)
    has_sign = generator.random() < 0.7

    def logo(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        left = 0.3 if has_sign else 0.06
        if has_sign:
            mark(sheet, own, (0.05, 0.25, 0.27, 0.75))
        word = style.text.words(own, 1, 3).upper()
        first, second = (0.12, 0.12 + spread), (0.16 + spread, 0.88)
        sheet.text((left, first[0], 0.95, first[1]), shared if above else word, style.accent, "l", heading=above)
        sheet.text((left, second[0], 0.95, second[1]), word if above else shared, style.ink, "l", heading=not above)
        return sheet.finished()

    return logo


def playing_card(generator: np.random.Generator) -> Painter:
    """Design the cards of one game: the same frame and bands, another figure, name, text and values."""
    style, ornament = any_style(generator, 0.7), int(generator.integers(1, 5))
    game, seal = style.heading.words(generator, 1, 3), int(generator.integers(1 << 31))

    def card(own: np.random.Generator, picture: Picture) -> Picture:
        sheet = Sheet(style, style.accent)
        sheet.frame(ornament, style.paper)
        sheet.box((0.07, 0.05, 0.93, 0.13), fill=style.paper, outline=style.ink, radius=8)
        sheet.text((0.1, 0.06, 0.75, 0.12), style.heading.words(own, 1, 4), anchor="l", heading=True)
        sheet.disc(0.87, 0.09, 0.05, style.second)
        sheet.text((0.83, 0.07, 0.91, 0.11), str(own.integers(0, 100)), style.paper)
        sheet.paste((0.07, 0.15, 0.93, 0.55), picture)
        sheet.box((0.07, 0.15, 0.93, 0.55), outline=style.ink)
        sheet.box((0.07, 0.62, 0.93, 0.9), fill=style.paper, outline=style.ink)
        sheet.text((0.07, 0.56, 0.93, 0.61), game, style.paper)
        sheet.text((0.1, 0.64, 0.9, 0.88), style.text.lines(own, 4, 3, 7))
        mark(sheet, np.random.default_rng(seal), (0.42, 0.9, 0.58, 0.98))
        return sheet.finished()

    return card


def word_search(generator: np.random.Generator) -> Painter:
    """Design the puzzles of one booklet: the same border and type, other letters and words."""
    style, side = any_style(generator, 0.75), int(generator.integers(9, 16))
    title, ornament = style.heading.words(generator, 2, 4), int(generator.integers(1, 5))
    letters = "".join(dict.fromkeys("".join(style.text.words(generator, 30, 31).upper().split())))

    def puzzle(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.frame(ornament, style.accent)
        sheet.text((0.1, 0.06, 0.9, 0.13), title, style.accent, heading=True)
        for box in cells((0.1, 0.15, 0.9, 0.75), side, side, 0.12):
            sheet.text(box, letters[int(own.integers(0, len(letters)))])
        for box in cells((0.1, 0.77, 0.9, 0.94), 4, 4, 0.1):
            sheet.text(box, style.text.words(own, 1, 2), style.second)
        return sheet.finished()

    return puzzle


def knitting_chart(generator: np.random.Generator) -> Painter:
    """Design patterns for needlework: the same squared paper and key, other motifs that repeat."""
    style, side = any_style(generator, 1.0), int(generator.integers(24, 48))
    inks = np.array([style.paper, colour_of(generator), colour_of(generator), colour_of(generator)], np.uint8)
    title = style.heading.words(generator, 1, 3)

    def pattern(own: np.random.Generator, _: Picture) -> Picture:
        sheet, motif = Sheet(style), own.integers(0, 4, (int(own.integers(5, 10)), int(own.integers(5, 10))))
        motif = np.concatenate([motif, motif[:, ::-1]], axis=1)
        tiled = np.tile(motif, (side // len(motif) + 1, side // motif.shape[1] + 1))[:side, :side]
        sheet.paste((0.08, 0.1, 0.92, 0.94), _enlarged(inks[tiled], 8))
        sheet.grid((0.08, 0.1, 0.92, 0.94), side, side, (120, 120, 120))
        sheet.text((0.1, 0.02, 0.9, 0.08), title, heading=True)
        return sheet.finished()

    return pattern


def _enlarged(picture: Picture, factor: int) -> Picture:
    """Enlarge every pixel to a square of `factor` x `factor`."""
    return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)


def icon_sheet(generator: np.random.Generator) -> Painter:
    """Design sheets of icons in one style: round tiles with other signs and names."""
    style, columns, rows = any_style(generator, 1.2), int(generator.integers(3, 7)), int(generator.integers(2, 5))
    title, tile = style.heading.words(generator, 2, 4), colour_of(generator)

    def icons(own: np.random.Generator, _: Picture) -> Picture:
        sheet = Sheet(style)
        sheet.text((0.05, 0.03, 0.95, 0.12), title, style.accent, heading=True)
        for left, top, right, bottom in cells((0.04, 0.15, 0.96, 0.96), columns, rows, 0.1):
            sheet.box((left, top, right, bottom - 0.05), fill=tile, radius=12)
            inset = (right - left) * 0.22
            mark(sheet, own, (left + inset, top + 0.02, right - inset, bottom - 0.07))
            sheet.text((left, bottom - 0.045, right, bottom), style.text.words(own, 1, 2))
        return sheet.finished()

    return icons
