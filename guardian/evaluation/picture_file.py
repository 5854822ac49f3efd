"""Pictures in a file instead of in memory: those of one seed of examples are some gigabytes."""

import math
from pathlib import Path

import numpy as np

from guardian.evaluation.pictures import Picture


class PictureFile:
    """Lays pictures one behind another into files of a folder, and gives them back as arrays mapped from there.

    Each file is `bytes_of_file` long, or as long as its only picture if that is larger. The folder must outlive them.
    """

    def __init__(self, folder: Path, bytes_of_file: int = 1 << 28) -> None:
        self._folder, self._bytes_of_file = folder, bytes_of_file
        self._mapped = np.zeros(0, np.uint8)
        self._used = self._files = 0

    def keep(self, picture: Picture) -> Picture:
        """Return the same picture, its pixels in the file."""
        size = math.prod(picture.shape)
        if self._used + size > len(self._mapped):
            path = self._folder / f"{self._files}.pixels"
            self._mapped = np.memmap(path, np.uint8, "w+", shape=(max(size, self._bytes_of_file),))
            self._files, self._used = self._files + 1, 0

        kept = self._mapped[self._used : self._used + size].reshape(picture.shape)
        kept[...] = picture
        self._used += size
        return kept
