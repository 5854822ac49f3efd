"""Kernels are there before the first image: nothing is compiled while one waits."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.disks import read_only

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, tempfile
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from guardian.matching import kernels
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.pair import Start, measure_pair
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import encoded, photograph

def compiled():
    rooms = [room for name, room in sys.modules.items() if name.startswith("guardian.matching.")]
    found = [one for room in rooms for one in vars(room).values() if isinstance(one, Dispatcher)]
    return {one.py_func.__name__: len(one.signatures) for one in found}

kernels.load()
before = compiled()
folder = Path(tempfile.mkdtemp())
matcher = Matcher(MatchingSettings(), None, folder)
entry = (1, "a", matcher.fingerprint(encoded(photograph("coffee"))))
IndexWriter(folder / matcher.recipe, matcher.recipe).publish([entry])
report, _ = matcher.match_and_describe(encoded(photograph("coffee", 500)))
assert report.matches[0].comparison.keypoint_inliers > 50
pair = measure_pair(matcher, encoded(photograph("coffee")), encoded(photograph("coffee", 300)), Start())
assert pair.comparison.keypoint_inliers > 50
assert compiled() == before, (before, compiled())
assert min(before[name] for name in ("_select", "_collect", "_count_agreeing", "_refine")) > 0, before
"""


def test_loading_leaves_nothing_to_compile() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_loading_kernels_leaves_scipy_alone_and_importable() -> None:
    program = (
        "import sys\nfrom guardian.matching import kernels\nkernels.load()\n"
        "assert 'scipy.linalg' not in sys.modules\n"
        "import scipy.linalg\nassert scipy.linalg.norm([3, 4]) == 5\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("has_data_folder", [True, False])
def test_without_a_writable_home_or_code_folder_kernels_go_to_the_data_folder_or_nowhere(
    has_data_folder: bool, tmp_path: Path
) -> None:
    """As in a container with a read-only image, by a user without a home."""
    code, data = tmp_path / "code", tmp_path / "data"
    shutil.copytree(ROOT / "guardian", code / "guardian", ignore=shutil.ignore_patterns("__pycache__"))
    data.mkdir()
    program = (
        "import os, sys, warnings\nfrom pathlib import Path\n"
        "from guardian.matching.kernel_folder import choose_kernel_folder\n"
        f"choose_kernel_folder(Path({str(data)!r}), os.environ)\n"
        # One small kernel: all of them take many seconds.
        "import numpy as np\nfrom guardian.matching.features import hashing\n"
        "same = np.zeros((8, 32), np.uint8)\n"
        "print(hashing.nearest_orientation(same, same)[0].tolist())\n"
    )
    environment = os.environ | {"HOME": "/proc/none", "XDG_CACHE_HOME": "", "NUMBA_CACHE_DIR": "", "PYTHONPATH": ""}
    with ExitStack() as frozen:
        frozen.enter_context(read_only(code))
        if not has_data_folder:
            frozen.enter_context(read_only(data))
        ran = subprocess.run(
            [sys.executable, "-B", "-c", program],
            cwd=code,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "[0, 0, 0, 0, 0, 0, 0, 0]"
    assert bool(list(data.rglob("*.nbi"))) is has_data_folder


def test_damaged_kernels_are_compiled_anew(tmp_path: Path) -> None:
    program = (
        "import numpy as np\nfrom guardian.matching.features import hashing\n"
        "same = np.zeros((8, 32), np.uint8)\n"
        "print(hashing.nearest_orientation(same, same)[0].tolist())\n"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def run() -> str:
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout.splitlines()[-1]

    sound = run()
    for kind in ("*.nbi", "*.nbc"):
        for file in tmp_path.rglob(kind):
            file.write_bytes(file.read_bytes()[:40])
        assert run() == sound
    for file in tmp_path.rglob("*.nb?"):
        file.write_bytes(b"")
    assert run() == sound
