"""Numbers with their nouns."""

import ast
import re
from pathlib import Path

import guardian
from guardian.views.counting import counted, size_text


def test_one_is_singular_and_everything_else_plural() -> None:
    assert [counted(number, "image") for number in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
    assert [counted(number, "copy", "copies") for number in (0, 1, 2)] == ["0 copies", "1 copy", "2 copies"]


def test_sizes_have_a_unit_that_fits() -> None:
    sizes = (0, 1, 1023, 1024, 3 * 2**19, 20 * 2**30, 2**41)
    assert [size_text(size) for size in sizes] == [
        "0 bytes",
        "1 byte",
        "1023 bytes",
        "1.0 KiB",
        "1.5 MiB",
        "20.0 GiB",
        "2.0 TiB",
    ]


def test_no_text_leaves_the_plural_to_the_reader() -> None:
    package = Path(guardian.__file__).parent
    found = []
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.search(r"[a-z]\((s|es)\)", text.replace("http(s)", "")):
                found.append(f"{file.relative_to(package)}: {text}")
    assert found == []
