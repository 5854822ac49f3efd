"""Declares what may be chosen of a bundle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """What a bundle holds, as a person wants it.

    `with_original`: the owner's own picture, without which nobody can compute the comparison again. `with_timestamp`:
    the configured authorities are asked. `for_others`: without what is the owner's business (`shortening`).
    """

    with_original: bool = True
    with_timestamp: bool = True
    for_others: bool = False


EVERYTHING = BundleOptions()
