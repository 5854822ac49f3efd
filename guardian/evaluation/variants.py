"""The same questions asked otherwise: with another profile, or without the descriptor, on an index of its own."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from guardian.errors import GuardianError
from guardian.matching.index.writer import IndexWriter
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Asset

_BATCH = 200


class Variant(StrEnum):
    """What is tried beside the configuration."""

    FULL = "full"
    FAST = "fast"
    WITHOUT_DESCRIPTOR = "without-descriptor"


def variant_workers(
    variant: Variant, matching: MatchingSettings, embedding: EmbeddingSettings, folder: Path
) -> Workers:
    """Return workers that answer as the variant does, over an index below `folder`."""
    if variant is Variant.WITHOUT_DESCRIPTOR:
        return Workers(matching, EmbeddingSettings(), folder / "index")
    return Workers(matching.model_copy(update={"profile": variant.value}), embedding, folder / "index")


async def indexed(
    workers: Workers, assets: Sequence[Asset], path_of: Callable[[str], Path], done: Callable[[int], None]
) -> int:
    """Publish what the workers' index lacks of these assets; return how many could not be read.

    `path_of` leads from a SHA-256 to the kept original. A run that was broken off goes on with the batch it was in.
    """
    writer = IndexWriter(workers.index_folder, workers.index_recipe)
    known = set(writer.contents(every_byte=False).numbers)
    missing = [asset for asset in assets if asset.number not in known]
    unread = 0
    for start in range(0, len(missing), _BATCH):
        entries = []
        for asset in missing[start : start + _BATCH]:
            try:
                content = path_of(asset.sha256).read_bytes()
                entries.append((asset.number, asset.id, await workers.fingerprint(content)))
            except (OSError, GuardianError):
                unread += 1
            done(len(assets) - len(missing) + start + len(entries))
        writer.publish(entries)
        while writer.merge():
            pass

    # Assets that were withdrawn since this index was made must not answer.
    gone = known - {asset.number for asset in assets}
    if gone:
        writer.withdraw(gone)
    return unread
