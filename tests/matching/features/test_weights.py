"""Where the weights of a descriptor are, and what is said where they are not: at once, and without network."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guardian.errors import WeightsMissing
from guardian.matching.features.embedding import load
from guardian.matching.features.weights import download, find_weights
from guardian.matching.settings import EmbeddingSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "ViT-B-32"}, "embedding.weights is not set"),
        ({"model": "ViT-B-32", "weights": "laion2b_s34b_b79k"}, "not on this machine"),
        ({"model": "ViT-B-32", "weights": "./nowhere/weights.safetensors"}, "there is no file"),
        ({"model": "ViT-B-32", "weights": "weights.pt"}, "there is no file"),
        ({"kind": "torchscript", "weights": "nowhere/sscd.pt"}, "there is no file"),
        ({"kind": "onnx", "weights": "nowhere/sscd.onnx"}, "there is no file"),
    ],
)
def test_missing_weights_are_told_at_once_and_how_to_get_them(
    settings: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    started = time.monotonic()
    for read in (find_weights, load):
        with pytest.raises(WeightsMissing) as caught:
            read(EmbeddingSettings.model_validate(settings))
        told = str(caught.value)
        assert says in told
        assert "guardian model fetch" in told
        assert "embedding.weights" in told
        assert "without" in told
    assert time.monotonic() - started < 30


def test_looking_for_weights_loads_nothing_heavy(tmp_path: Path) -> None:
    """The command line and the daemon look at each start."""
    program = (
        "import sys; from guardian.errors import WeightsMissing\n"
        "from guardian.matching.features.weights import find_weights\n"
        "from guardian.matching.settings import EmbeddingSettings\n"
        "try: find_weights(EmbeddingSettings(model='ViT-B-32', weights='laion2b_s34b_b79k'))\n"
        "except WeightsMissing: print('missing', 'torch' in sys.modules, 'open_clip' in sys.modules)"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["missing", "False", "False"]


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("no weights")
    with pytest.raises(WeightsMissing, match="holds no checkpoint"):
        find_weights(EmbeddingSettings(model="ViT-B-32", weights=str(tmp_path)))


def test_a_folder_with_a_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "weights.safetensors"
    checkpoint.write_bytes(b"as if")
    found = find_weights(EmbeddingSettings(model="ViT-B-32", weights=str(tmp_path)))
    assert found is not None
    assert found.path == checkpoint
    assert found.digest == hashlib.sha256(b"as if").hexdigest()


def test_weights_that_the_hub_client_left_in_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = tmp_path / "hub" / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K" / "snapshots" / "1a25a4"
    snapshot.mkdir(parents=True)
    (snapshot / "open_clip_model.safetensors").write_bytes(b"as if")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = find_weights(EmbeddingSettings(model="ViT-B-32", weights="laion2b_s34b_b79k"))
    assert found is not None
    assert found.path == snapshot / "open_clip_model.safetensors"
    with pytest.raises(WeightsMissing):
        find_weights(EmbeddingSettings(model="ViT-L-14", weights="laion2b_s34b_b79k"))


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({"model": "ViT-B-32", "weights": "laion2b_s34b"}, "laion2b_s34b_b79k"),
        ({"model": "ViT-B-33", "weights": "laion2b_s34b_b79k"}, "ViT-B-32"),
        ({"kind": "onnx", "weights": "sscd.onnx"}, "tag"),
        ({"model": "ViT-B-32"}, "tag"),
    ],
)
def test_fetching_what_is_not_known_says_what_may_be_meant(
    settings: dict[str, str], meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsMissing, match=meant):
        download(EmbeddingSettings.model_validate(settings))
