"""Kernels are there before the first image: nothing is compiled while one waits."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, tempfile
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from guardian.matching import geometry, kernels
from guardian.matching.index.writer import IndexWriter
from guardian.matching.index import votes
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import encoded, photograph

def compiled():
    found = [one for room in (geometry, votes) for one in vars(room).values() if isinstance(one, Dispatcher)]
    return {one.py_func.__name__: len(one.signatures) for one in found}

kernels.load()
before = compiled()
folder = Path(tempfile.mkdtemp())
matcher = Matcher(MatchingSettings(), None, folder)
entry = (1, "a", matcher.fingerprint(encoded(photograph("coffee"))))
IndexWriter(folder / matcher.recipe, matcher.recipe).publish([entry])
(match,) = matcher.match(encoded(photograph("coffee", 500))).matches
assert match.comparison.keypoint_inliers > 50
assert compiled() == before, (before, compiled())
assert min(before[name] for name in ("_keys", "_collect", "_count_agreeing", "_refine")) > 0, before
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
