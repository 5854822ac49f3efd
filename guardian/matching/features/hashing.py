"""The hash that guardian searches by: one fixed front end, 256 bits, in all eight orientations of the candidate."""

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.matching.features.resizing import averaged

BITS = 256
TILE = 64
ORIENTATIONS = 8
_KEPT = 16
_ROWS = 512
"""So many hashes are compared side by side."""


def _cosines() -> NDArray[np.float32]:
    """Return rows 1-16 of the orthonormal DCT-II matrix of size 64 (row 0, the mean, says nothing)."""
    positions = np.arange(TILE)
    frequencies = np.arange(1, _KEPT + 1)[:, None]
    cosines = np.cos(np.pi / (2 * TILE) * (2 * positions + 1) * frequencies)
    return np.asarray(np.sqrt(2 / TILE) * cosines, dtype=np.float32)


_DCT = _cosines()


def tile(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Reduce uint8 [h, w] to float32 [64, 64] by averaging areas. Aspect ratio is given up on purpose."""
    if min(grey.shape) >= TILE:
        return averaged(grey, (TILE, TILE)).astype(np.float32)
    return cv2.resize(grey, (TILE, TILE), interpolation=cv2.INTER_AREA).astype(np.float32)


def hash_tiles(tiles: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Hash float32 [n, 64, 64] as uint8 [n, 32]: signs of the 16 x 16 low DCT coefficients about their median.

    After Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), with the
    size of PDQ (Facebook, 2019).
    """
    spectrum = (_DCT @ tiles @ _DCT.T).reshape(len(tiles), BITS)
    return np.packbits(spectrum > np.median(spectrum, axis=1, keepdims=True), axis=1)


def hash_upright(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the hash of a picture as it stands, uint8 [32]: what an asset keeps."""
    return np.asarray(hash_tiles(tile(grey)[None])[0], dtype=np.uint8)


def hash_orientations(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return hashes of the picture turned by 0, 90, 180, 270 degrees, then of its mirror image so: uint8 [8, 32].

    Computed from the pixels: the hash of a turned picture is not the turned hash.
    """
    return hash_turned(tile(grey))


def hash_turned(upright: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what `hash_orientations` does, of a picture's tile, float32 [64, 64]."""
    turned = [np.rot90(side, turns) for side in (upright, upright[:, ::-1]) for turns in range(4)]
    return hash_tiles(np.stack(turned))


def turned_hashes(upright: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return about what `hash_orientations` would of a picture of which only the hash is left, uint8 [32]: [8, 32].

    A mirror image has the same coefficients, the odd ones with the other sign; a turn is a mirror image with rows and
    columns exchanged. Bits near the median come out otherwise than from the pixels: about 6 of 256, at most 30 in 80
    pictures.
    """
    bits = np.unpackbits(upright).reshape(_KEPT, _KEPT)
    odd = (np.arange(1, _KEPT + 1) % 2).astype(np.uint8)

    turned = []
    for side in (bits, bits ^ odd):
        for _ in range(4):
            turned.append(np.packbits(side))
            side = (side ^ odd).T
    return np.stack(turned)


def nearest_orientation(
    orientations: NDArray[np.uint8], hashes: NDArray[np.uint8]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Return for each of the hashes [n, 32] the bits that differ in the best orientation, and which that is (0-7)."""
    return _nearest(_words(orientations), _words(hashes), False)  # type: ignore[no-any-return]


def nearest_view(
    orientations: NDArray[np.uint8], hashes: NDArray[np.uint8]
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Return the same over the eight orientations (0-7) and those of the negative (8-15).

    Every coefficient of a negative has the opposite sign, so that its hash has the opposite bits.
    """
    return _nearest(_words(orientations), _words(hashes), True)  # type: ignore[no-any-return]


def within(upright: NDArray[np.uint8], hashes: NDArray[np.uint8], bits: int) -> NDArray[np.int64]:
    """Return which of the hashes [n, 32] differ from one, uint8 [32], in at most so many bits: int64 rows."""
    return np.asarray(_within(_words(np.array(upright)[None])[0], _words(hashes), bits))


@kernel
def _within(one, hashes, bits):  # type: ignore[no-untyped-def]
    """Scan all hashes; most are left after their first word."""
    found = np.empty(hashes.shape[0], np.int64)
    count = 0
    for row in range(hashes.shape[0]):
        distance = 0
        for word in range(hashes.shape[1]):
            distance += int(count_bits(one[word] ^ hashes[row, word]))
            if distance > bits:
                break
        if distance <= bits:
            found[count] = row
            count += 1
    return found[:count].copy()


def _words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(hashes).view(np.uint64).reshape(-1, BITS // 64)


@kernel
def _nearest(orientations, hashes, negatives_too):  # type: ignore[no-untyped-def]
    """Scan all hashes: exact, and at a million of them three milliseconds for all views.

    Some hundred rows at a time are laid out word by word, so that the compiler compares eight of them at once.
    """
    least, which = np.empty(hashes.shape[0], np.int16), np.empty(hashes.shape[0], np.uint8)
    words, nearest = np.empty((4, _ROWS), np.uint64), np.empty(_ROWS, np.uint64)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for begin in range(0, hashes.shape[0], _ROWS):
        rows = min(_ROWS, hashes.shape[0] - begin)
        for row in range(rows):
            w0[row], w1[row] = hashes[begin + row, 0], hashes[begin + row, 1]
            w2[row], w3[row] = hashes[begin + row, 2], hashes[begin + row, 3]
            nearest[row] = np.uint64((BITS + 1) << 4)

        for turned in range(orientations.shape[0]):
            q0, q1, q2, q3 = orientations[turned]
            # A distance and, below it, the view: the least of them is the nearest, of equals the first view.
            upright, negative = np.uint64(2 * turned), np.uint64(2 * turned + 1)
            for row in range(rows):
                distance = count_bits(q0 ^ w0[row]) + count_bits(q1 ^ w1[row])
                distance += count_bits(q2 ^ w2[row]) + count_bits(q3 ^ w3[row])
                here = distance << np.uint64(4) | upright
                if negatives_too:
                    here = min(here, (np.uint64(BITS) - distance) << np.uint64(4) | negative)
                nearest[row] = min(nearest[row], here)

        for row in range(rows):
            view = nearest[row] & np.uint64(15)
            least[begin + row] = nearest[row] >> np.uint64(4)
            which[begin + row] = (view >> np.uint64(1)) + (view & np.uint64(1)) * np.uint64(ORIENTATIONS)
    return least, which


def orientation_transform(
    orientation: int, width: int, height: int, box: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    """Return float64 [6], row-major 2x3, from pixels of a width x height asset to candidate pixels.

    For a candidate whose window `box` (left, top, right, bottom in pixels), seen in `orientation`, looks
    like the whole asset.
    """
    left, top, right, bottom = box
    unit = np.eye(3)
    for _ in range(orientation % 4):
        unit = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) @ unit
    if orientation >= 4:
        unit = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) @ unit
    window = np.array([[right - left, 0.0, left], [0.0, bottom - top, top], [0.0, 0.0, 1.0]])
    return np.asarray((window @ unit @ np.diag([1 / width, 1 / height, 1.0]))[:2].ravel())
