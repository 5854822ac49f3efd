"""What goods and people carry: price tags, menus, labels of parcels and food, vouchers, passes, badges, cards."""

import numpy as np

from guardian.evaluation.designs.canvas import Canvas, any_look, reshaded
from guardian.evaluation.designs.sheet import Painter, artwork
from guardian.evaluation.pictures import Colour, Picture


def bar_code(canvas: Canvas, own: np.random.Generator, x: float, y: float, width: float, height: float) -> None:
    """Draw bars of four widths, black on white."""
    canvas.fill(x, y, width, height, (255, 255, 255))
    module, at = max(1.0, width / 100), x + 4
    while at < x + width - 6:
        bar, gap = module * own.integers(1, 5), module * own.integers(1, 5)
        canvas.fill(at, y + 3, max(0, bar - 1), height - 6, (0, 0, 0))
        at += bar + gap


def square_code(canvas: Canvas, own: np.random.Generator, x: float, y: float, side: float, modules: int) -> None:
    """Draw a code of black squares with the three corners by which readers find it."""
    size = side / (modules + 2)
    canvas.fill(x, y, side, side, (255, 255, 255))
    dark = own.random((modules, modules)) < 0.5
    for down, across in ((0, 0), (0, modules - 7), (modules - 7, 0)):
        corner = np.ones((7, 7), bool)
        corner[1:6, 1:6] = False
        corner[2:5, 2:5] = True
        dark[max(0, down - 1) : down + 8, max(0, across - 1) : across + 8] = False
        dark[down : down + 7, across : across + 7] = corner
    for row, column in zip(*np.nonzero(dark), strict=True):
        canvas.fill(x + size * (column + 1), y + size * (row + 1), size - 0.5, size - 0.5, (0, 0, 0))


