"""Pictures as the desk shows them: made anew, small, kept in the data folder within a bound."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import structlog

from guardian.errors import NotAnImage, OverLimit
from guardian.evidence import Vault
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.worker_process import WorkerDied
from guardian.web.picture_rendering import Bounds, render

FOLDER = "thumbnails"
_MAX_BYTES = 512 * 1024**2
_SECONDS = 20.0
_AT_ONCE = 2
_VERSION = 1
"""Of how they are made; raised when that changes, so that older ones are not shown any more."""

log = structlog.get_logger(__name__)


class PictureSize(StrEnum):
    """How large a picture is shown."""

    THUMB = "thumb"
    FULL = "full"

    @property
    def longest(self) -> int:
        """The pixels of its longer side at most."""
        return 360 if self is PictureSize.THUMB else 1600


class Pictures:
    """Makes pictures for the desk from kept bytes, and remembers those it has made."""

    def __init__(self, data_dir: Path, bounds: Bounds, max_bytes: int = _MAX_BYTES) -> None:
        self._folder, self._bounds, self._max_bytes = data_dir / FOLDER, bounds, max_bytes
        self._pool = WorkerPool()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._used: int | None = None

    async def shown(self, vault: Vault, sha256: str, size: PictureSize, frame: int | None = None) -> bytes:
        """Return kept bytes as a WebP of this size. Raises GuardianError when they are gone or cannot be shown."""

        async def make() -> bytes:
            return await self.made(await asyncio.to_thread(vault.get, sha256), size, frame)

        return await self.remembered(f"{sha256}-{size.value}-{frame or 1}", make)

    async def remembered(self, name: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what was made under a name before, else what `make` makes now. `name` begins with two hex digits."""
        path = self._folder / name[:2] / f"{name}.{_VERSION}.webp"
        with suppress(FileNotFoundError):
            return await asyncio.to_thread(path.read_bytes)

        made = await make()
        await asyncio.to_thread(self._keep, path, made)
        return made

    async def made(self, content: bytes, size: PictureSize, frame: int | None = None) -> bytes:
        """Return any bytes as a WebP of this size, kept nowhere. Raises Unmatchable."""
        async with self._turns:
            worker = await self._pool.take()
            try:
                async with asyncio.timeout(_SECONDS):
                    made: bytes = await worker.run(render, content, size.longest, frame, self._bounds)
                    return made
            except TimeoutError as error:
                raise OverLimit(f"decoding takes longer than {_SECONDS:g} s") from error
            except WorkerDied as error:
                digest = hashlib.sha256(content).hexdigest()
                log.warning("picture_ended_its_worker", sha256=digest, reason=str(error))
                raise NotAnImage("decoding it ends the process that does") from error
            finally:
                self._pool.give_back(worker)

    async def aclose(self) -> None:
        """End the worker processes."""
        await self._pool.aclose()

    def _keep(self, path: Path, content: bytes) -> None:
        """Write a file, so that readers see all of it or nothing; a full disk only means that it is made again."""
        part = path.with_name(f"{secrets.token_hex(8)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            log.warning("thumbnail_not_kept", reason=error.strerror)
            with suppress(OSError):
                part.unlink()
            return

        if self._used is not None:
            self._used += len(content)
        if self._used is None or self._used > self._max_bytes:
            self._used = self._make_room()

    def _make_room(self) -> int:
        """Remove what was made first, to nine tenths of the bound, if there is more; return how much is left."""
        found = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                with suppress(FileNotFoundError):
                    path = Path(folder) / name
                    status = path.stat()
                    found.append((status.st_mtime, status.st_size, path))

        used = sum(size for _, size, _ in found)
        if used <= self._max_bytes:
            return used
        for _, size, path in sorted(found):
            if used <= self._max_bytes * 0.9:
                break
            with suppress(FileNotFoundError):
                path.unlink()
            used -= size
        return used
