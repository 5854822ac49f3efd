"""A program that a test kills: starts workers that hang, and leaves them busy."""

import sys
from pathlib import Path

import anyio

from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from tests.matching import jobs


async def main(log: Path, count: int) -> None:
    workers = Workers(MatchingSettings(workers=count), EmbeddingSettings(), log.parent / "index")
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(workers.run, jobs.hang, log)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
