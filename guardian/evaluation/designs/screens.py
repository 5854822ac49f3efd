"""Pictures of screens of one program: chats, listings, posts, weather, map tiles, video stills, games."""

import numpy as np

from guardian.evaluation.designs.canvas import Canvas, any_look, reshaded
from guardian.evaluation.designs.sheet import Painter, artwork
from guardian.evaluation.pictures import Picture


def chat(generator: np.random.Generator) -> Painter:
    """Design a messenger: the same bars and bubbles, other people and messages, sometimes a picture that was sent."""
    look = any_look(generator, float(generator.uniform(0.46, 0.62)))
    line, radius, hint = generator.uniform(0.022, 0.032), generator.uniform(2, 16), look.words(generator, 2, 3)

    def conversation(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.fill(0, 0, wide, tall * 0.09, look.colours[0])
        canvas.dot(wide * 0.11, tall * 0.045, tall * 0.03, look.colours[int(own.integers(1, 5))])
        canvas.write(wide * 0.22, tall * 0.02, look.words(own, 1, 2), tall * 0.03, look.panel, room=wide * 0.6)
        y = tall * 0.11
        while y < tall * 0.84:
            mine, rows = own.random() < 0.5, int(own.integers(1, 4))
            across, height = wide * own.uniform(0.35, 0.72), tall * line * (1.5 * rows + 1)
            has_picture = own.random() < 0.12
            height = across * 0.7 if has_picture else height
            x = wide * 0.96 - across if mine else wide * 0.04
            canvas.rounded(x, y, across, height, radius, look.colours[1] if mine else look.panel)
            if has_picture:
                canvas.show(x + 4, y + 4, across - 8, height - 8, picture)
            else:
                for row in range(rows):
                    canvas.write(x + 8, y + tall * line * (0.5 + 1.5 * row), look.words(own, 2, 6), tall * line,
                                 room=across - 16)  # fmt: skip
            y += height + tall * 0.015
        canvas.fill(0, tall * 0.91, wide, tall * 0.09, look.paper)
        canvas.rounded(wide * 0.04, tall * 0.925, wide * 0.78, tall * 0.055, tall * 0.027, look.panel)
        canvas.write(wide * 0.09, tall * 0.938, hint, tall * 0.024)
        canvas.dot(wide * 0.91, tall * 0.952, tall * 0.027, look.colours[0])
        return canvas.pixels

    return conversation


def code_listing(generator: np.random.Generator) -> Painter:
    """Design an editor: numbers of lines, tabs and side bar; another program in it."""
    look, rows = any_look(generator, 1.5, dark=bool(generator.random() < 0.7)), int(generator.integers(14, 26))
    entries = [look.words(generator, 1, 1) for _ in range(12)]
    side, words = generator.choice([0.0, 0.16, 0.24]), ("if", "for", "return", "def", "let", "(x)", "=", "{", "}", "->")

    def program(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, pitch = canvas.width, canvas.height / (rows + 2)
        canvas.fill(0, 0, wide, pitch * 1.3, look.panel)
        canvas.fill(wide * side, 0, wide * 0.2, pitch * 1.3, look.paper)
        canvas.write(wide * side + 6, pitch * 0.2, look.words(own, 1, 1).lower() + ".c", pitch * 0.8)
        if side:
            canvas.fill(0, pitch * 1.3, wide * side, canvas.height, look.panel)
            for number, entry in enumerate(entries):
                canvas.write(8, pitch * (2 + 1.3 * number), entry, pitch * 0.7, room=wide * side - 12)
        indent = 0
        for row in range(rows):
            y = pitch * (1.5 + row)
            canvas.write(wide * side + 4, y, str(row + 1), pitch * 0.6, look.colours[4])
            indent = int(np.clip(indent + own.integers(-1, 2), 0, 5))
            x = wide * (side + 0.05 + 0.03 * indent)
            for _word in range(int(own.integers(0, 7))):
                word = str(own.choice(words)) if own.random() < 0.4 else look.words(own, 1, 1).lower()
                x += canvas.write(x, y, word, pitch * 0.72, look.colours[int(own.integers(0, 4))]) + pitch * 0.4
        return canvas.pixels

    return program


def social_post(generator: np.random.Generator) -> Painter:
    """Design a post of a social network: its buttons and counters around another picture and other words."""
    look, share = any_look(generator, float(generator.uniform(0.7, 1.0))), generator.uniform(0.45, 0.65)
    buttons = [look.words(generator, 1, 1) for _ in range(3)]

    def post(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(wide * 0.04, tall * 0.03, tall * 0.08, tall * 0.08, artwork(own, 64))
        canvas.frame(wide * 0.04, tall * 0.03, tall * 0.08, tall * 0.08, look.colours[0], 2)
        canvas.write(wide * 0.2, tall * 0.03, look.words(own, 1, 3), tall * 0.04, room=wide * 0.7)
        canvas.write(wide * 0.2, tall * 0.08, f"{own.integers(1, 24)} h", tall * 0.028, look.colours[4])
        canvas.write(wide * 0.04, tall * 0.13, look.words(own, 4, 9), tall * 0.035, room=wide * 0.9)
        canvas.show(0, tall * 0.19, wide, tall * share, picture)
        bottom = tall * (0.2 + share)
        canvas.write(wide * 0.04, bottom, f"{own.integers(2, 9999)}", tall * 0.035, look.colours[0])
        canvas.write(wide * 0.75, bottom, f"{own.integers(2, 999)}", tall * 0.035)
        canvas.path([(0, bottom + tall * 0.06), (wide, bottom + tall * 0.06)], look.panel)
        for number, button in enumerate(buttons):
            x = wide * (0.06 + 0.32 * number)
            canvas.dot(x + 8, bottom + tall * 0.1, tall * 0.018, look.colours[number], stroke=2)
            canvas.write(x + 24, bottom + tall * 0.08, button, tall * 0.032, room=wide * 0.2)
        return canvas.pixels

    return post


def weather_card(generator: np.random.Generator) -> Painter:
    """Design the widget of a forecast: days, symbols of sun, cloud and rain, degrees, and a curve."""
    look, days = any_look(generator, float(generator.uniform(1.2, 1.9))), int(generator.integers(4, 8))
    names = [look.words(generator, 1, 1)[:3] for _ in range(days)]

    def forecast(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.write(wide * 0.05, tall * 0.05, look.words(own, 1, 2), tall * 0.09, room=wide * 0.5)
        canvas.write(wide * 0.62, tall * 0.04, f"{own.integers(-20, 40)}C", tall * 0.2, look.colours[0])
        heat = own.uniform(0.4, 0.55, days)
        canvas.path([(wide * (n + 0.5) / days, tall * at) for n, at in enumerate(heat)], look.colours[1])
        for number, name in enumerate(names):
            x = wide * (number + 0.5) / days
            canvas.write(x, tall * 0.58, name, tall * 0.06, centred=True)
            sky = int(own.integers(0, 4))
            if sky < 2:
                canvas.dot(x, tall * 0.74, tall * 0.05, look.colours[2])
            if sky > 0:
                for shift in (-0.03, 0.0, 0.035):
                    canvas.dot(x + tall * shift, tall * (0.76 - abs(shift) / 2), tall * 0.035, look.panel)
            if sky == 3:
                for drop in range(4):
                    at = x + tall * 0.022 * (drop - 1.5)
                    canvas.path([(at, tall * 0.81), (at - 4, tall * 0.85)], look.colours[3])
            canvas.write(x, tall * 0.88, f"{own.integers(-20, 40)}", tall * 0.07, centred=True)
        return canvas.pixels

    return forecast


def map_tile(generator: np.random.Generator) -> Painter:
    """Design a street map: one style of roads, parks, water, names and pins; another town on each tile."""
    look, pitch = any_look(generator, float(generator.uniform(0.9, 1.5))), generator.uniform(0.08, 0.16)
    brand = look.words(generator, 1, 1)

    def tile(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        for colour in look.colours[:2]:
            x, y = own.uniform(0, 1, 2) * (wide, tall)
            angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            reach = own.uniform(0.08, 0.3, 14) * tall
            canvas.shape(list(zip(x + reach * np.cos(angles), y + reach * np.sin(angles), strict=True)), colour)
        turn, step = own.uniform(0, np.pi / 2), tall * pitch
        for direction in (turn, turn + np.pi / 2 + own.normal(0, 0.1)):
            along = np.array([np.cos(direction), np.sin(direction)])
            across = np.array([-along[1], along[0]])
            for number in range(-12, 13):
                middle = np.array([wide / 2, tall / 2]) + across * step * (number + own.uniform(-0.25, 0.25))
                bends = [middle + along * at * tall + own.normal(0, step / 9, 2) for at in np.linspace(-1.3, 1.3, 9)]
                major = own.random() < 0.2
                canvas.path([(float(x), float(y)) for x, y in bends], look.colours[3] if major else look.panel,
                            max(2, int(step * (0.25 if major else 0.13))))  # fmt: skip
        for _label in range(int(own.integers(4, 10))):
            x, y = own.uniform(0, 0.85, 2) * (wide, tall)
            canvas.write(x, y, look.words(own, 1, 2), tall * 0.035, room=wide * 0.3)
        for _pin in range(int(own.integers(1, 5))):
            x, y = own.uniform(0.05, 0.95, 2) * (wide, tall)
            canvas.shape([(x, y), (x - 9, y - 18), (x + 9, y - 18)], look.colours[4])
            canvas.dot(x, y - 20, 9, look.colours[4])
            canvas.dot(x, y - 20, 4, look.panel)
        canvas.rounded(wide - 40, tall - 90, 30, 64, 5, look.panel)
        canvas.write(wide - 25, tall - 86, "+", 26, centred=True)
        canvas.write(wide - 25, tall - 54, "-", 26, centred=True)
        canvas.write(6, tall - 20, brand, 14)
        return canvas.pixels

    return tile


def video_still(generator: np.random.Generator) -> Painter:
    """Design a broadcast: a station's logo, banner and ticker over another scene each, and a player's buttons."""
    look, banner = any_look(generator, 16 / 9), generator.uniform(0.1, 0.18)
    station, has_player = look.words(generator, 1, 1).upper(), generator.random() < 0.5

    def still(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, 0, wide, tall, picture)
        canvas.fill(wide * 0.85, tall * 0.04, wide * 0.12, tall * 0.09, look.colours[0])
        canvas.write(wide * 0.91, tall * 0.055, station, tall * 0.05, look.panel, room=wide * 0.1, centred=True)
        top = tall * (0.78 - banner)
        canvas.fill(wide * 0.05, top, wide * 0.8, tall * banner, look.colours[1])
        canvas.fill(wide * 0.05, top, wide * 0.015, tall * banner, look.colours[2])
        canvas.write(wide * 0.08, top + tall * banner * 0.15, look.words(own, 3, 6), tall * banner * 0.5, look.panel,
                     room=wide * 0.75)  # fmt: skip
        canvas.fill(0, tall * 0.8, wide, tall * 0.07, look.panel)
        canvas.write(wide * 0.02, tall * 0.815, look.words(own, 7, 12), tall * 0.04, room=wide * 0.95)
        if has_player:
            played = own.uniform(0.1, 0.9)
            canvas.fill(wide * 0.03, tall * 0.91, wide * 0.94, 4, look.panel)
            canvas.fill(wide * 0.03, tall * 0.91, wide * 0.94 * played, 4, look.colours[3])
            canvas.dot(wide * (0.03 + 0.94 * played), tall * 0.913, 7, look.colours[3])
            canvas.shape(
                [(wide * 0.03, tall * 0.94), (wide * 0.03, tall * 0.98), (wide * 0.055, tall * 0.96)], look.panel
            )
        return canvas.pixels

    return still


def platform_game(generator: np.random.Generator) -> Painter:
    """Design a game of tiles: the same blocks, coins and counters, another level each."""
    look, columns = any_look(generator, 1.4), int(generator.integers(14, 22))
    look = reshaded(look, look.colours[3]) if generator.random() < 0.5 else look
    label = look.words(generator, 1, 1)

    def level(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        side = canvas.width / columns
        rows = int(canvas.height / side)
        ground = rows - int(own.integers(2, 5))
        for column in range(columns):
            ground = int(np.clip(ground + own.integers(-1, 2), rows // 2, rows - 1)) if own.random() < 0.5 else ground
            tiles = dict.fromkeys(range(ground, rows + 1), 0)
            if own.random() < 0.35:
                tiles[int(own.integers(2, max(3, ground - 2)))] = int(own.integers(1, 4))
            for row, sort in tiles.items():
                _block(canvas, column * side, row * side, side, sort, top=row == ground)
        canvas.write(side * 0.5, side * 0.3, f"{label} {own.integers(0, 10**6):06d}", side * 0.8)
        canvas.write(side * (columns - 5), side * 0.3, f"x {own.integers(0, 99):02d}", side * 0.8)
        return canvas.pixels

    return level


def _block(canvas: Canvas, x: float, y: float, side: float, sort: int, *, top: bool) -> None:
    colours, panel = canvas.look.colours, canvas.look.panel
    if sort == 1:
        canvas.dot(x + side / 2, y + side / 2, side * 0.35, colours[2])
        canvas.dot(x + side / 2, y + side / 2, side * 0.2, panel, stroke=2)
        return
    canvas.fill(x, y, side, side, colours[sort])
    canvas.frame(x, y, side, side, panel, 1)
    for part in (0.33, 0.66):
        canvas.path([(x, y + side * part), (x + side, y + side * part)], panel, 1)
    if top:
        canvas.fill(x, y, side, side * 0.25, colours[4])
