"""The weights of the optional neural descriptor: where they are on this machine, and how they are fetched."""

import difflib
import hashlib
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from guardian.errors import WeightsMissing
from guardian.matching.settings import CHECKPOINTS, EmbeddingSettings

_PATIENCE = 5
"""Seconds that the model hub has to answer."""

_LIBRARIES = {"open_clip": ("open_clip", "clip"), "torchscript": ("torch", "clip"), "onnx": ("onnxruntime", "onnx")}
"""What runs the weights of each kind, and the extra of guardian that brings it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file on this machine. `digest` is its SHA-256 in hex; it is part of the recipe."""

    path: Path
    digest: str


def find_weights(settings: EmbeddingSettings) -> Weights | None:
    """Return the configured weights; None when no descriptor is configured.

    Looks at local disk only and imports nothing heavy.

    Raises WeightsMissing, in well under a second, with the ways to get them: also where they are here, and the library
    that runs them is not.
    """
    if settings.model is None and settings.weights is None:
        return None
    found = _weights_on_disk(settings)
    library, extra = _LIBRARIES[settings.kind]
    if find_spec(library) is None:
        raise WeightsMissing(
            f"no descriptor: {library}, which runs {found.path}, is not installed. Matching goes on without it. "
            f"To get it: pip install 'guardian[{extra}]'; or remove embedding.model and embedding.weights."
        )
    return found


def _weights_on_disk(settings: EmbeddingSettings) -> Weights:
    if settings.weights is None:
        raise WeightsMissing(_how_to_get(settings, "embedding.weights is not set"))

    named = Path(settings.weights).expanduser()
    if named.is_file():
        return Weights(named, _digest(named))
    if named.is_dir():
        found = sorted(path for path in named.rglob("*") if path.suffix in CHECKPOINTS and path.is_file())
        if not found:
            raise WeightsMissing(_how_to_get(settings, f"the folder {named} holds no checkpoint"))
        return Weights(found[0], _digest(found[0]))

    if settings.names_a_file:
        raise WeightsMissing(_how_to_get(settings, f"there is no file {named}"))

    cached = _cached(settings)
    if cached is None:
        raise WeightsMissing(_how_to_get(settings, f"the weights “{settings.weights}” are not on this machine"))
    return Weights(cached, _digest(cached))


def download(settings: EmbeddingSettings) -> Weights:
    """Fetch an open_clip tag's weights from the model hub into its cache, and note where they are.

    What is in the cache already is taken from there. Raises WeightsMissing, in seconds when there is no
    network, and for models and tags that open_clip does not know or that do not fit together.
    """
    if settings.kind != "open_clip" or settings.model is None or settings.weights is None:
        raise WeightsMissing(
            "only open_clip weights can be fetched: set embedding.model and embedding.weights to a tag"
        )
    answers = _hub_answers()
    if not answers:
        # The hub's client would try for most of a minute; offline it looks into its cache and says so at once.
        os.environ["HF_HUB_OFFLINE"] = "1"
    tag = _open_clip_tag(settings.model, settings.weights)
    try:
        from open_clip.pretrained import download_pretrained

        path = Path(download_pretrained(tag)).absolute()
    # The hub's client raises its own and its transport's errors; all mean the same to the user.
    except Exception as error:
        reason = (
            "the model hub answers, but not with these weights"
            if answers
            else "the model hub does not answer from this machine"
        )
        raise WeightsMissing(_how_to_get(settings, reason)) from error
    weights = Weights(path, _digest(path))
    note = _note_of(settings)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{path}\n", encoding="utf-8")
    return weights


def _open_clip_tag(model: str, weights: str) -> dict[str, Any]:
    """Return what open_clip knows about a tag. Raises WeightsMissing that names what may be meant instead."""
    try:
        from open_clip import get_model_config, list_models, list_pretrained_tags_by_model
        from open_clip.pretrained import get_pretrained_cfg
    except ImportError as error:
        raise WeightsMissing("open_clip is not installed: pip install 'guardian[clip]'") from error

    tag: dict[str, Any] = get_pretrained_cfg(model, weights)
    if not tag:
        tags = list_pretrained_tags_by_model(model)
        kind, near = ("weights", tags) if tags else ("model", list_models())
        known = difflib.get_close_matches(weights if tags else model, near, 3, 0.4) or near
        raise WeightsMissing(f"open_clip knows no {kind} of this name; embedding.{kind} may be: {', '.join(known)}")

    # Loaded into the other activation, the weights would give vectors that look right and are not.
    if tag.get("quick_gelu") and not (get_model_config(model) or {}).get("quick_gelu"):
        raise WeightsMissing(f"these weights were trained for {model}-quickgelu: set embedding.model to it")
    return tag


def _hub_answers() -> bool:
    """Return whether the model hub, or the proxy on the way there, answers anything at all within seconds."""
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        request = urllib.request.Request(hub, method="HEAD")  # noqa: S310 - the user's own setting
        urllib.request.urlopen(request, timeout=_PATIENCE).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _cached(settings: EmbeddingSettings) -> Path | None:
    """Return the local copy of an open_clip tag's weights, without importing open_clip or asking the network.

    `download` notes where it put them. Weights that something else fetched are looked for by their names.
    """
    note = _note_of(settings)
    if note.is_file():
        noted = Path(note.read_text(encoding="utf-8").strip())
        if noted.is_file():
            return noted

    cache = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "hub"
    model, tag = _plain(settings.model or ""), _plain(settings.weights or "")
    for folder in (cache, Path.home() / ".cache" / "clip"):
        for path in sorted(folder.glob("**/*")) if folder.is_dir() else []:
            name = _plain(str(path.relative_to(folder)))
            if path.suffix in CHECKPOINTS and path.is_file() and model in name and tag in name:
                return path
    return None


def _note_of(settings: EmbeddingSettings) -> Path:
    """Return the file that says where this tag's weights are."""
    return (
        Path.home() / ".cache" / "guardian" / "weights" / _plain(settings.model or "") / _plain(settings.weights or "")
    )


def _plain(name: str) -> str:
    """Spell a name as the hub's folders do, where tags have underscores."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _how_to_get(settings: EmbeddingSettings, reason: str) -> str:
    return (
        f"no descriptor: {reason}. Matching goes on without it. To get one: `guardian model fetch` on a machine with "
        "network; or copy a checkpoint here and set embedding.weights to its path; or remove embedding.model "
        f"(now {settings.model!r}) to work without."
    )
