"""Models small enough to be made here, with seeded weights.

torch and open_clip take four seconds and half a gigabyte to import: tests import this module in a fixture, so that
only the process that runs them pays.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.matching.pictures import Pixels

NAME = "guardian-tests-tiny"
CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49_408, "width": 32, "heads": 2, "layers": 1},
}


class Squares(torch.nn.Module):
    """Mean colour of four by four squares: as good a descriptor as any."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(batch, 4).flatten(1)


def save_clip(folder: Path) -> Path:
    """Make an open_clip model that is known as NAME from now on, and return the file of its weights."""
    (folder / f"{NAME}.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder)
    torch.manual_seed(20)
    path = folder / "tiny.pt"
    torch.save(open_clip.create_model(NAME).state_dict(), path)
    return path


def save_squares(path: Path) -> None:
    """Write Squares as TorchScript."""
    torch.jit.trace(Squares(), torch.zeros(1, 3, 32, 32)).save(str(path))


def open_clip_vector(checkpoint: Path, picture: Pixels) -> NDArray[np.float32]:
    """What open_clip says of a picture that it has prepared itself."""
    model, _, prepare = open_clip.create_model_and_transforms(NAME, pretrained=str(checkpoint))
    model.eval()
    with torch.inference_mode():
        vector: NDArray[np.float32] = model.encode_image(prepare(Image.fromarray(picture))[None])[0].numpy()
    return vector


def save_damaged(checkpoint: Path, path: Path, *, shape: tuple[int, int] | None) -> None:
    """Write the checkpoint with one of its weights gone, or of another shape."""
    weights: dict[str, Any] = torch.load(checkpoint)
    name = next(name for name in weights if name.startswith("visual."))
    if shape is None:
        del weights[name]
    else:
        weights[name] = torch.zeros(*shape)
    torch.save(weights, path)
