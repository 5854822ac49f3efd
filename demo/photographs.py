"""Finds the photographs of the demo, which come in the wheels of scikit-image, scikit-learn and PyWavelets.

None is committed here. What those packages say about authors and rights is repeated beside each name.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

SKIMAGE = ("skimage", "data")
SKLEARN = ("sklearn", "datasets/images")
WAVELETS = ("pywt", "data")


@dataclass(frozen=True)
class Photograph:
    """One picture of a package. `credit` is what the package says about its author and rights."""

    file: str
    title: str
    credit: str
    home: tuple[str, str] = SKIMAGE

    @property
    def name(self) -> str:
        """The file name without its suffix."""
        return Path(self.file).stem


PROTECTED = (
    Photograph("astronaut.png", "Astronaut Eileen Collins", "NASA, public domain"),
    Photograph("brick.png", "Brick wall", "CC0Textures, CC0"),
    Photograph("camera.png", "Cameraman", "Lav Varshney, CC0"),
    Photograph("cell.png", "Cell in saline", "Paul Müller and others, CC0"),
    Photograph("chelsea.png", "Chelsea the cat", "Stéfan van der Walt, CC0"),
    Photograph("china.jpg", "Chinese temple", "danielbuechele, CC BY 2.0", SKLEARN),
    Photograph("clock_motion.png", "Clock in motion", "Stéfan van der Walt, public domain"),
    Photograph("coffee.png", "Cup of coffee", "Rachel Michetti, Pikolo Espresso Bar, CC0"),
    Photograph("coins.png", "Greek coins from Pompeii", "Brooklyn Museum, no known restrictions"),
    Photograph("flower.jpg", "Flower", "vultilion, CC BY 2.0", SKLEARN),
    Photograph("gravel.png", "Gravel", "CC0Textures, CC0"),
    Photograph("hubble_deep_field.jpg", "Hubble deep field", "NASA, public domain"),
    Photograph("ihc.png", "Colon glands", "CMMI, no known restrictions"),
    Photograph("microaneurysms.png", "Vessels of an eye", "Andreas Maier, CC0"),
    Photograph("moon.png", "Surface of the moon", "shipped by scikit-image, BSD-3-Clause"),
    Photograph("motorcycle_left.png", "Motorcycle", "Middlebury 2014 stereo benchmark, Nesic and others"),
    Photograph("page.png", "Scanned page", "shipped by scikit-image, BSD-3-Clause"),
    Photograph("retina.jpg", "Human retina", "Mikael Häggström, CC0"),
    Photograph("rocket.jpg", "Falcon 9 launch", "SpaceX, public domain"),
)
"""The pictures that the demo's owner protects."""

DISTRACTORS = (
    Photograph("ascent.npz", "Staircase", "public-domain-image.com, public domain", WAVELETS),
    Photograph("aero.npz", "Aerial view", "shipped by PyWavelets, MIT", WAVELETS),
    Photograph("grass.png", "Grass", "linolafett, CC0"),
    Photograph("text.png", "Words on a page", "Wikipedia, public domain"),
    Photograph("horse.png", "Silhouette of a horse", "Andreas Preuss, CC0"),
    Photograph("color.png", "Colour wheel", "shipped by scikit-image, BSD-3-Clause"),
    Photograph("logo.png", "Logo of scikit-image", "scikit-image, BSD-3-Clause"),
)
"""Unrelated pictures, which other people own: shown on the demo's web site, never protected."""


def path_of(photograph: Photograph) -> Path:
    """Return where the package keeps a photograph, without importing the package."""
    package, folder = photograph.home
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the demo's photographs come with {package}, which is not installed: run `make demo`")
    return Path(spec.submodule_search_locations[0]) / folder / photograph.file


def opened(photograph: Photograph) -> Image.Image:
    """Return the picture in RGB, on white where it is transparent."""
    path = path_of(photograph)
    if path.suffix == ".npz":
        return Image.fromarray(np.load(path)["data"]).convert("RGB")
    with Image.open(path) as picture:
        whole = picture.convert("RGBA")
    ground = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(ground, whole).convert("RGB")


def copy_protected(photographs: Sequence[Photograph], folder: Path) -> None:
    """Copy photographs, byte for byte, into a folder of their own."""
    folder.mkdir(parents=True)
    for photograph in photographs:
        path = path_of(photograph)
        shutil.copyfile(path, folder / path.name)
