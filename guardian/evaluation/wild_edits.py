"""Edits as people make them for posts, shops, posters and thumbnails: parts, prints, cards, strips.

Like those of tone_edits.py and subject_edits.py, no benchmark of copy detection has them. Every function draws its
strength, words and colours from the generator that it is given. Those that show a part choose one that a person could
recognise, or raise NotRecognisable.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from guardian.errors import NotRecognisable
from guardian.evaluation.lettering import any_lettering, fitting, paragraphs, written
from guardian.evaluation.pictures import (
    Picture,
    blended,
    clipped,
    colour_of,
    covering,
    is_recognisable,
    pixels_of,
    recognisable_part,
    resized,
)

_LIGHT, _DARK = (250, 250, 248), (16, 16, 20)


def in_letters(picture: Picture, other: Picture, generator: np.random.Generator) -> Picture:
    """Cut huge letters out of it and put them on a plain ground or on another picture."""
    width = int(generator.integers(600, 1000))
    height = int(width * generator.uniform(0.4, 0.75))
    shown, lettering = covering(picture, width, height), any_lettering(generator)
    text = lettering.lines(generator, int(generator.integers(1, 3)), 1, 2).upper()[:16]
    stencil = Image.new("L", (width, height))
    font, _ = fitting(lettering, text, width * 0.94, height * 0.9)
    ImageDraw.Draw(stencil).multiline_text(
        (width / 2, height / 2), text, fill=255, font=font, anchor="mm", align="center", stroke_width=width // 120
    )
    mask = np.asarray(stencil)
    if mask.mean() < 25 or not is_recognisable(shown, mask):
        raise NotRecognisable("the letters show too little")
    ground = covering(other, width, height) if generator.random() < 0.3 else np.full_like(shown, colour_of(generator))
    return blended(ground, shown, mask / 255.0)


def ninth(picture: Picture, generator: np.random.Generator) -> Picture:
    """Enlarge one of nine tiles, as posts that are split over a grid of nine show it."""
    height, width = picture.shape[:2]
    boxes = [
        (column * width // 3, row * height // 3, (column + 1) * width // 3, (row + 1) * height // 3)
        for row in range(3)
        for column in range(3)
    ]
    tile = recognisable_part(picture, generator, boxes)
    factor = generator.uniform(400, 1080) / max(tile.shape[:2])
    return resized(tile, tile.shape[1] * factor, tile.shape[0] * factor)


def hero_strip(picture: Picture, generator: np.random.Generator) -> Picture:
    """Make it the darkened top of a web page with menu, headline and button."""
    width = int(generator.integers(800, 1300))
    strip = _strip(picture, generator, 0.25, 0.45)
    strip = resized(strip, width, strip.shape[0] * width / strip.shape[1])
    height = strip.shape[0]
    tint = colour_of(generator) if generator.random() < 0.3 else _DARK
    alpha: NDArray[np.floating] | float = generator.uniform(0.35, 0.65)
    if generator.random() < 0.4:
        # Many pages darken the side of the headline only.
        alpha = np.broadcast_to(np.linspace(min(0.9, alpha + 0.2), alpha - 0.25, width), (height, width))
    image = Image.fromarray(blended(strip, tint, alpha))

    draw, lettering = ImageDraw.Draw(image), any_lettering(generator)
    draw.text((width * 0.03, height * 0.04), lettering.words(generator, 3, 7), _LIGHT, lettering.font(height * 0.06))
    left, top = width * generator.uniform(0.04, 0.3), height * generator.uniform(0.25, 0.45)
    wide = width * generator.uniform(0.35, 0.6)
    written(draw, (left, top, left + wide, top + height * 0.25), lettering.words(generator, 2, 6), lettering, _LIGHT)
    button = (left, top + height * 0.32, left + width * 0.15, top + height * 0.45)
    draw.rounded_rectangle(button, height * 0.02, fill=colour_of(generator))
    written(draw, button, lettering.words(generator, 1, 2), lettering, _LIGHT)
    return pixels_of(image)


def full_width_strip(picture: Picture, generator: np.random.Generator) -> Picture:
    """Cut out a strip of the full width and 20 to 30 % of the height, as headers of pages and profiles show it."""
    return _strip(picture, generator, 0.2, 0.3)


def _strip(picture: Picture, generator: np.random.Generator, least: float, most: float) -> Picture:
    height, width = picture.shape[:2]
    tall = int(height * generator.uniform(least, most))
    return recognisable_part(picture, generator, [(0, y, width, y + tall) for y in range(0, height - tall + 1, 8)])


def half_mirrored(picture: Picture, generator: np.random.Generator) -> Picture:
    """Replace one half by the mirror image of the other."""
    turned = np.ascontiguousarray(np.rot90(picture)) if generator.random() < 0.3 else picture
    middle = turned.shape[1] // 2
    half = turned[:, :middle] if generator.random() < 0.5 else turned[:, -middle:][:, ::-1]
    if not is_recognisable(half):
        raise NotRecognisable("that half shows too little")
    whole = np.concatenate([half, half[:, ::-1]], axis=1)
    return whole if turned is picture else np.rot90(whole, -1)


def on_mug(picture: Picture, host: Picture, generator: np.random.Generator) -> Picture:
    """Print it round a mug and photograph that: the sides are compressed and dark, the edges curved."""
    width = int(generator.integers(320, 560))
    height = int(width * generator.uniform(0.9, 1.25))
    print_height = int(height * generator.uniform(0.6, 0.85))
    sag, turn = generator.uniform(0.04, 0.12) * width, generator.uniform(-0.35, 0.35)
    span = generator.uniform(1.6, 2.4)

    # What one sees of a cylinder at x is what lies at the angle asin(x) on it.
    down, across = np.mgrid[:height, :width].astype(np.float32)
    x = (across / (width - 1) * 2 - 1) * 0.999
    around = (np.arcsin(x) + turn) / span + 0.5
    up = (down - (height - print_height) / 2 - sag * (np.sqrt(1 - x * x) - 0.5)) / print_height
    tall, wide = picture.shape[:2]
    mapped = (around * (wide - 1)).astype(np.float32), (up * (tall - 1)).astype(np.float32)
    glaze = tuple(int(part) for part in generator.integers(200, 256, 3))
    seen = cv2.remap(picture, *mapped, cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=glaze)
    shade = (0.45 + 0.55 * np.sqrt(1 - x * x) * generator.uniform(0.85, 1.05))[..., None]
    mug = clipped(seen * shade)

    ground = covering(host, width * 2, height + 160)
    if generator.random() < 0.5:
        ground = np.full_like(ground, colour_of(generator))
    image, left = Image.fromarray(ground), int(generator.integers(60, width - 60))
    ring = (left + width - width // 6, 80 + height // 4, left + width + width // 4, 80 + 3 * height // 4)
    ImageDraw.Draw(image).ellipse(ring, outline=tuple(int(part * 0.8) for part in glaze), width=width // 16)
    image.paste(Image.fromarray(mug), (left, 80))
    return pixels_of(image)


def on_cloth(picture: Picture, generator: np.random.Generator) -> Picture:
    """Print it on cloth that hangs in folds: the picture is bent and shaded by them."""
    border = int(max(picture.shape[:2]) * generator.uniform(0.08, 0.25))
    fabric = colour_of(generator)
    flat = cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_CONSTANT, value=fabric)
    height, width = flat.shape[:2]
    # Folds are smooth: a grid of every eighth pixel says all of them.
    down, across = np.mgrid[: height // 8 + 1, : width // 8 + 1].astype(np.float32) * 8
    folds, slope = np.zeros_like(down), np.zeros_like(down)
    for _ in range(int(generator.integers(2, 5))):
        angle, period = generator.uniform(-0.6, 0.6), max(height, width) * generator.uniform(0.12, 0.5)
        kx, ky = np.cos(angle) * 2 * np.pi / period, np.sin(angle) * 2 * np.pi / period
        phase = kx * across + ky * down + generator.uniform(0, 2 * np.pi)
        amplitude = period * generator.uniform(0.01, 0.035)
        folds += amplitude * np.sin(phase)
        slope += amplitude * (kx + 0.5 * ky) * np.cos(phase)
    strength = generator.uniform(0.6, 1.6)
    x, y = across + folds * strength, down + folds * 0.5 * strength
    x, y, slope = (cv2.resize(part.astype(np.float32), (width, height)) for part in (x, y, slope))
    bent = cv2.remap(flat, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fabric)
    light = 1 + generator.uniform(0.6, 1.8) * slope
    weave = generator.integers(-9, 10, (64, 64)).astype(np.float32)
    grain = np.tile(weave, (height // 64 + 1, width // 64 + 1))[:height, :width]
    return clipped(bent * light[..., None] + grain[..., None])


def in_circle(picture: Picture, generator: np.random.Generator) -> Picture:
    """Show it in a circle on a poster with words."""
    width = int(generator.integers(500, 900))
    height = int(width * generator.uniform(1.0, 1.5))
    side = int(width * generator.uniform(0.4, 0.8))
    square = min(picture.shape[:2])
    top = int(generator.integers(0, picture.shape[0] - square + 1))
    left = int(generator.integers(0, picture.shape[1] - square + 1))
    shown = resized(picture[top : top + square, left : left + square], side, side)
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    if not is_recognisable(shown, np.asarray(disc)):
        raise NotRecognisable("the circle shows too little")

    image = Image.new("RGB", (width, height), colour_of(generator))
    draw, lettering = ImageDraw.Draw(image), any_lettering(generator)
    x = int((width - side) * generator.uniform(0.2, 0.8))
    y = int((height - side) * generator.uniform(0.2, 0.8))
    if generator.random() < 0.5:
        ring = side // 30 + 2
        draw.ellipse((x - ring, y - ring, x + side + ring, y + side + ring), fill=colour_of(generator))
    image.paste(Image.fromarray(shown), (x, y), disc)
    for row in (0.02, 0.87):
        ink = colour_of(generator)
        written(draw, (width * 0.06, height * row, width * 0.94, height * (row + 0.11)),
                lettering.words(generator, 2, 6), lettering, ink)  # fmt: skip
    return pixels_of(image)


def quote_card(picture: Picture, generator: np.random.Generator) -> Picture:
    """Cut it to a square, make it half as bright, and set three lines of large text over it."""
    side = int(generator.integers(500, 1081))
    square = covering(picture, side, side)
    image = Image.fromarray(blended(square, _DARK, generator.uniform(0.35, 0.6)))
    draw, lettering = ImageDraw.Draw(image), any_lettering(generator)
    text = lettering.lines(generator, int(generator.integers(3, 5)), 2, 5)
    box = (side * 0.08, side * generator.uniform(0.2, 0.35), side * 0.92, side * generator.uniform(0.6, 0.8))
    written(draw, box, text, lettering, _LIGHT)
    draw.text(
        (side / 2, side * 0.88), "@" + lettering.words(generator, 1, 2), _LIGHT, lettering.font(side * 0.035), "mm"
    )
    return pixels_of(image)


def faded_under_text(picture: Picture, generator: np.random.Generator) -> Picture:
    """Fade it to about a quarter and set a page of text over it."""
    paper = _LIGHT if generator.random() < 0.8 else _DARK
    image = Image.fromarray(blended(picture, paper, generator.uniform(0.68, 0.8)))
    width, height = image.size
    draw, lettering = ImageDraw.Draw(image), any_lettering(generator)
    ink = _DARK if paper == _LIGHT else _LIGHT
    size = max(9, int(height * generator.uniform(0.025, 0.05)))
    written(
        draw,
        (width * 0.08, height * 0.05, width * 0.92, height * 0.15),
        lettering.words(generator, 2, 5),
        lettering,
        ink,
    )
    rows = int(height * generator.uniform(0.4, 0.75) / (size * 1.5))
    for row, line in enumerate(paragraphs(generator, lettering, int(width / size * 1.4), rows)):
        draw.text((width * 0.08, height * 0.2 + row * size * 1.5), line, fill=ink, font=lettering.font(size))
    return pixels_of(image)


def thumbnail(picture: Picture, generator: np.random.Generator) -> Picture:
    """Make it the thumbnail of a video: 16:9, loud colours, huge words with an outline."""
    width = int(generator.choice([480, 640, 1280]))
    height = width * 9 // 16
    shown = covering(picture, width, height)
    values = cv2.cvtColor(shown, cv2.COLOR_RGB2HSV).astype(np.float32)
    values[..., 1] *= generator.uniform(1.0, 1.7)
    image = Image.fromarray(np.asarray(cv2.cvtColor(clipped(values), cv2.COLOR_HSV2RGB), np.uint8))

    draw, lettering = ImageDraw.Draw(image), any_lettering(generator)
    for _ in range(int(generator.integers(1, 3))):
        text = lettering.words(generator, 1, 3).upper()
        font, (wide, tall) = fitting(lettering, text, width * generator.uniform(0.5, 0.95), height * 0.32)
        place = (generator.uniform(0, max(1, width - wide)), generator.uniform(0, max(1, height - tall * 1.3)))
        ink, outline = colour_of(generator), _DARK if generator.random() < 0.7 else _LIGHT
        draw.text(place, text, fill=ink, font=font, stroke_width=max(2, width // 120), stroke_fill=outline)
    if generator.random() < 0.4:
        x, y, reach = generator.uniform(0.3, 0.7) * width, generator.uniform(0.3, 0.7) * height, width * 0.12
        draw.ellipse((x - reach, y - reach * 0.7, x + reach, y + reach * 0.7), outline=(230, 20, 20), width=width // 80)
    return pixels_of(image)


def slide(picture: Picture, generator: np.random.Generator) -> Picture:
    """Show one of the slides into which a picture is cut along its longer side; long ones are cut into more."""
    height, width = picture.shape[:2]
    longer, shorter = max(height, width), min(height, width)
    count = max(2, round(longer / (shorter * generator.uniform(0.8, 1.25))))
    edges = [longer * number // count for number in range(count + 1)]
    across = width >= height
    boxes = [(start, 0, end, height) if across else (0, start, width, end) for start, end in pairwise(edges)]
    shown = recognisable_part(picture, generator, boxes)
    factor = generator.uniform(400, 1080) / max(shown.shape[:2])
    return resized(shown, shown.shape[1] * factor, shown.shape[0] * factor)


def strip_of_panels(panels: Sequence[Picture], generator: np.random.Generator) -> Picture:
    """Put pictures under one another as the panels of a webtoon, with gutters between them."""
    width, gap = int(generator.integers(360, 560)), int(generator.integers(0, 60))
    ground = _LIGHT if generator.random() < 0.7 else _DARK
    parts = [np.full((gap, width, 3), ground, np.uint8)]
    for panel in panels:
        parts += [resized(panel, width, panel.shape[0] * width / panel.shape[1]), parts[0]]
    return np.concatenate(parts)


def panorama(views: Sequence[Picture], generator: np.random.Generator) -> Picture:
    """Join pictures side by side with soft seams into one wide view."""
    height = int(generator.integers(240, 400))
    out = resized(views[0], views[0].shape[1] * height / views[0].shape[0], height)
    for view in views[1:]:
        view = resized(view, view.shape[1] * height / view.shape[0], height)
        seam = max(2, min(out.shape[1], view.shape[1]) // 8)
        fade = np.broadcast_to(np.linspace(0, 1, seam), (height, seam))
        middle = blended(out[:, -seam:], view[:, :seam], fade)
        out = np.concatenate([out[:, :-seam], middle, view[:, seam:]], axis=1)
    return out
