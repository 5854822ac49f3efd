"""`guardian model` as a person runs it, against a model hub on loopback."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from guardian.errors import WeightsMissing
from guardian.matching.features.weights import download
from guardian.matching.settings import EmbeddingSettings
from tests import forked

WEIGHTS = b"not really a network, but bytes all the same" * 50
MODEL = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
NOBODY = "http://127.0.0.1:9"
needs_clip = pytest.mark.skipif(find_spec("open_clip") is None, reason="pip install 'guardian[clip]'")


class Hub(BaseHTTPRequestHandler):
    """Holds one file of one model; answers 404 to all else."""

    def do_HEAD(self) -> None:
        here = self.path in ("/", f"/{MODEL}/resolve/main/open_clip_model.safetensors")
        self.send_response(200 if here else 404)
        self.send_header("ETag", f'"{hashlib.sha256(WEIGHTS).hexdigest()}"')
        self.send_header("X-Repo-Commit", "f" * 40)
        self.send_header("Content-Length", str(len(WEIGHTS) if here else 0))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(WEIGHTS)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def guardian(home: Path, embedding: str, *arguments: str, hub: str = NOBODY) -> subprocess.CompletedProcess[str]:
    (home / "config.yaml").write_text(f"embedding: {{{embedding}}}\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment = kept | {"HOME": str(home), "HF_ENDPOINT": hub, "NO_PROXY": "127.0.0.1"}
    return forked.guardian("--config", home / "config.yaml", "model", *arguments, environment=environment)


def test_nothing_configured_is_no_fault(tmp_path: Path) -> None:
    shown = guardian(tmp_path, "", "status")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "no descriptor is configured" in shown.stdout
    assert "embedding.weights" in shown.stdout


def test_missing_weights_are_said_without_loading_torch(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("embedding: {model: ViT-B-32, weights: laion2b_s34b_b79k}\n")
    program = (
        "import sys\n"
        "from guardian.cli import main\n"
        "sys.argv[1:] = ['model', 'status']\n"
        "try: main()\n"
        "finally: print('heavy:', sorted({'torch', 'open_clip'} & set(sys.modules)))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert shown.returncode == 3
    assert "heavy: []" in shown.stdout
    for way in ("`guardian model fetch`", "copy a checkpoint here and set embedding.weights", "remove embedding.model"):
        assert way in shown.stderr


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("weights: ./none.safetensors", "none.safetensors"),
        ("weights: empty", "holds no checkpoint"),
        ("model: ViT-B-32", "embedding.weights is not set"),
    ],
)
def test_weights_that_are_not_there(tmp_path: Path, weights: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    shown = guardian(tmp_path, weights, "status")
    assert shown.returncode == 3
    assert words in shown.stderr


def test_a_file_of_weights_is_named_with_its_digest(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(WEIGHTS)
    shown = guardian(tmp_path, f"model: ViT-B-32, weights: {tmp_path / 'mine.safetensors'}", "status")
    assert shown.returncode == 0, shown.stderr
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert digest in shown.stdout
    assert f"v5-{digest[:12]}, no index yet" in shown.stdout


@needs_clip
def test_weights_are_fetched_once_and_found_again(tmp_path: Path, hub: str) -> None:
    chosen = "model: ViT-B-32, weights: laion2b_s34b_b79k"
    fetched = guardian(tmp_path, chosen, "fetch", hub=hub)
    assert fetched.returncode == 0, fetched.stderr
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert digest in fetched.stdout
    shown = guardian(tmp_path, chosen, "status")
    assert shown.returncode == 0, shown.stderr
    assert digest in shown.stdout
    again = guardian(tmp_path, chosen, "fetch")
    assert (again.returncode, "these weights are here already" in again.stdout) == (0, True)


@needs_clip
def test_no_network_is_said_in_seconds_with_the_ways_out(tmp_path: Path) -> None:
    started = time.monotonic()
    failed = guardian(tmp_path, "model: ViT-B-32, weights: laion2b_s34b_b79k", "fetch")
    # Of a busy machine, on which torch alone takes half a minute to import; trying again would take far longer.
    assert time.monotonic() - started < 120
    assert failed.returncode == 3
    assert "the model hub does not answer from this machine" in failed.stderr
    assert "copy a checkpoint here and set embedding.weights to its path" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("", "set embedding.model and embedding.weights"),
        ("model: ViT-B-32, weights: mine.onnx, kind: onnx", "only open_clip weights can be fetched"),
    ],
)
def test_nothing_that_could_be_fetched(tmp_path: Path, chosen: str, words: str) -> None:
    refused = guardian(tmp_path, chosen, "fetch")
    assert refused.returncode == 2
    assert words in refused.stderr


@needs_clip
@pytest.mark.parametrize(
    ("model", "weights", "words"),
    [
        ("ViT-B-32", "laion2b_s34b", "embedding.weights may be: laion2b_s34b_b79k"),
        ("ViTB32", "openai", "embedding.model may be: ViT-B-32"),
        ("ViT-B-32", "openai", "trained for ViT-B-32-quickgelu: set embedding.model to it"),
    ],
)
def test_names_that_open_clip_does_not_know_or_that_do_not_fit(
    model: str, weights: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsMissing, match=words):
        download(EmbeddingSettings(model=model, weights=weights))


def test_cost_is_measured_on_the_weights_themselves(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="pip install 'guardian[clip]'")
    layers = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(48, 16))
    torch.jit.trace(layers, torch.zeros(1, 3, 32, 32)).save(str(tmp_path / "tiny.torchscript"))
    chosen = f"kind: torchscript, image_size: 32, weights: {tmp_path / 'tiny.torchscript'}"
    measured = guardian(tmp_path, chosen, "status", "--measure")
    assert measured.returncode == 0, measured.stderr
    assert "16 numbers" in measured.stdout
    assert "iB to load, in each worker" in measured.stdout
    (tmp_path / "tiny.torchscript").write_bytes(b"torn")
    torn = guardian(tmp_path, chosen, "status", "--measure")
    assert torn.returncode == 3
    assert "cannot be loaded as TorchScript" in torn.stderr
