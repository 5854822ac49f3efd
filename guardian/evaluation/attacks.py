"""Named, seeded edits that copies on the web go through, and look-alikes that copy nothing.

The edit classes follow DISC21 (Papakipos et al., "The 2021 Image Similarity Dataset and Challenge"). All
pictures are uint8 [h, w, 3] sRGB; every function draws its strength from the generator that it is given.
"""

import io
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

Picture = NDArray[np.uint8]
Edit = Callable[[Picture, np.random.Generator, Sequence[Picture]], Picture]
"""picture, generator, other pictures (hosts and neighbours) -> edited picture"""

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


def apply(name: str, picture: Picture, generator: np.random.Generator, others: Sequence[Picture]) -> Picture:
    """Apply one edit by its name, and save as a JPEG of common quality as the web does.

    `others`: at least nine pictures.
    """
    edit = STANDARD.get(name) or HARD[name]
    edited = edit(np.ascontiguousarray(picture), generator, others)
    return recompressed(np.ascontiguousarray(edited), int(generator.integers(70, 96)))


def recompressed(picture: Picture, quality: int) -> Picture:
    """Return the picture after saving as JPEG and reading it back."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return _pixels(Image.open(buffer))


def resized(picture: Picture, width: float, height: float) -> Picture:
    """Shrink by area, or enlarge by cubic interpolation; sizes in pixels."""
    method = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (max(1, int(width)), max(1, int(height))), interpolation=method), np.uint8)


def cropped(picture: Picture, generator: np.random.Generator, share: float) -> Picture:
    """Cut out a random part that holds `share` of the area."""
    height, width = picture.shape[:2]
    shape = np.exp(generator.uniform(-0.25, 0.25))
    tall = min(height, int(height * np.sqrt(share / shape)))
    wide = min(width, int(width * share * height / max(1, tall)))
    left, top = generator.integers(0, width - wide + 1), generator.integers(0, height - tall + 1)
    return picture[top : top + tall, left : left + wide]


def turned(picture: Picture, generator: np.random.Generator, degrees: float) -> Picture:
    """Rotate about the centre; half of the time with the frame grown so that nothing is cut off."""
    fill = _colour(generator) if generator.random() < 0.5 else (0, 0, 0)
    grown = bool(generator.random() < 0.5)
    image = Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, expand=grown, fillcolor=fill)
    return _pixels(image)


def with_text(picture: Picture, generator: np.random.Generator, lines: int | None = None) -> Picture:
    """Lay words over the picture."""
    image = Image.fromarray(picture)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(lines or int(generator.integers(1, 4))):
        place = (generator.uniform(0, 0.4) * width, generator.uniform(0, 0.85) * height)
        draw.text(
            place,
            _words(generator, 2, 6),
            fill=_colour(generator),
            font=_font(height * generator.uniform(0.06, 0.16)),
            stroke_width=int(generator.integers(0, 3)),
            stroke_fill=_colour(generator),
        )
    return _pixels(image)


def with_stickers(picture: Picture, generator: np.random.Generator, count: int | None = None) -> Picture:
    """Stick on round faces, hearts on tiles, polygons and blobs, each up to two fifths of the shorter side."""
    image = Image.fromarray(picture)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(count or int(generator.integers(1, 4))):
        side = min(width, height) * generator.uniform(0.15, 0.4)
        left, top = generator.uniform(0, width - side), generator.uniform(0, height - side)
        _STICKERS[int(generator.integers(0, len(_STICKERS)))](draw, left, top, side, generator)
    return _pixels(image)


def with_stripes(picture: Picture, generator: np.random.Generator) -> Picture:
    """Lay half-transparent parallel bands of one colour over the picture."""
    height, width = picture.shape[:2]
    period, angle = generator.uniform(0.04, 0.15) * max(height, width), generator.uniform(0, np.pi)
    down, across = np.mgrid[:height, :width]
    band = ((across * np.cos(angle) + down * np.sin(angle)) % period < period * generator.uniform(0.2, 0.5))[..., None]
    alpha, colour = generator.uniform(0.3, 0.9), np.array(_colour(generator))
    return np.where(band, picture * (1 - alpha) + colour * alpha, picture).astype(np.uint8)


def as_meme(picture: Picture, generator: np.random.Generator) -> Picture:
    """Add a caption bar above or below."""
    height, width = picture.shape[:2]
    bar, is_light = int(height * generator.uniform(0.15, 0.35)), generator.random() < 0.7
    image = Image.new("RGB", (width, height + bar), (255, 255, 255) if is_light else (0, 0, 0))
    on_top = generator.random() < 0.7
    image.paste(Image.fromarray(picture), (0, bar if on_top else 0))
    ink = _colour(generator) if generator.random() < 0.5 else ((0, 0, 0) if is_light else (255, 255, 255))
    text = f"{_words(generator, 2, 5)}\n{_words(generator, 1, 4)}"
    place = (width * 0.04, (0 if on_top else height) + bar * 0.05)
    ImageDraw.Draw(image).text(place, text, fill=ink, font=_font(bar * generator.uniform(0.25, 0.5)))
    return _pixels(image)


def padded(picture: Picture, generator: np.random.Generator) -> Picture:
    """Add an even border of different widths on the four sides."""
    height, width = picture.shape[:2]
    top, bottom, left, right = (
        int(part * side)
        for part, side in zip(generator.uniform(0.05, 0.4, 4), (height, height, width, width), strict=True)
    )
    colour = _colour(generator)
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
    out = np.full((whole, whole, 3), _colour(generator), np.uint8)
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
        draw.ellipse((16 + index * 50, 64, 54 + index * 50, 102), fill=_colour(generator))
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
    return _pixels(image)


def recoloured(picture: Picture, generator: np.random.Generator) -> Picture:
    """Turn the hue, mix the channels, or apply a gamma to each channel, as photo filters do."""
    kind = generator.integers(0, 3)
    if kind == 0:
        values = np.array(Image.fromarray(picture).convert("HSV"))
        values[..., 0] = (values[..., 0].astype(int) + int(generator.integers(20, 236))) % 256
        return _pixels(Image.fromarray(values, "HSV"))
    if kind == 1:
        mix = np.eye(3) * 0.4 + generator.uniform(0, 0.5, (3, 3))
        return np.clip(picture @ mix.T, 0, 255).astype(np.uint8)
    return np.clip(255 * (picture / 255.0) ** generator.uniform(0.45, 2.2, 3), 0, 255).astype(np.uint8)


def relit(picture: Picture, generator: np.random.Generator) -> Picture:
    """Change brightness, contrast and saturation."""
    image = Image.fromarray(picture)
    image = ImageEnhance.Brightness(image).enhance(generator.uniform(0.5, 1.6))
    image = ImageEnhance.Contrast(image).enhance(generator.uniform(0.5, 1.8))
    return _pixels(ImageEnhance.Color(image).enhance(generator.uniform(0.2, 2.5)))


def sharpened_or_pixelated(picture: Picture, generator: np.random.Generator) -> Picture:
    """Sharpen too much, or shrink and blow up again."""
    if generator.random() < 0.5:
        return _pixels(
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


def shrunk(picture: Picture, longer_side: int) -> Picture:
    """Resize so that the longer side has so many pixels."""
    factor = longer_side / max(picture.shape[:2])
    return resized(picture, picture.shape[1] * factor, picture.shape[0] * factor)


def stacked(picture: Picture, generator: np.random.Generator, others: Sequence[Picture], count: int) -> Picture:
    """Apply several standard edits one after the other; at most one that puts the picture into another comes last."""
    names = [str(name) for name in generator.choice([n for n in STANDARD if n not in _NOT_STACKED], count, False)]
    outer = [name for name in names if name in ("screenshot", "onto_bg")][:1]
    for name in [name for name in names if name not in ("screenshot", "onto_bg")] + outer:
        if min(picture.shape[:2]) < 60:
            break
        picture = np.ascontiguousarray(STANDARD[name](picture, generator, others))
    return picture


def _sign(generator: np.random.Generator) -> int:
    return 1 if generator.random() < 0.5 else -1


def _noisy(picture: Picture, generator: np.random.Generator) -> Picture:
    return np.clip(picture + generator.normal(0, generator.uniform(10, 40), picture.shape), 0, 255).astype(np.uint8)


def _blurred(picture: Picture, generator: np.random.Generator) -> Picture:
    radius = generator.uniform(1.5, 4.5) * max(picture.shape) / 480
    return _pixels(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def _large(host: Picture, generator: np.random.Generator) -> Picture:
    return shrunk(host, int(generator.integers(700, 1100)))


def _pixels(image: Image.Image) -> Picture:
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _words(generator: np.random.Generator, least: int, most: int) -> str:
    return " ".join(generator.choice(_WORDS, generator.integers(least, most)))


def _font(pixels: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, int(pixels)))


def _colour(generator: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in generator.integers(0, 256, 3))
    return red, green, blue


def _face(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, _: np.random.Generator) -> None:
    draw.ellipse((x, y, x + s, y + s), fill=(255, 205, 60))
    for eye in (0.25, 0.63):
        draw.ellipse((x + s * eye, y + s * 0.3, x + s * (eye + 0.12), y + s * 0.45), fill=(60, 40, 0))
    smile = (x + s * 0.2, y + s * 0.3, x + s * 0.8, y + s * 0.8)
    draw.arc(smile, 20, 160, fill=(60, 40, 0), width=max(1, int(s / 14)))


def _heart(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    draw.rounded_rectangle((x, y, x + s, y + s), s / 6, fill=_colour(generator))
    outline = ((0.5, 0.8), (0.2, 0.4), (0.35, 0.25), (0.5, 0.4), (0.65, 0.25), (0.8, 0.4))
    draw.polygon([(x + s * across, y + s * down) for across, down in outline], fill=(240, 240, 240))


def _polygon(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    circle = (x + s / 2, y + s / 2, s / 2)
    draw.regular_polygon(circle, int(generator.integers(3, 8)), fill=_colour(generator), outline=_colour(generator))


def _blob(draw: ImageDraw.ImageDraw, x: float, y: float, s: float, generator: np.random.Generator) -> None:
    draw.ellipse((x, y, x + s, y + s), fill=_colour(generator))
    draw.ellipse((x + s * 0.2, y + s * 0.2, x + s * 0.5, y + s * 0.6), fill=_colour(generator))


_STICKERS = (_face, _heart, _polygon, _blob)

STANDARD: dict[str, Edit] = {
    "jpeg10_30": lambda p, g, o: recompressed(p, int(g.integers(10, 31))),
    "down128": lambda p, g, o: shrunk(p, 128),
    "grayscale": lambda p, g, o: _pixels(Image.fromarray(p).convert("L")),
    "hflip": lambda p, g, o: p[:, ::-1],
    "vflip": lambda p, g, o: p[::-1],
    "rot90": lambda p, g, o: np.rot90(p, int(g.choice([1, 3]))),
    "rot5_15": lambda p, g, o: turned(p, g, g.uniform(5, 15) * _sign(g)),
    "rot20_45": lambda p, g, o: turned(p, g, g.uniform(20, 45) * _sign(g)),
    "crop70": lambda p, g, o: cropped(p, g, 0.7),
    "crop40": lambda p, g, o: cropped(p, g, 0.4),
    "crop20": lambda p, g, o: cropped(p, g, 0.2),
    "pad": lambda p, g, o: padded(p, g),
    "perspective": lambda p, g, o: in_perspective(p, g),
    "stretch": lambda p, g, o: stretched(p, g),
    "blur": lambda p, g, o: _blurred(p, g),
    "noise": lambda p, g, o: _noisy(p, g),
    "sharpen_pixelate": lambda p, g, o: sharpened_or_pixelated(p, g),
    "hue_filter": lambda p, g, o: recoloured(p, g),
    "bright_contr_sat": lambda p, g, o: relit(p, g),
    "overlay_text": lambda p, g, o: with_text(p, g),
    "overlay_emoji": lambda p, g, o: with_stickers(p, g),
    "overlay_stripes": lambda p, g, o: with_stripes(p, g),
    "meme": lambda p, g, o: as_meme(p, g),
    "onto_bg": lambda p, g, o: pasted(p, o[0], g),
    "collage2x2": lambda p, g, o: in_collage(p, o, g, 2),
    "screenshot": lambda p, g, o: in_screenshot(p, g),
    "combo": lambda p, g, o: stacked(p, g, o, int(g.integers(2, 4))),
}
"""Edits that a good system finds nearly always."""

_NOT_STACKED = ("combo", "collage2x2")

HARD: dict[str, Edit] = {
    "crop10": lambda p, g, o: cropped(p, g, 0.1),
    "mirror_crop30": lambda p, g, o: cropped(p[:, ::-1], g, 0.3),
    "bg_small": lambda p, g, o: pasted(p, _large(o[0], g), g, 0.05, 0.12),
    "collage3x3": lambda p, g, o: in_collage(p, o, g, 3),
    "combo_hard": lambda p, g, o: stacked(p, g, o, 5),
}
"""Edits at the edge of what can be found."""
