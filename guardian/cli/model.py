"""`guardian model`: show the state and the cost of the optional neural descriptor, and fetch its weights."""

from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, pass_session
from guardian.errors import UsageError, WeightsMissing
from guardian.views.counting import size_text

if TYPE_CHECKING:
    from guardian.config import Config
    from guardian.matching.features.weights import Weights
    from guardian.matching.settings import EmbeddingSettings

NOT_HERE = 3
"""The exit code when configured weights cannot be used."""


@click.group
def command() -> None:
    """The optional neural descriptor (CLIP or a copy-detection model). Everything else works without it."""


@command.command("status")
@click.option("--measure", is_flag=True, help="Also load it, and say what it costs on this machine.")
@pass_session
def status(session: Session, measure: bool) -> None:
    """Say whether a descriptor is configured, whether its weights are here, and which they are.

    The exit code is 3 when weights are configured that cannot be used on this machine.
    """
    from guardian.matching.features.weights import find_weights

    settings = session.config.embedding
    if settings.model is None and settings.weights is None:
        click.echo("no descriptor is configured: hashes, keypoints and aligned pixels do all of the work.")
        click.echo("To add one, set embedding.model and embedding.weights in the configuration, for example")
        click.echo("ViT-B-32 and laion2b_s34b_b79k, then `guardian model fetch` and `guardian index rebuild`.")
        return

    try:
        weights = find_weights(settings)
        if weights is not None:
            _show(session.config, weights)
        if measure:
            _show_cost(settings)
    except WeightsMissing as error:
        click.echo(f"guardian: {error}", err=True)
        raise SystemExit(NOT_HERE) from error


@command.command("fetch")
@pass_session
def fetch(session: Session) -> None:
    """Download the configured open_clip weights into this user's cache; what is there already is taken.

    The exit code is 3 when they could not be fetched.
    """
    from guardian.matching.features.weights import download, find_weights

    settings = session.config.embedding
    _refuse_nothing_to_fetch(settings)
    try:
        weights = find_weights(settings)
        click.echo("these weights are here already:")
    except WeightsMissing:
        weights = None

    try:
        _show(session.config, weights or download(settings))
    except WeightsMissing as error:
        click.echo(f"guardian: {error}", err=True)
        raise SystemExit(NOT_HERE) from error

    click.echo("`guardian index rebuild` compares your images by it; `guardian model status --measure` times it.")


def _refuse_nothing_to_fetch(settings: "EmbeddingSettings") -> None:
    """Raise UsageError unless the settings name weights that open_clip can download."""
    if settings.model is None or settings.weights is None:
        raise UsageError(
            "nothing to fetch: set embedding.model and embedding.weights to an open_clip model and tag, for example "
            "ViT-B-32 and laion2b_s34b_b79k"
        )
    if settings.kind != "open_clip":
        raise UsageError(
            f"embedding.kind is {settings.kind}: only open_clip weights can be fetched; "
            "copy the file here and set embedding.weights to its path"
        )


def _show(config: "Config", weights: "Weights") -> None:
    from guardian.matching.recipe import index_recipe

    recipe = index_recipe(config.matching, weights.digest)
    click.echo(f"model    {config.embedding.model or config.embedding.kind}")
    click.echo(f"weights  {weights.path} ({size_text(weights.path.stat().st_size)})")
    click.echo(f"sha256   {weights.digest}")
    # Weights are part of the recipe, so other weights mean another index, in a folder of its own.
    made = (config.data_dir / "index" / recipe).is_dir()
    click.echo(f"recipe   {recipe}, " + ("its index is made" if made else "no index yet: `guardian index rebuild`"))


def _show_cost(settings: "EmbeddingSettings") -> None:
    from guardian.matching.features.embedding import measure

    click.echo("measuring ...", err=True)
    cost = measure(settings)
    if cost is not None:
        click.echo(f"costs    {cost.load_seconds:.1f} s and {size_text(cost.memory_bytes)} to load, in each worker")
        click.echo(f"         {cost.picture_seconds * 1000:.0f} ms for each picture, {cost.dimensions} numbers")
