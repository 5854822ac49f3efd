"""How good the search is, on folders of labelled pictures beside other methods.

A class is a folder. guardian/search/fitting.py fits on none of these sets. Judged are half of the classes of
openclipart and wesnoth, as when the other halves were fitted on, and all of the other sets.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.methods import descriptor_settings
from bench.qt_resources import unpacked
from guardian.errors import Unmatchable
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.embedding import load
from guardian.matching.features.image import Picture, decode
from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import Aspect, exact_vectors_of
from guardian.search.fitting import classes_of
from guardian.search.neighbours import majority
from guardian.search.ranking import fused_ranks
from guardian.search.views_of_query import views_of

_HALVED = ("openclipart", "wesnoth")
_FOLDERS = {
    "openclipart": "usr/share/openclipart/png",
    "tuxpaint": "usr/share/tuxpaint/stamps",
    "gcompris": "usr/share/gcompris-qt/rcc",
    "wesnoth": "usr/share/games/wesnoth/1.16",
}
PACKAGES = ("openclipart-png", "tuxpaint-stamps-default", "gcompris-qt-data", "wesnoth-1.16-data")
_SIDE = 256
_LEAST = 5
"""Pictures of a folder that is judged."""

Similarity = NDArray[np.float32]
"""float32 [n, n]: how alike the pictures of a set are to each other; larger is more alike."""


@dataclass(frozen=True)
class Labelled:
    """Pictures of one set, uint8 RGB of at most 256 pixels, and the class of each."""

    name: str
    pictures: list[NDArray[np.uint8]]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class Quality:
    """What one method reaches on one set: means over all pictures, each asked with once."""

    method: str
    ndcg: float
    mean_average_precision: float


def labelled_sets(folder: Path, most: int) -> list[Labelled]:
    """Read the sets below a folder of unpacked packages, at most so many pictures of a class."""
    found = []
    for name, inside in _FOLDERS.items():
        for root in sorted(folder.glob(f"*/{inside}")):
            source = unpacked(root) if name == "gcompris" else root
            classes = classes_of(source, _LEAST, most)
            if name in _HALVED:
                classes = {one: paths for one, paths in classes.items() if zlib.crc32(one.encode()) % 2}
            found.append(_read(name, classes))
    return [one for one in found if one.pictures]


def _read(name: str, classes: Mapping[str, Sequence[Path]]) -> Labelled:
    settings, pictures, labels = MatchingSettings(), list[NDArray[np.uint8]](), list[int]()
    for number, paths in enumerate(classes.values()):
        for path in paths:
            try:
                rgb = decode(path.read_bytes(), settings).rgb
            except Unmatchable:
                continue
            factor = min(1.0, _SIDE / max(rgb.shape[:2]))
            size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
            pictures.append(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
            labels.append(number)
    return Labelled(name, pictures, np.array(labels, dtype=np.int64))


def judge(labelled: Labelled, descriptor: Path | None, side: int) -> list[Quality]:
    """Measure the peers, then guardian's aspects, then all of these together."""
    peers: dict[str, Callable[[Sequence[NDArray[np.uint8]]], Similarity]] = {
        "colour histogram (HSV 8x8x8)": _by_histogram,
        "pHash, 256 bit": lambda pictures: _by_bits(pictures, _phash),
    }
    pdq = _pdq()
    if pdq is not None:
        peers["PDQ, 256 bit"] = lambda pictures: _by_bits(pictures, pdq)
    if descriptor is not None:
        peers[descriptor.stem] = lambda pictures: _by_descriptor(pictures, descriptor, side)

    results = [quality(name, similar(labelled.pictures), labelled.classes) for name, similar in peers.items()]
    aspects = similarities(labelled.pictures)
    results += [quality(f"guardian: {aspect.value}", aspects[aspect], labelled.classes) for aspect in Aspect]
    return [*results, quality("guardian: auto", fused(aspects), labelled.classes)]


@dataclass(frozen=True)
class LabelQuality:
    """Of pictures whose terms were hidden: how many there are, how many got a term by neighbours, how many rightly."""

    asked: int
    labelled: int
    right: int


def labels_by_neighbours(labelled: Labelled) -> LabelQuality:
    """Give half of the pictures, chosen by a checksum, their class as a term, and ask what the others get."""
    looks = exact_vectors_of(np.stack([appearance_of(one).values for one in labelled.pictures]), Aspect.LOOK)
    places = range(len(looks))
    known = np.array([zlib.crc32(f"{labelled.name}-{place}".encode()) % 2 == 0 for place in places])
    carried = [(str(one),) for one in labelled.classes[known]]

    got = right = 0
    hidden = np.flatnonzero(~known)
    for place in hidden:
        terms = majority(np.asarray(looks[known] @ looks[place], dtype=np.float32), carried)
        got += bool(terms)
        right += str(labelled.classes[place]) in terms
    return LabelQuality(len(hidden), got, right)


def similarities(pictures: Sequence[NDArray[np.uint8]]) -> dict[Aspect, Similarity]:
    """Return how alike each picture asked with is to all, by each aspect, as the search ranks them."""
    rows = np.stack([appearance_of(one).values for one in pictures])
    asked = np.stack([views_of(Picture(one, one.shape[1], one.shape[0], "PNG"), None) for one in pictures])
    found = {}
    for aspect in Aspect:
        vectors = exact_vectors_of(rows, aspect)
        by_view = [exact_vectors_of(asked[:, view], aspect) @ vectors.T for view in range(asked.shape[1])]
        found[aspect] = np.max(by_view, axis=0)
    return found


