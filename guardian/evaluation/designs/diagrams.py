"""Boards, puzzles and plots of one program or publisher, and patterns of one generator."""

import numpy as np

from guardian.evaluation.designs.canvas import Canvas, Point, any_look, reshaded
from guardian.evaluation.designs.sheet import Painter
from guardian.evaluation.pictures import Picture


def go_board(generator: np.random.Generator) -> Painter:
    """Design diagrams of games of go: the board with other stones, some of them numbered."""
    look, size = any_look(generator, 1.0, dark=False), int(generator.choice([9, 13, 19]))
    look = reshaded(look, look.colours[0]) if generator.random() < 0.6 else look
    has_letters = generator.random() < 0.5

    def board(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        pitch = canvas.width / (size + 1.5)
        places = [pitch * (1.25 + number) for number in range(size)]
        for at in places:
            canvas.path([(at, places[0]), (at, places[-1])], look.ink, 1)
            canvas.path([(places[0], at), (places[-1], at)], look.ink, 1)
        for number, at in enumerate(places):
            if has_letters:
                canvas.write(at, 1, chr(65 + number), pitch * 0.6, centred=True)
        for number, place in enumerate(own.permutation(size * size)[: int(own.integers(size, size * size // 2))], 1):
            row, column = divmod(int(place), size)
            is_black = number % 2 == 1
            canvas.dot(places[column], places[row], pitch * 0.46, (20, 20, 20) if is_black else (245, 245, 240))
            canvas.dot(places[column], places[row], pitch * 0.46, (0, 0, 0), stroke=1)
            if number < 8:
                canvas.write(places[column], places[row] - pitch * 0.3, str(number), pitch * 0.6,
                             (255, 255, 255) if is_black else (0, 0, 0), centred=True)  # fmt: skip
        return canvas.pixels

    return board


def number_puzzle(generator: np.random.Generator) -> Painter:
    """Design puzzles of nine by nine cells: other figures in the same heavy and light lines."""
    look, head = any_look(generator, 0.9), generator.random() < 0.7
    title, shaded = look.words(generator, 1, 2), generator.random() < 0.4

    def puzzle(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        side = canvas.width * 0.88 / 9
        left, top = canvas.width * 0.06, canvas.height - side * 9 - canvas.width * 0.05
        if head:
            canvas.write(
                left, 6, f"{title} {own.integers(1, 999)}", top * 0.5, look.colours[0], room=canvas.width * 0.8
            )
        for block in range(9):
            if shaded and block % 2:
                canvas.fill(left + block % 3 * 3 * side, top + block // 3 * 3 * side, 3 * side, 3 * side, look.panel)
        for line in range(10):
            stroke = 3 if line % 3 == 0 else 1
            canvas.path([(left + line * side, top), (left + line * side, top + 9 * side)], look.ink, stroke)
            canvas.path([(left, top + line * side), (left + 9 * side, top + line * side)], look.ink, stroke)
        for place in own.permutation(81)[: int(own.integers(18, 60))]:
            row, column = divmod(int(place), 9)
            canvas.write(left + (column + 0.5) * side, top + (row + 0.2) * side, str(own.integers(1, 10)), side * 0.65,
                         centred=True)  # fmt: skip
        return canvas.pixels

    return puzzle


def bingo_card(generator: np.random.Generator) -> Painter:
    """Design the cards of a lottery: other numbers in the same cells."""
    look, columns = any_look(generator, float(generator.uniform(0.75, 1.6))), int(generator.integers(4, 10))
    rows, title = int(generator.integers(3, 6)), look.words(generator, 1, 1).upper()

    def card(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.fill(0, 0, wide, tall * 0.2, look.colours[0])
        for number, letter in enumerate(title[:columns]):
            x = wide * (number + 0.5) / min(columns, len(title))
            canvas.write(x, tall * 0.04, letter, tall * 0.13, look.panel, centred=True)
        across, down = wide / columns, tall * 0.78 / rows
        for row in range(rows):
            for column in range(columns):
                x, y = column * across, tall * 0.21 + row * down
                is_free = own.random() < 0.15
                canvas.rounded(x + 4, y + 4, across - 8, down - 8, 6, look.colours[1] if is_free else look.panel)
                if not is_free:
                    canvas.write(x + across / 2, y + down * 0.28, str(own.integers(1, 100)), down * 0.45,
                                 room=across * 0.7, centred=True)  # fmt: skip
        return canvas.pixels

    return card


def maze(generator: np.random.Generator) -> Painter:
    """Design mazes of one book: other walls, between the same way in and out."""
    look, columns = any_look(generator, float(generator.uniform(0.7, 1.3))), int(generator.integers(11, 24))
    stroke = int(generator.integers(2, 6))

    def walls(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        side = canvas.width / (columns + 2)
        rows = int(canvas.height / side) - 2
        for row in range(rows):
            for column in range(columns):
                # A binary tree: each cell is open to the north or to the west.
                x, y = side * (column + 1), side * (row + 1)
                north = (row == 0 or own.random() < 0.5) and not (row == 0 and column == 0)
                if north or column == 0:
                    canvas.path([(x, y), (x + side, y)], look.ink, stroke)
                if not north or column == 0:
                    canvas.path([(x, y), (x, y + side)], look.ink, stroke)
        x, y = side * (columns + 1), side * (rows + 1)
        canvas.path([(side, y), (x - side, y)], look.ink, stroke)
        canvas.path([(x, side), (x, y)], look.ink, stroke)
        for at in ((side * 1.5, side * 0.5), (x - side * 0.5, y + side * 0.5)):
            canvas.dot(*at, side * 0.3, look.colours[0])
        return canvas.pixels

    return walls


def line_plot(generator: np.random.Generator) -> Painter:
    """Design plots of curves by one program: axes, ticks, legend and grid; other data."""
    look, curves = any_look(generator, float(generator.uniform(1.2, 1.8))), int(generator.integers(1, 5))
    axis, has_grid = look.words(generator, 1, 2), generator.random() < 0.7
    names, has_dots = [look.words(generator, 1, 1) for _ in range(curves)], generator.random() < 0.4

    def plot(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        left, top, across, down = wide * 0.12, tall * 0.14, wide * 0.83, tall * 0.7
        canvas.write(wide / 2, tall * 0.03, look.words(own, 2, 4), tall * 0.06, room=wide * 0.8, centred=True)
        canvas.write(wide / 2, tall * 0.93, axis, tall * 0.045, room=wide * 0.6, centred=True)
        most = float(own.choice([1, 5, 20, 100, 1000]))
        for tick in range(6):
            x, y = left + across * tick / 5, top + down * (1 - tick / 5)
            if has_grid:
                canvas.path([(left, y), (left + across, y)], look.panel, 1)
                canvas.path([(x, top), (x, top + down)], look.panel, 1)
            canvas.write(left - wide * 0.06, y - tall * 0.02, f"{most * tick / 5:g}", tall * 0.035, centred=True)
            canvas.write(x, top + down + 4, str(2000 + 5 * tick), tall * 0.035, centred=True)
        canvas.frame(left, top, across, down, look.ink)
        for number, name in enumerate(names):
            steps = np.cumsum(own.normal(0, 1, 40)) + own.normal(0, 3)
            steps = (steps - steps.min()) / max(1e-6, float(np.ptp(steps))) * own.uniform(0.3, 0.9) + 0.03
            points: list[Point] = [(left + across * n / 39, top + down * (1 - float(y))) for n, y in enumerate(steps)]
            canvas.path(points, look.colours[number])
            for point in points[::4] if has_dots else ():
                canvas.dot(*point, 4, look.colours[number])
            canvas.fill(left + 10, top + 10 + 18 * number, 14, 8, look.colours[number])
            canvas.write(left + 30, top + 6 + 18 * number, name, 14, room=across * 0.3)
        return canvas.pixels

    return plot


def pie_plot(generator: np.random.Generator) -> Painter:
    """Design plots of shares: a disc or a ring, its legend beside it, other shares."""
    look, parts = any_look(generator, float(generator.uniform(1.3, 1.8))), int(generator.integers(3, 6))
    hole, names = generator.choice([0.0, 0.5]), [look.words(generator, 1, 2) for _ in range(parts)]

    def plot(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.write(wide / 2, tall * 0.03, look.words(own, 2, 4), tall * 0.08, room=wide * 0.8, centred=True)
        shares = own.dirichlet(np.full(parts, 1.5))
        ends = np.cumsum(shares) * 360
        x, y, radius = wide * 0.32, tall * 0.57, tall * 0.36
        for number, (share, end) in enumerate(zip(shares, ends, strict=True)):
            canvas.slice(x, y, radius, end - 360 * share - 90, end - 90, look.colours[number])
            down = tall * (0.25 + 0.6 * number / parts)
            canvas.fill(wide * 0.62, down, tall * 0.06, tall * 0.06, look.colours[number])
            canvas.write(wide * 0.69, down, f"{names[number]} {share:.0%}", tall * 0.055, room=wide * 0.28)
        if hole:
            canvas.dot(x, y, radius * hole, look.panel)
            canvas.write(x, y - tall * 0.05, str(own.integers(10, 9999)), tall * 0.1, room=radius * 0.9, centred=True)
        return canvas.pixels

    return plot


def heat_map(generator: np.random.Generator) -> Painter:
    """Design tables of coloured cells: names along two sides, other values."""
    look, rows = any_look(generator, float(generator.uniform(0.9, 1.6))), int(generator.integers(4, 10))
    columns, has_figures = int(generator.integers(5, 14)), generator.random() < 0.5
    names = [look.words(generator, 1, 1) for _ in range(rows + columns)]

    def table(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        across, down = wide * 0.82 / columns, tall * 0.86 / rows
        low, high = (np.array(look.colours[n], float) for n in (0, 2))
        for row in range(rows):
            canvas.write(4, tall * 0.1 + down * (row + 0.3), names[row], down * 0.4, room=wide * 0.14)
            for column in range(columns):
                value = own.random()
                x, y = wide * 0.16 + across * column, tall * 0.1 + down * row
                red, green, blue = (int(part) for part in low + (high - low) * value)
                canvas.fill(x + 1, y + 1, across - 2, down - 2, (red, green, blue))
                if has_figures:
                    canvas.write(x + across / 2, y + down * 0.3, f"{100 * value:.0f}", down * 0.4, room=across * 0.7,
                                 centred=True)  # fmt: skip
        for column in range(columns):
            x = wide * 0.16 + across * (column + 0.5)
            canvas.write(x, tall * 0.03, names[rows + column], tall * 0.04, room=across * 0.9, centred=True)
        return canvas.pixels

    return table


def family_tree(generator: np.random.Generator) -> Painter:
    """Design trees of boxes: the same boxes and lines, other names and years."""
    look, levels = any_look(generator, float(generator.uniform(1.2, 2.0))), int(generator.integers(3, 5))
    radius, title = generator.uniform(0, 14), look.words(generator, 2, 3)

    def tree(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.write(wide / 2, tall * 0.02, title, tall * 0.06, look.colours[0], room=wide * 0.8, centred=True)
        step = tall * 0.86 / levels
        for level in range(levels):
            count = 2**level
            for number in range(count):
                x, y, across = (
                    wide * (number + 0.5) / count,
                    tall * 0.12 + step * level,
                    wide * 0.82 / 2 ** (levels - 1),
                )
                if level < levels - 1:
                    for child in (-1, 1):
                        below = x + child * wide * 0.25 / count
                        middle = y + step * 0.78
                        canvas.path([(x, y + step * 0.5), (x, middle), (below, middle), (below, y + step)], look.ink)
                canvas.rounded(x - across / 2, y, across, step * 0.6, radius, look.colours[level % 5])
                canvas.write(x, y + step * 0.1, look.words(own, 1, 2), step * 0.2, look.panel, room=across * 0.9,
                             centred=True)  # fmt: skip
                canvas.write(x, y + step * 0.35, str(own.integers(1700, 2030)), step * 0.15, look.panel, centred=True)
        return canvas.pixels

    return tree


def tiling(generator: np.random.Generator) -> Painter:
    """Design patterns of one generator: tiles with two arcs, turned at random."""
    look, columns = any_look(generator, float(generator.uniform(0.8, 1.4))), int(generator.integers(6, 14))
    stroke, has_grid = generator.uniform(0.12, 0.4), generator.random() < 0.3

    def pattern(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        side = canvas.width / columns
        quarter = np.linspace(0, np.pi / 2, 9)
        for row in range(int(canvas.height / side) + 1):
            for column in range(columns):
                x, y, is_turned = side * column, side * row, own.random() < 0.5
                for corner in (0, 1):
                    at = x + side * (corner if is_turned else 1 - corner), y + side * corner
                    start = (0 if corner == 0 else np.pi) + (0 if is_turned else np.pi / 2)
                    arc = [
                        (at[0] + side / 2 * np.cos(start + a), at[1] + side / 2 * np.sin(start + a)) for a in quarter
                    ]
                    canvas.path(arc, look.colours[int(own.integers(0, 2))], max(1, int(side * stroke)))
                if has_grid:
                    canvas.frame(x, y, side, side, look.panel, 1)
        return canvas.pixels

    return pattern


def quilt(generator: np.random.Generator) -> Painter:
    """Design quilts: blocks of triangles in the same cloths, laid otherwise."""
    look, columns = any_look(generator, float(generator.uniform(0.8, 1.3))), int(generator.integers(4, 9))

    def blanket(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        side = canvas.width / columns
        colours = (*look.colours, look.panel)
        for row in range(int(canvas.height / side) + 1):
            for column in range(columns):
                x, y = side * column, side * row
                corners: list[Point] = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
                middle = x + side / 2, y + side / 2
                chosen = own.integers(0, len(colours), 4)
                for number, colour in enumerate(chosen):
                    canvas.shape([corners[number], corners[(number + 1) % 4], middle], colours[int(colour)])
                canvas.frame(x, y, side, side, look.ink, 1)
        return canvas.pixels

    return blanket
