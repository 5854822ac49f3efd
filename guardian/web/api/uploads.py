"""Pictures that programs send: written to a folder of their own while they are worked on."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path, PurePosixPath

from fastapi import UploadFile
from starlette.concurrency import run_in_threadpool

from guardian.disk_errors import disk_error_text
from guardian.errors import StoreUnusable, UsageError
from guardian.views.plain_text import cleaned
from guardian.web.desk import Desk

_FOLDER = "uploads"
_LONGEST_NAME = 120


@contextlib.asynccontextmanager
async def received(desk: Desk, upload: UploadFile) -> AsyncIterator[Path]:
    """Write an upload to a file that is gone after the body. Raises UsageError for an empty one, StoreUnusable."""
    if not upload.size:
        raise UsageError("the file is empty: send its bytes as a file of the form")
    folder = await run_in_threadpool(_made_folder, desk.data_dir / _FOLDER)
    try:
        path = folder / name_of(upload)
        await run_in_threadpool(_write, upload, path)
        yield path
    finally:
        await run_in_threadpool(shutil.rmtree, folder, True)


def name_of(upload: UploadFile) -> str:
    """Return the name of an uploaded file: its last part, without what no file name should have."""
    # Windows programs may send whole paths.
    name = PurePosixPath((upload.filename or "").replace("\\", "/")).name
    stem, dot, ending = cleaned(name).replace("/", "").lstrip(".").rpartition(".")
    text = f"{stem[:_LONGEST_NAME]}{dot}{ending[:10]}" if dot else ending[:_LONGEST_NAME]
    # Bounded in bytes, as file systems count.
    return text.encode("utf-8", "replace")[:240].decode("utf-8", "ignore") or "picture"


def _made_folder(parent: Path) -> Path:
    with _explained():
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))


def _write(upload: UploadFile, path: Path) -> None:
    with _explained(), path.open("wb") as file:
        upload.file.seek(0)
        shutil.copyfileobj(upload.file, file)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnusable(f"the upload cannot be written: {disk_error_text(error)}") from error