def fused(aspects: Mapping[Aspect, Similarity]) -> Similarity:
    """Return the fused score of each picture for each other, as `--by auto` ranks without copies."""
    scores = np.zeros_like(aspects[Aspect.LOOK])
    for row in range(len(scores)):
        ranks = {}
        for aspect, similar in aspects.items():
            order = np.argsort(-similar[row], kind="stable")
            # A picture is not asked for itself.
            order = order[order != row]
            ranks[aspect] = np.empty(len(scores), dtype=np.float32)
            ranks[aspect][order] = np.arange(len(order))
            ranks[aspect][row] = len(scores)
        scores[row] = fused_ranks(ranks)
    return scores


def quality(method: str, similar: Similarity, classes: NDArray[np.int64]) -> Quality:
    """Return nDCG@10 and mean average precision; a picture of the same folder is relevant."""
    gains = 1 / np.log2(np.arange(2, 12))
    ndcg, precision = [], []
    for row in range(len(similar)):
        order = np.argsort(-similar[row], kind="stable")
        relevant = classes[order[order != row]] == classes[row]
        total = int(relevant.sum())
        if not total:
            continue
        ndcg.append(float((relevant[:10] * gains[: len(relevant[:10])]).sum() / gains[: min(10, total)].sum()))
        hits = np.flatnonzero(relevant)
        precision.append(float(((np.arange(total) + 1) / (hits + 1)).mean()))
    return Quality(method, float(np.mean(ndcg)), float(np.mean(precision)))


EDITS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "half the size": lambda rgb: rgb[::2, ::2],
    "JPEG quality 20": lambda rgb: _recompressed(rgb, 20),
    "mirrored": lambda rgb: rgb[:, ::-1],
    "cropped to 60 %": lambda rgb: _cropped(rgb, 0.775),
    "letterboxed": lambda rgb: np.pad(rgb, ((30, 30), (0, 0), (0, 0))),
    "brighter": lambda rgb: np.clip(rgb * 1.3 + 10, 0, 255).astype(np.uint8),
    "other colours": lambda rgb: rgb[:, :, ::-1],
    "grey": lambda rgb: np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2),
}


def recalls(labelled: Labelled, queries: int) -> dict[str, tuple[float, float]]:
    """Return for each edit how often the original stands first, and among the first ten, by look."""
    rows = np.stack([appearance_of(one).values for one in labelled.pictures])
    looks = exact_vectors_of(rows, Aspect.LOOK)
    chosen = np.linspace(0, len(rows) - 1, min(queries, len(rows))).astype(int)
    found = {}
    for name, edit in EDITS.items():
        places = []
        for number in chosen:
            rgb = np.ascontiguousarray(edit(labelled.pictures[number]))
            views = views_of(Picture(rgb, rgb.shape[1], rgb.shape[0], "PNG"), None)
            scores = (looks @ exact_vectors_of(views, Aspect.LOOK).T).max(axis=1)
            # Two files of one picture may both stand first.
            places.append(int((scores > scores[number] + 1e-6).sum()))
        found[name] = (float(np.mean(np.array(places) == 0)), float(np.mean(np.array(places) < 10)))
    return found


def _products(vectors: NDArray[np.float32]) -> Similarity:
    return vectors @ vectors.T


def _by_histogram(pictures: Sequence[NDArray[np.uint8]]) -> Similarity:
    """Intersection of histograms of hue, saturation and value (Swain and Ballard, 1991)."""
    rows = []
    for rgb in pictures:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        counts = cv2.calcHist([hsv], [0, 1, 2], None, [8, 8, 8], [0, 180, 0, 256, 0, 256]).ravel()
        rows.append(counts / counts.sum())
    shares = np.stack(rows).astype(np.float32)
    return np.stack([np.minimum(shares, one).sum(axis=1) for one in shares])


def _by_bits(pictures: Sequence[NDArray[np.uint8]], bits_of: Callable[[NDArray[np.uint8]], Any]) -> Similarity:
    codes = np.stack([np.packbits(bits_of(one)) for one in pictures])
    return np.stack([-np.bitwise_count(codes ^ one).sum(axis=1).astype(np.float32) for one in codes])


def _phash(rgb: NDArray[np.uint8]) -> Any:
    return imagehash.phash(Image.fromarray(rgb), hash_size=16).hash.ravel()


def _pdq() -> Callable[[NDArray[np.uint8]], Any] | None:
    try:
        import pdqhash
    except ImportError:
        return None
    return lambda rgb: pdqhash.compute(np.ascontiguousarray(rgb))[0]


def _by_descriptor(pictures: Sequence[NDArray[np.uint8]], file: Path, side: int) -> Similarity:
    embedder = load(descriptor_settings(file, side))
    assert embedder is not None
    return _products(np.concatenate([embedder.encode([one]) for one in pictures]))


def _recompressed(rgb: NDArray[np.uint8], quality_: int) -> NDArray[np.uint8]:
    encoded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality_])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _cropped(rgb: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return rgb[top : height - top, left : width - left]
