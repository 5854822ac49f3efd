"""Pictures compared cell by cell, and maps of cells made by hand."""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.verify.cells import CellMap, compare_cells
from tests.matching.pictures import photograph

IDENTITY = np.eye(3)


def grey(name: str, side: int = 120) -> NDArray[np.float32]:
    picture = photograph(name, 400)[:side, :side]
    return np.ascontiguousarray(picture.mean(axis=2), dtype=np.float32)


def compared(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> CellMap:
    return compare_cells(mine, theirs, IDENTITY, (mine.shape[1], mine.shape[0]))


def made(correlation: list[list[float]]) -> CellMap:
    values = np.array(correlation, np.float32)
    rich = ~np.isnan(values)
    return CellMap(
        correlation=np.nan_to_num(values),
        known=np.ones_like(rich),
        rich=rich,
        weight=rich.astype(np.float32),
        foreign=~rich,
        their_variance=np.zeros_like(values),
        means=np.zeros((2, 1, 1), np.float32),
        whole=0.0,
        contrast=1.0,
    )
