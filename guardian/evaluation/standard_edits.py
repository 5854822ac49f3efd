"""The edits of DISC21 (Papakipos et al., "The 2021 Image Similarity Dataset and Challenge").

Every function draws its strength from the generator that it is given.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from guardian.evaluation.pictures import Picture, colour_of, pixels_of, resized, shrunk

_WORDS = (
    "free",
    "stock",
    "photo",
    "best",
    "today",
    "see",
    "follow",
    "credit",
    "original",
    "share",
    "sale",
    "new",
    "shop",
    "media",
    "subscribe",
    "watch",
    "live",
    "travel",
    "nature",
    "summer",
    "winter",
    "city",
    "art",
    "daily",
    "news",
    "team",
    "just",
    "for",
    "you",
    "and",
    "the",
    "big",
    "love",
    "more",
    "click",
    "here",
    "music",
    "food",
    "world",
)


def turned(picture: Picture, generator: np.random.Generator, degrees: float) -> Picture:
    """Rotate about the centre; half of the time with the frame grown so that nothing is cut off."""
    fill = colour_of(generator) if generator.random() < 0.5 else (0, 0, 0)
    grown = bool(generator.random() < 0.5)
    image = Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, expand=grown, fillcolor=fill)
    return pixels_of(image)


def with_text(picture: Picture, generator: np.random.Generator, lines: int | None = None) -> Picture:
    """Lay words over the picture."""
    image = Image.fromarray(picture)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(lines or int(generator.integers(1, 4))):
        place = (generator.uniform(0, 0.4) * width, generator.uniform(0, 0.85) * height)
        draw.text(
            place,
            _words(generator, 2, 6),
            fill=colour_of(generator),
            font=_font(height * generator.uniform(0.06, 0.16)),
            stroke_width=int(generator.integers(0, 3)),
            stroke_fill=colour_of(generator),
        )
    return pixels_of(image)


def with_stickers(picture: Picture, generator: np.random.Generator, count: int | None = None) -> Picture:
    """Stick on round faces, hearts on tiles, polygons and blobs, each up to two fifths of the shorter side."""
    image = Image.fromarray(picture)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(count or int(generator.integers(1, 4))):
        side = min(width, height) * generator.uniform(0.15, 0.4)
        left, top = generator.uniform(0, width - side), generator.uniform(0, height - side)
        _STICKERS[int(generator.integers(0, len(_STICKERS)))](draw, left, top, side, generator)
    return pixels_of(image)


def with_stripes(picture: Picture, generator: np.random.Generator) -> Picture:
    """Lay half-transparent parallel bands of one colour over the picture."""
    height, width = picture.shape[:2]
    period, angle = generator.uniform(0.04, 0.15) * max(height, width), generator.uniform(0, np.pi)
    down, across = np.mgrid[:height, :width]
    band = ((across * np.cos(angle) + down * np.sin(angle)) % period < period * generator.uniform(0.2, 0.5))[..., None]
    alpha, colour = generator.uniform(0.3, 0.9), np.array(colour_of(generator))
    return np.where(band, picture * (1 - alpha) + colour * alpha, picture).astype(np.uint8)


def as_meme(picture: Picture, generator: np.random.Generator) -> Picture:
    """Add a caption bar above or below."""
    height, width = picture.shape[:2]
    bar, is_light = int(height * generator.uniform(0.15, 0.35)), generator.random() < 0.7
    image = Image.new("RGB", (width, height + bar), (255, 255, 255) if is_light else (0, 0, 0))
    on_top = generator.random() < 0.7
    image.paste(Image.fromarray(picture), (0, bar if on_top else 0))
    ink = colour_of(generator) if generator.random() < 0.5 else ((0, 0, 0) if is_light else (255, 255, 255))
    text = f"{_words(generator, 2, 5)}\n{_words(generator, 1, 4)}"
    place = (width * 0.04, (0 if on_top else height) + bar * 0.05)
    ImageDraw.Draw(image).text(place, text, fill=ink, font=_font(bar * generator.uniform(0.25, 0.5)))
    return pixels_of(image)


def padded(picture: Picture, generator: np.random.Generator) -> Picture:
    """Add an even border of different widths on the four sides."""
    height, width = picture.shape[:2]
    top, bottom, left, right = (
        int(part * side)
        for part, side in zip(generator.uniform(0.05, 0.4, 4), (height, height, width, width), strict=True)
    )
    colour = colour_of(generator)
    bordered = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(bordered, np.uint8)


def in_perspective(picture: Picture, generator: np.random.Generator) -> Picture:
    """Show the picture from the side, as a photographed poster is seen."""
    height, width = picture.shape[:2]
    strength = generator.uniform(0.05, 0.18)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    moved = corners + (generator.uniform(-strength, strength, (4, 2)) * [width, height]).astype(np.float32)
    moved = (moved - moved.min(axis=0)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    size = (int(moved[:, 0].max()), int(moved[:, 1].max()))
    return np.asarray(cv2.warpPerspective(picture, matrix, size), np.uint8)


def pasted(
    picture: Picture, host: Picture, generator: np.random.Generator, least: float = 0.3, most: float = 0.6
) -> Picture:
    """Paste into another picture, over a share of its area between `least` and `most`."""
    tall, wide = host.shape[:2]
    height, width = picture.shape[:2]
    share = generator.uniform(least, most)
    factor = min(np.sqrt(share * tall * wide / (height * width)), tall / height * 0.95, wide / width * 0.95)
    small, out = resized(picture, width * factor, height * factor), host.copy()
    top, left = (int(generator.integers(0, limit + 1)) for limit in np.subtract((tall, wide), small.shape[:2]))
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def in_collage(picture: Picture, others: Sequence[Picture], generator: np.random.Generator, side: int) -> Picture:
    """Make it one tile of a side x side collage; tiles are squeezed or cut to squares."""
    tile = int(generator.integers(240, 340) if side == 3 else generator.integers(300, 480))
    gap, place = int(generator.integers(0, 9)), int(generator.integers(0, side * side))
    whole = side * tile + (side + 1) * gap
    out = np.full((whole, whole, 3), colour_of(generator), np.uint8)
    for index in range(side * side):
        shown = picture if index == place else others[index % len(others)]
        if generator.random() < 0.5:
            height, width = shown.shape[:2]
            square = min(height, width)
            top, left = (height - square) // 2, (width - square) // 2
            shown = shown[top : top + square, left : left + square]
        top, left = gap + (index // side) * (tile + gap), gap + (index % side) * (tile + gap)
        out[top : top + tile, left : left + tile] = resized(shown, tile, tile)
    return out


def in_screenshot(picture: Picture, generator: np.random.Generator, decor: Sequence[Picture] = ()) -> Picture:
    """Show it on an invented social network, on a telephone or in a browser.

    `decor`: the network's advertisement, then its users.
    """
    is_mobile, is_dark = generator.random() < 0.5, generator.random() < 0.3
    width, height = (414, 736) if is_mobile else (1024, 628)
    ground, ink = ((24, 24, 26), (230, 230, 230)) if is_dark else ((255, 255, 255), (40, 40, 40))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)

    # A bar with the network's name, its users, and beside them an advertisement.
    draw.rectangle((0, 0, width, 48), fill=tuple(int(part * 0.95) for part in ground))
    draw.text((16, 12), _words(generator, 1, 2), fill=ink, font=_font(22))
    for index in range(int(generator.integers(4, 9))):
        draw.ellipse((16 + index * 50, 64, 54 + index * 50, 102), fill=colour_of(generator))
    for index, shown in enumerate(decor[1:7]):
        image.paste(Image.fromarray(resized(shown, 38, 38)), (16 + index * 50, 64))
    if decor:
        image.paste(Image.fromarray(resized(decor[0], 130, 90)), (width - 146, 56))

    # What people write, on the left and on the right.
    for index in range(int(generator.integers(3, 8))):
        draw.text((16, 112 + index * 22), _words(generator, 2, 5), fill=ink, font=_font(14))
    for index in range(int(generator.integers(3, 7))):
        draw.text((width - 160, 112 + index * 60), _words(generator, 1, 3), fill=ink, font=_font(13))

    # The picture itself, fitted into its frame.
    box = (16, int(height * 0.38), width - 16, int(height * 0.9)) if is_mobile else (170, 220, width - 190, 596)
    room = (box[2] - box[0], box[3] - box[1])
    factor = min(room[0] / picture.shape[1], room[1] / picture.shape[0])
    small = resized(picture, picture.shape[1] * factor, picture.shape[0] * factor)
    draw.rectangle(box, fill=(0, 0, 0) if generator.random() < 0.5 else ground)
    corner = (box[0] + (room[0] - small.shape[1]) // 2, box[1] + (room[1] - small.shape[0]) // 2)
    image.paste(Image.fromarray(small), corner)
    return pixels_of(image)


def recoloured(picture: Picture, generator: np.random.Generator) -> Picture:
    """Turn the hue, mix the channels, or apply a gamma to each channel, as photo filters do."""
    kind = generator.integers(0, 3)
    if kind == 0:
        values = np.array(Image.fromarray(picture).convert("HSV"))
        values[..., 0] = (values[..., 0].astype(int) + int(generator.integers(20, 236))) % 256
        return pixels_of(Image.fromarray(values, "HSV"))
    if kind == 1:
        mix = np.eye(3) * 0.4 + generator.uniform(0, 0.5, (3, 3))
        return np.clip(picture @ mix.T, 0, 255).astype(np.uint8)
    return np.clip(255 * (picture / 255.0) ** generator.uniform(0.45, 2.2, 3), 0, 255).astype(np.uint8)


def relit(picture: Picture, generator: np.random.Generator) -> Picture:
    """Change brightness, contrast and saturation."""
    image = Image.fromarray(picture)
    image = ImageEnhance.Brightness(image).enhance(generator.uniform(0.5, 1.6))
    image = ImageEnhance.Contrast(image).enhance(generator.uniform(0.5, 1.8))
    return pixels_of(ImageEnhance.Color(image).enhance(generator.uniform(0.2, 2.5)))


def sharpened_or_pixelated(picture: Picture, generator: np.random.Generator) -> Picture:
    """Sharpen too much, or shrink and blow up again."""
    if generator.random() < 0.5:
        return pixels_of(
            Image.fromarray(picture).filter(ImageFilter.UnsharpMask(4, int(generator.integers(150, 400)), 0))
        )
    factor, (height, width) = generator.uniform(0.2, 0.45), picture.shape[:2]
    small = resized(picture, width * factor, height * factor)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def stretched(picture: Picture, generator: np.random.Generator) -> Picture:
    """Make one side up to twice, or down to half, as long."""
    factor = generator.uniform(1.4, 2.0) ** (1 if generator.random() < 0.5 else -1)
    height, width = picture.shape[:2]
    if generator.random() < 0.5:
        return resized(picture, width * factor, height)
    return resized(picture, width, height * factor)


def sign(generator: np.random.Generator) -> int:
    return 1 if generator.random() < 0.5 else -1


def noisy(picture: Picture, generator: np.random.Generator) -> Picture:
    return np.clip(picture + generator.normal(0, generator.uniform(10, 40), picture.shape), 0, 255).astype(np.uint8)


def blurred(picture: Picture, generator: np.random.Generator) -> Picture:
    radius = generator.uniform(1.5, 4.5) * max(picture.shape) / 480
    return pixels_of(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def large(host: Picture, generator: np.random.Generator) -> Picture:
    return shrunk(host, int(generator.integers(700, 1100)))


def _words(generator: np.random.Generator, least: int, most: int) -> str:
    return " ".join(generator.choice(_WORDS, generator.integers(least, most)))


def _font(pixels: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, int(pixels)))


def _face(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, _: np.random.Generator) -> None:
    draw.ellipse((x, y, x + s, y + s), fill=(255, 205, 60))
    for eye in (0.25, 0.63):
        draw.ellipse((x + s * eye, y + s * 0.3, x + s * (eye + 0.12), y + s * 0.45), fill=(60, 40, 0))
    smile = (x + s * 0.2, y + s * 0.3, x + s * 0.8, y + s * 0.8)
    draw.arc(smile, 20, 160, fill=(60, 40, 0), width=max(1, int(s / 14)))


def _heart(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    draw.rounded_rectangle((x, y, x + s, y + s), s / 6, fill=colour_of(generator))
    outline = ((0.5, 0.8), (0.2, 0.4), (0.35, 0.25), (0.5, 0.4), (0.65, 0.25), (0.8, 0.4))
    draw.polygon([(x + s * across, y + s * down) for across, down in outline], fill=(240, 240, 240))


def _polygon(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    circle = (x + s / 2, y + s / 2, s / 2)
    draw.regular_polygon(circle, int(generator.integers(3, 8)), fill=colour_of(generator), outline=colour_of(generator))


def _blob(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    draw.ellipse((x, y, x + s, y + s), fill=colour_of(generator))
    draw.ellipse((x + s * 0.2, y + s * 0.2, x + s * 0.5, y + s * 0.6), fill=colour_of(generator))


_STICKERS = (_face, _heart, _polygon, _blob)
