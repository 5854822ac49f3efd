"""What a user may set about matching and about the optional descriptor. Imports nothing heavy."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from guardian.strict_yaml import ByteSize, Duration, duration

CHECKPOINTS = (".safetensors", ".bin", ".pt", ".pth", ".npz", ".onnx", ".torchscript")
"""How files of weights end."""


class MatchingSettings(BaseModel):
    """How images are decoded and compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["full", "fast"] = Field(
        "full",
        description="full finds small, cropped and pasted copies; fast costs a third and misses half of the small ones",
    )
    workers: int = Field(0, ge=0, le=256, description="worker processes; 0 means one for each processor")
    max_bytes: ByteSize = Field(50 * 1024**2, gt=0, description="a larger image file is refused, not decoded")
    max_pixels: int = Field(200_000_000, gt=0, description="an image with more pixels is refused, not decoded")
    max_frames: int = Field(1_000, gt=0, description="so many frames of a file are looked at")
    timeout: Duration = Field(
        duration("30s"),
        description="a worker that computes longer for one image, or has it ten times as long, is stopped",
    )
    max_memory: ByteSize = Field(6 * 1024**3, gt=0, description="a worker that asks for more memory fails that image")


class EmbeddingSettings(BaseModel):
    """The optional neural descriptor (CLIP or a copy-detection model). Without it everything else works."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None, description="open_clip model name such as ViT-B-32; null works without a descriptor"
    )
    weights: str | None = Field(
        None, description="open_clip tag, or the path of a checkpoint file or of a folder that holds one"
    )
    kind: Literal["open_clip", "torchscript", "onnx"] = Field(
        "open_clip", description="what the weights are: an open_clip checkpoint, a TorchScript file or an ONNX file"
    )
    image_size: int = Field(288, ge=16, le=2048, description="input side in pixels (TorchScript and ONNX only)")
    mean: tuple[float, float, float] = Field(
        (0.485, 0.456, 0.406), description="channel means that the model expects (TorchScript and ONNX only)"
    )
    std: tuple[float, float, float] = Field(
        (0.229, 0.224, 0.225), description="channel deviations that the model expects (TorchScript and ONNX only)"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto uses a GPU when there is one")

    @property
    def names_a_file(self) -> bool:
        """Whether `weights` is the path of a file or folder, there or not, rather than an open_clip tag."""
        named = Path(self.weights or "").expanduser()
        return self.weights is not None and (len(named.parts) > 1 or named.suffix in CHECKPOINTS)
