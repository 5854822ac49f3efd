"""Unpacks the pictures of Qt's binary resource files (.rcc), which one of the labelled sets is kept in."""

import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_COMPRESSED, _FOLDER, _ZSTANDARD = 1, 2, 4


def unpacked(folder: Path) -> Path:
    """Return a new folder with the pictures of all resource files of this one: a folder for each of them."""
    target = Path(tempfile.mkdtemp(prefix="guardian-bench-qt-"))
    for file in sorted(folder.glob("*.rcc")):
        for name, content in _files(file.read_bytes()):
            path = target / file.stem / name
            if path.suffix.lower() in _PICTURES and target in path.resolve().parents:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return target


def _files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a resource, with their paths in it."""
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", content)
    if magic != b"qres":
        return
    size = 22 if version >= 2 else 14

    def walk(node: int, path: str) -> Iterator[tuple[str, bytes]]:
        name_at, flags = struct.unpack_from(">IH", content, tree + node * size)
        (length,) = struct.unpack_from(">H", content, names + name_at)
        start = names + name_at + 6
        name = content[start : start + 2 * length].decode("utf-16-be") if node else ""
        here = f"{path}/{name}" if path else name
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", content, tree + node * size + 6)
            for child in range(first, first + count):
                yield from walk(child, here)
            return

        (data_at,) = struct.unpack_from(">I", content, tree + node * size + 10)
        (stored,) = struct.unpack_from(">I", content, data + data_at)
        file = content[data + data_at + 4 : data + data_at + 4 + stored]
        if flags & _ZSTANDARD:
            return
        yield here, zlib.decompress(file[4:]) if flags & _COMPRESSED else file

    yield from walk(0, "")
