"""Counting bits inside compiled kernels: hashes and binary descriptors are compared by nothing else."""

import numba
import numpy as np


@numba.njit(inline="always")
def count_bits(x):  # type: ignore[no-untyped-def]
    """Count the set bits of a uint64 (Warren, "Hacker's Delight", 5-1); LLVM turns it into one instruction."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