def price_tag(generator: np.random.Generator) -> Painter:
    """Design the tags of a shop: another article, price and code on each."""
    look = any_look(generator, float(generator.uniform(1.3, 2.4)), dark=False)
    offer, unit = look.words(generator, 1, 1).upper(), look.words(generator, 1, 1).lower()
    has_burst = generator.random() < 0.5

    def tag(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.fill(0, 0, wide, tall * 0.2, look.colours[0])
        canvas.write(wide * 0.04, tall * 0.04, look.words(own, 1, 3), tall * 0.11, look.panel, room=wide * 0.65)
        canvas.write(wide * 0.06, tall * 0.26, look.words(own, 2, 5), tall * 0.08, room=wide * 0.55)
        price = f"{own.integers(0, 200)}.{own.integers(0, 100):02d}"
        canvas.write(wide * 0.45, tall * 0.42, price, tall * 0.42, look.colours[1], room=wide * 0.5)
        canvas.write(wide * 0.62, tall * 0.84, f"{own.uniform(0.1, 40):.2f} / {unit}", tall * 0.08, room=wide * 0.35)
        bar_code(canvas, own, wide * 0.05, tall * 0.66, wide * 0.35, tall * 0.26)
        if has_burst:
            angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
            reach = tall * np.where(np.arange(32) % 2, 0.17, 0.13)
            x, y = wide * 0.86, tall * 0.2
            canvas.shape(
                list(zip(x + reach * np.cos(angles), y + reach * np.sin(angles), strict=True)), look.colours[2]
            )
            canvas.write(x, tall * 0.16, offer, tall * 0.08, look.panel, room=tall * 0.22, centred=True)
        return canvas.pixels

    return tag


def menu_card(generator: np.random.Generator) -> Painter:
    """Design the menu of a restaurant: frame, heads and dotted lines; other dishes and prices."""
    look, parts = any_look(generator, float(generator.uniform(0.6, 0.8))), int(generator.integers(2, 4))
    name, heads = look.words(generator, 1, 2), [look.words(generator, 1, 2) for _ in range(parts)]
    dishes = int(generator.integers(4, 7))

    def menu(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        for inset in (8, 14):
            canvas.frame(inset, inset, wide - 2 * inset, tall - 2 * inset, look.colours[0])
        canvas.write(wide / 2, tall * 0.05, name, tall * 0.06, look.colours[1], room=wide * 0.8, centred=True)
        for side in (-1, 1):
            canvas.path([(wide / 2 + side * wide * reach, tall * (0.135 + 0.01 * np.sin(reach * 40)))
                         for reach in np.linspace(0.03, 0.35, 30)], look.colours[0])  # fmt: skip
        pitch, y = tall * 0.78 / (parts * (dishes + 2)), tall * 0.16
        for head in heads:
            canvas.write(wide / 2, y, head, pitch * 0.95, look.colours[2], room=wide * 0.7, centred=True)
            for row in range(1, dishes + 1):
                across = canvas.write(wide * 0.1, y + pitch * (row + 0.4), look.words(own, 2, 4), pitch * 0.65,
                                      room=wide * 0.6)  # fmt: skip
                for x in np.arange(wide * 0.12 + across, wide * 0.8, 7):
                    canvas.dot(float(x), y + pitch * (row + 0.95), 1, look.ink)
                canvas.write(wide * 0.82, y + pitch * (row + 0.4), f"{own.integers(4, 60)}.{own.integers(0, 10)}0",
                             pitch * 0.65)  # fmt: skip
            y += pitch * (dishes + 2)
        return canvas.pixels

    return menu


def parcel_label(generator: np.random.Generator) -> Painter:
    """Design the labels of a carrier: ruled fields, codes of bars and squares, other addresses."""
    look = reshaded(any_look(generator, float(generator.uniform(0.62, 0.9)), dark=False), (255, 255, 255))
    carrier, heads = look.words(generator, 1, 2).upper(), [look.words(generator, 1, 1) for _ in range(5)]
    modules, thick = int(generator.choice([21, 25, 29])), int(generator.integers(2, 6))

    def label(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        black = (0, 0, 0)
        canvas.frame(4, 4, wide - 8, tall - 8, black, thick)
        for y in (0.14, 0.36, 0.58, 0.68):
            canvas.path([(4, tall * y), (wide - 4, tall * y)], black, thick)
        canvas.path([(wide * 0.6, tall * 0.36), (wide * 0.6, tall * 0.68)], black, thick)
        canvas.write(wide * 0.05, tall * 0.03, carrier, tall * 0.08, black, room=wide * 0.6)
        canvas.write(wide * 0.78, tall * 0.02, str(own.choice(list("ABCDEFGHXZ"))), tall * 0.1, black)
        for top, head in zip((0.15, 0.37, 0.59), heads, strict=False):
            canvas.write(wide * 0.03, tall * top, head, tall * 0.025, black)
        for row in range(3):
            line = look.words(own, 2, 3) if row < 2 else f"{own.integers(10**4, 10**5)} {look.words(own, 1, 1)}"
            canvas.write(wide * 0.06, tall * (0.19 + 0.05 * row), line, tall * 0.04, black, room=wide * 0.85)
            canvas.write(
                wide * 0.06, tall * (0.41 + 0.05 * row), line[::-1].title(), tall * 0.035, black, room=wide / 2
            )
        square_code(canvas, own, wide * 0.64, tall * 0.38, min(wide * 0.32, tall * 0.28), modules)
        canvas.write(wide * 0.08, tall * 0.62, f"{own.uniform(0.1, 30):.2f} kg", tall * 0.04, black)
        bar_code(canvas, own, wide * 0.08, tall * 0.71, wide * 0.84, tall * 0.19)
        canvas.write(wide / 2, tall * 0.92, " ".join(f"{part:04d}" for part in own.integers(0, 9999, 4)), tall * 0.04,
                     black, centred=True)  # fmt: skip
        return canvas.pixels

    return label


def food_facts(generator: np.random.Generator) -> Painter:
    """Design a table of what is in food: the same names and rules, other figures."""
    look = reshaded(any_look(generator, float(generator.uniform(0.5, 0.75)), dark=False), (252, 252, 250))
    title, rows = look.words(generator, 2, 2), int(generator.integers(9, 16))
    names, inset = [look.words(generator, 1, 2) for _ in range(rows)], generator.random(rows) < 0.3

    def facts(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.frame(6, 6, wide - 12, tall - 12, look.ink)
        canvas.write(wide * 0.06, tall * 0.03, title, tall * 0.07, room=wide * 0.88)
        canvas.write(wide * 0.06, tall * 0.11, f"{own.integers(20, 500)} g  ({own.integers(1, 20)})", tall * 0.03)
        canvas.fill(wide * 0.06, tall * 0.155, wide * 0.88, tall * 0.015, look.ink)
        canvas.write(wide * 0.06, tall * 0.18, look.words(own, 1, 1), tall * 0.05, look.colours[0], room=wide * 0.5)
        canvas.write(wide * 0.7, tall * 0.18, str(own.integers(10, 900)), tall * 0.06)
        for row, (name, deeper) in enumerate(zip(names, inset, strict=True)):
            y, pitch = tall * (0.26 + 0.7 * row / rows), tall * 0.7 / rows
            canvas.path([(wide * 0.06, y), (wide * 0.94, y)], look.ink, 1)
            canvas.write(wide * (0.12 if deeper else 0.06), y + pitch * 0.2, name, pitch * 0.6, room=wide * 0.45)
            canvas.write(wide * 0.6, y + pitch * 0.2, f"{own.uniform(0, 60):.1f}g", pitch * 0.6, room=wide * 0.18)
            canvas.write(wide * 0.82, y + pitch * 0.2, f"{own.integers(0, 100)}%", pitch * 0.6, room=wide * 0.12)
        return canvas.pixels

    return facts


def voucher(generator: np.random.Generator) -> Painter:
    """Design vouchers with a ground of fine waves, as banknotes have: another sum, number and name."""
    look = any_look(generator, float(generator.uniform(1.9, 2.5)), dark=False)
    title, waves = look.words(generator, 1, 2), generator.uniform(1, 9, (6, 2))

    def note(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        x = np.linspace(0, wide, 160)
        for number, (pace, phase) in enumerate(waves):
            for shift in range(4):
                y = tall * (0.5 + 0.35 * np.sin(pace * x / wide * 3 + phase + shift * 0.15) * np.cos(number + x / wide))
                canvas.path(list(zip(x, y, strict=True)), look.colours[number % 5], 1)
        canvas.frame(10, 10, wide - 20, tall - 20, look.ink)
        canvas.write(wide * 0.05, tall * 0.1, title, tall * 0.17, look.colours[0], room=wide * 0.5)
        canvas.rounded(wide * 0.63, tall * 0.18, wide * 0.31, tall * 0.42, 12, look.panel)
        canvas.write(wide * 0.785, tall * 0.25, str(own.integers(5, 500)), tall * 0.27, room=wide * 0.26, centred=True)
        canvas.write(wide * 0.05, tall * 0.5, look.words(own, 2, 3), tall * 0.13, room=wide * 0.5)
        canvas.write(
            wide * 0.05, tall * 0.77, "-".join(f"{part:04X}" for part in own.integers(0, 1 << 16, 3)), tall * 0.1
        )
        bar_code(canvas, own, wide * 0.63, tall * 0.68, wide * 0.31, tall * 0.2)
        return canvas.pixels

    return note


def boarding_pass(generator: np.random.Generator) -> Painter:
    """Design the passes of an airline: other people, places, seats and codes."""
    look = any_look(generator, float(generator.uniform(2.0, 2.6)), dark=bool(generator.random() < 0.2))
    line, heads = look.words(generator, 1, 2), [look.words(generator, 1, 1) for _ in range(6)]

    def stub(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.fill(0, 0, wide, tall * 0.18, look.colours[0])
        canvas.shape([(wide * 0.03, tall * 0.13), (wide * 0.1, tall * 0.04), (wide * 0.08, tall * 0.14)], look.panel)
        canvas.write(wide * 0.13, tall * 0.05, line, tall * 0.1, look.panel, room=wide * 0.4)
        name, letters = look.words(own, 2, 3), list("ABCDEFGHIJKLMNOPRSTUVWXYZ")
        places = ["".join(own.choice(letters, 3)) for _ in range(2)]
        canvas.write(wide * 0.04, tall * 0.24, name, tall * 0.09, room=wide * 0.45)
        for number, place in enumerate(places):
            canvas.write(wide * (0.04 + 0.3 * number), tall * 0.38, place, tall * 0.2, look.colours[1])
        canvas.path([(wide * 0.22, tall * 0.49), (wide * 0.31, tall * 0.49)], look.colours[2])
        for number, head in enumerate(heads):
            x = wide * (0.04 + 0.105 * number)
            canvas.write(x, tall * 0.66, head, tall * 0.05, look.colours[3], room=wide * 0.095)
            canvas.write(x, tall * 0.74, f"{own.integers(1, 99)}{own.choice(letters)}", tall * 0.11, room=wide * 0.09)
        for y in np.arange(0, tall, 12):
            canvas.dot(wide * 0.72, float(y), 2, look.ink)
        canvas.write(wide * 0.75, tall * 0.24, name, tall * 0.06, room=wide * 0.2)
        square_code(canvas, own, wide * 0.77, tall * 0.38, min(wide * 0.19, tall * 0.5), 25)
        return canvas.pixels

    return stub


def name_badge(generator: np.random.Generator) -> Painter:
    """Design the badges of a congress: ribbon, logo and role of each, with a portrait or a code."""
    look, has_portrait = any_look(generator, float(generator.uniform(0.6, 0.85))), generator.random() < 0.5
    event, roles = look.words(generator, 2, 3), [look.words(generator, 1, 1).upper() for _ in range(3)]
    dots = generator.uniform(0, 1, (30, 3))

    def badge(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.fill(0, 0, wide, tall * 0.24, look.colours[0])
        for x, y, size in dots:
            canvas.dot(wide * x, tall * 0.24 * y, 2 + 10 * size, look.colours[1], stroke=1)
        canvas.rounded(wide * 0.4, tall * 0.02, wide * 0.2, tall * 0.025, 6, look.panel)
        canvas.write(wide / 2, tall * 0.1, event, tall * 0.06, look.panel, room=wide * 0.85, centred=True)
        if has_portrait:
            canvas.show(wide * 0.3, tall * 0.28, wide * 0.4, tall * 0.28, picture)
        else:
            square_code(canvas, own, wide * 0.5 - tall * 0.13, tall * 0.29, tall * 0.26, 21)
        canvas.write(wide / 2, tall * 0.6, look.words(own, 1, 1), tall * 0.1, room=wide * 0.85, centred=True)
        canvas.write(wide / 2, tall * 0.71, look.words(own, 1, 2), tall * 0.06, room=wide * 0.8, centred=True)
        canvas.write(wide / 2, tall * 0.79, look.words(own, 2, 3), tall * 0.035, room=wide * 0.8, centred=True)
        role = int(own.integers(0, 3))
        canvas.fill(0, tall * 0.87, wide, tall * 0.13, look.colours[2 + role])
        canvas.write(wide / 2, tall * 0.9, roles[role], tall * 0.06, look.panel, room=wide * 0.8, centred=True)
        return canvas.pixels

    return badge


def road_sign(generator: np.random.Generator) -> Painter:
    """Design signs of one country: the same board and arrows, other places and distances."""
    look, rows = any_look(generator, float(generator.uniform(1.1, 1.8))), int(generator.integers(2, 5))
    look = reshaded(look, look.colours[0])

    def sign(own: np.random.Generator, _: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.frame(12, 12, wide - 24, tall - 24, look.panel, 5)
        for row in range(rows):
            y, pitch = tall * (0.08 + 0.86 * row / rows), tall * 0.86 / rows
            _arrow(canvas, wide * 0.12, y + pitch / 2, pitch * 0.25, float(own.choice([0, 90, 180, 270])), look.panel)
            canvas.write(
                wide * 0.23, y + pitch * 0.25, look.words(own, 1, 2), pitch * 0.5, look.panel, room=wide * 0.52
            )
            canvas.write(
                wide * 0.8, y + pitch * 0.25, str(own.integers(1, 300)), pitch * 0.5, look.panel, room=wide * 0.15
            )
        return canvas.pixels

    return sign


def _arrow(canvas: Canvas, x: float, y: float, reach: float, turn: float, colour: Colour) -> None:
    angle = np.deg2rad(turn)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    places = ((1, 0), (0.2, 0.7), (0.2, 0.25), (-1, 0.25), (-1, -0.25), (0.2, -0.25), (0.2, -0.7))
    outline = [np.array([x, y]) + reach * (far * along + aside * across) for far, aside in places]
    canvas.shape([(float(point[0]), float(point[1])) for point in outline], colour)


def trading_card(generator: np.random.Generator) -> Painter:
    """Design the cards of a collecting game: frame, costs and rules around another figure each."""
    look, edge = any_look(generator, 0.7), generator.uniform(0.03, 0.07)
    marks, ground = look.words(generator, 1, 2), artwork(generator, 200) // 3 + 60

    def card(own: np.random.Generator, picture: Picture) -> Picture:
        canvas = Canvas(look)
        wide, tall = canvas.width, canvas.height
        canvas.show(0, 0, wide, tall, ground)
        border = wide * edge
        canvas.frame(border / 2, border / 2, wide - border, tall - border, look.colours[0], max(2, int(border / 2)))
        canvas.rounded(border * 1.5, tall * 0.04, wide - border * 3, tall * 0.08, 8, look.panel)
        canvas.write(border * 2.2, tall * 0.055, look.words(own, 1, 2), tall * 0.045, room=wide * 0.6)
        for cost in range(int(own.integers(1, 5))):
            canvas.dot(wide * (0.9 - 0.07 * cost), tall * 0.08, tall * 0.02, look.colours[int(own.integers(1, 5))])
        canvas.show(border * 1.5, tall * 0.14, wide - border * 3, tall * 0.4, picture)
        canvas.frame(border * 1.5, tall * 0.14, wide - border * 3, tall * 0.4, look.ink)
        canvas.rounded(border * 1.5, tall * 0.56, wide - border * 3, tall * 0.36, 6, look.panel)
        for row in range(int(own.integers(3, 6))):
            canvas.write(
                border * 2.2, tall * (0.59 + 0.05 * row), look.words(own, 4, 7), tall * 0.032, room=wide * 0.75
            )
        canvas.write(border * 2.2, tall * 0.86, marks, tall * 0.03)
        canvas.write(wide * 0.75, tall * 0.85, f"{own.integers(0, 20)}/{own.integers(1, 20)}", tall * 0.05)
        return canvas.pixels

    return card
