"""Things on plain ground, as shops show them: balls, coins and plates, bottles. Nobody owns their outline and light.

A round edge looks the same all the way round, so hundreds of keypoints on it agree between any two round things.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.evaluation.designs.sheet import Painter, artwork
from guardian.evaluation.pictures import Picture

_SIDES = (320, 640)
_GROUNDS = ((255, 255, 255), (255, 255, 255), (246, 245, 242), (225, 228, 232), (24, 24, 28), (8, 8, 8))


def ball(generator: np.random.Generator) -> Painter:
    """Design balls, planets and fruit seen from one place in one light; another surface on each."""
    side, ground = int(generator.integers(*_SIDES)), _any_ground(generator)
    radius, light = generator.uniform(0.28, 0.48), _any_light(generator)
    depth = generator.uniform(0.3, 1.0)
    softness = float(generator.uniform(0.004, 0.02))

    def painted(own: np.random.Generator, shown: Picture) -> Picture:
        x, y = _plane(side)
        distance = np.hypot(x, y) / radius
        height = np.sqrt(np.clip(1 - distance**2, 0, 1))
        lit = np.clip((x * light[0] + y * light[1]) / radius + height * light[2], 0, 1)
        surface = _surface(own, shown, side) * (1 - depth + depth * lit)[..., None]
        return _on_ground(surface, distance, softness / radius, ground)

    return painted


def coin(generator: np.random.Generator) -> Painter:
    """Design coins, plates, lids and badges: the same rim and rings, another picture within."""
    side, ground = int(generator.integers(*_SIDES)), _any_ground(generator)
    radius = generator.uniform(0.3, 0.48)
    rings = np.sort(generator.uniform(0.55, 0.98, int(generator.integers(1, 5))))
    teeth, metal = int(generator.choice([0, 0, 60, 120])), generator.uniform(60, 230, 3)
    is_struck = generator.random() < 0.5

    def painted(own: np.random.Generator, shown: Picture) -> Picture:
        x, y = _plane(side)
        distance, angle = np.hypot(x, y) / radius, np.arctan2(y, x)
        inner = _fitted(shown if own.random() < 0.5 else artwork(own), side).astype(np.float32)
        if is_struck:
            grey = cv2.GaussianBlur(cv2.cvtColor(inner, cv2.COLOR_RGB2GRAY), (0, 0), side / 200)
            relief = cv2.Sobel(grey, cv2.CV_32F, 1, 1, ksize=5) + cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=5)
            inner = metal + np.clip(relief / max(1.0, float(np.abs(relief).std())) * 18, -70, 70)[..., None]
        disc = np.where((distance < rings[0])[..., None], inner, metal)
        for ring in rings:
            disc = disc + (40 * np.exp(-(((distance - ring) * radius * side / 1.5) ** 2)))[..., None]
        if teeth:
            disc = disc - (25 * (np.sin(angle * teeth) > 0) * (distance > 0.93))[..., None]
        return _on_ground(disc, distance, 0.006 / radius, ground)

    return painted


def bottle(generator: np.random.Generator) -> Painter:
    """Design bottles, jars and vases of one form in one light; another colour and print on each."""
    height, ground = int(generator.integers(*_SIDES)), _any_ground(generator)
    width = int(height * generator.uniform(0.6, 0.9))
    knots = generator.uniform(0.12, 0.42, int(generator.integers(3, 7)))
    edge = np.interp(np.linspace(0, 1, height), np.linspace(0, 1, len(knots)), knots).astype(np.float32)
    form = np.asarray(cv2.GaussianBlur(edge[:, None], (0, 0), height / 25), np.float64).ravel()
    top, bottom = generator.uniform(0.03, 0.12), generator.uniform(0.88, 0.97)
    print_from, print_to = np.sort(generator.uniform(top + 0.1, bottom - 0.1, 2))
    shine = generator.uniform(-0.6, 0.6)

    def painted(own: np.random.Generator, shown: Picture) -> Picture:
        rows = np.arange(height)[:, None] / height
        across = (np.arange(width)[None] / width - 0.5) / form[:, None]
        shading = np.sqrt(np.clip(1 - across**2, 0, 1)) * 0.7 + 0.3 + 0.5 * np.exp(-(((across - shine) / 0.12) ** 2))
        body = np.broadcast_to(own.uniform(30, 230, 3), (height, width, 3))
        picture = cv2.resize(shown if own.random() < 0.5 else artwork(own), (width, height)).astype(np.float32)
        body = np.where(((rows > print_from) & (rows < print_to))[..., None], picture, body) * shading[..., None]
        outside = np.maximum(np.abs(across), np.where((rows > top) & (rows < bottom), 0.0, 2.0))
        return _on_ground(body, outside, 0.01, ground)

    return painted


def _any_ground(generator: np.random.Generator) -> NDArray[np.float64]:
    if generator.random() < 0.15:
        return generator.uniform(0, 255, 3)
    return np.array(_GROUNDS[int(generator.integers(len(_GROUNDS)))], np.float64)


def _any_light(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a unit vector towards the light, float64 [3]: x to the right, y down, z to who looks."""
    light = np.array([generator.normal(), generator.normal(), generator.uniform(0.5, 3.0)])
    return np.asarray(light / np.linalg.norm(light))


def _plane(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of all pixels of a square, -0.5 to 0.5."""
    line = (np.arange(side) + 0.5) / side - 0.5
    return np.broadcast_to(line[None], (side, side)), np.broadcast_to(line[:, None], (side, side))


def _surface(own: np.random.Generator, shown: Picture, side: int) -> NDArray[np.float64]:
    """Return what is painted on a ball, float [side, side, 3]: plain, banded, clouded, spotted, or a picture."""
    kind, colour = int(own.integers(5)), own.uniform(40, 240, 3)
    if kind == 0:
        return np.broadcast_to(colour, (side, side, 3))
    if kind == 1:
        return _fitted(shown if own.random() < 0.5 else artwork(own), side).astype(np.float64)

    pattern = np.zeros((side, side), np.float64)
    tall = 3 if kind == 2 else 1
    for cells in (4, 8, 16, 32, 64):
        noise = own.normal(size=(cells * tall, max(1, cells // tall))).astype(np.float32)
        grown = np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.float64)
        pattern += grown / cells**0.7
    if kind == 4:
        pattern = np.where(pattern > np.quantile(pattern, 0.8), 1.0, -0.3)
    pattern *= own.uniform(10, 60) / max(1e-6, float(pattern.std()))
    return np.asarray(colour + pattern[..., None] * own.uniform(0.4, 1.0, 3))


def _fitted(picture: Picture, side: int) -> Picture:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _on_ground(
    thing: NDArray[np.float64], distance: NDArray[np.float64], softness: float, ground: NDArray[np.float64]
) -> Picture:
    """Lay a thing on its ground; it ends where `distance` is 1, within `softness` of it."""
    alpha = np.clip((1 - distance) / softness + 0.5, 0, 1)[..., None]
    return np.clip(thing * alpha + ground * (1 - alpha), 0, 255).astype(np.uint8)
