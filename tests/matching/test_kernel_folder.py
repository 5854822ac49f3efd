"""Whether kernels were compiled before is told by their files, so that people are told of a long first start."""

import os
import shutil
from pathlib import Path

from guardian.matching import kernel_folder
from guardian.matching.kernel_folder import are_kernels_kept

ROOM = Path(kernel_folder.__file__).parent


def kept_in(folder: Path) -> bool:
    return are_kernels_kept({"NUMBA_CACHE_DIR": str(folder), "HOME": "/nonexistent"})


def test_files_of_every_module_with_kernels_are_looked_for(tmp_path: Path) -> None:
    with_kernels = [path for path in ROOM.rglob("*.py") if "\n@kernel\n" in path.read_text(encoding="utf-8")]
    assert with_kernels
    (tmp_path / "there").mkdir()
    files = [tmp_path / "there" / f"{module.stem}.some_kernel-12.py311.nbi" for module in with_kernels]
    for file in files:
        file.touch()
    assert kept_in(tmp_path)
    for file in files:
        file.unlink()
        assert not kept_in(tmp_path), f"without {file.name}"
        file.touch()


def test_those_of_an_earlier_version_of_the_code_do_not_count(tmp_path: Path) -> None:
    for module in ROOM.rglob("*.py"):
        (tmp_path / f"{module.stem}.some_kernel-12.py311.nbi").touch()
    assert kept_in(tmp_path)
    for file in tmp_path.iterdir():
        os.utime(file, (1, 1))
    assert not kept_in(tmp_path)
    shutil.rmtree(tmp_path)
    assert not kept_in(tmp_path), "a folder that is gone has none"
