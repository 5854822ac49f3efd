"""config.yaml -> Config. Only composes the Settings that the rooms declare, and knows where files lie."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from guardian.catalog.settings import CatalogSettings
from guardian.coverage.settings import CoverageSettings
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import ConfigError
from guardian.evidence.settings import EvidenceSettings
from guardian.fetch.settings import FetchSettings
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.sources.settings import SourceSettings
from guardian.store.settings import ProcessSettings, RetentionSettings, StoreSettings
from guardian.strict_yaml import Duration, Positions, duration, load_with_positions
from guardian.urls.addresses import host_name
from guardian.web.settings import WebSettings

S = TypeVar("S", bound=BaseModel)


class ScheduleSettings(BaseModel):
    """How the daemon works through its sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scans_at_once: int = Field(4, ge=1, le=64, description="sources scanned at the same time")
    grace_period: Duration = Field(
        duration("30s"), description="how long a stopping daemon lets scans finish before it cuts them off"
    )


class LoggingSettings(BaseModel):
    """What the daemon writes to standard error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least severe events to write")
    format: Literal["json", "text"] = Field("json", description="json for machines, text for people")


class Config(BaseModel):
    """The whole configuration. No room is handed this; each gets its own settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Field(
        Path("data"),
        description="folder of database, index, originals and evidence; a relative path counts from this file",
    )
    rules_dir: Path = Field(Path("rules"), description="rule files (*.yaml), read in the order of their names")
    own_hosts: tuple[Annotated[str, AfterValidator(host_name)], ...] = Field(
        (), description="your own sites, subdomains included; pictures there are labelled own and raise no alert"
    )
    fetch: FetchSettings = Field(FetchSettings(), description="how guardian visits other people's sites")
    matching: MatchingSettings = Field(MatchingSettings(), description="how images are decoded and compared")
    embedding: EmbeddingSettings = Field(
        EmbeddingSettings(), description="the optional neural descriptor (CLIP); everything else works without"
    )
    catalog: CatalogSettings = Field(CatalogSettings(), description="how your own images are kept")
    evidence: EvidenceSettings = Field(EvidenceSettings(), description="the exact bytes kept behind findings")
    delivery: DeliverySettings = Field(DeliverySettings(), description="how messages are sent and tried again")
    store: StoreSettings = Field(StoreSettings(), description="the database")
    retention: RetentionSettings = Field(
        RetentionSettings(),
        description="how long old rows of the database are kept; cases and findings are always kept",
    )
    processes: ProcessSettings = Field(
        ProcessSettings(),
        description="how processes that share a database know of each other, on one machine or several",
    )
    schedule: ScheduleSettings = Field(ScheduleSettings(), description="how the daemon works through its sources")
    coverage: CoverageSettings = Field(
        CoverageSettings(), description="when a source counts as failing, silent or shrinking, and who is told"
    )
    web: WebSettings = Field(WebSettings(), description="health, readiness and metrics")
    logging: LoggingSettings = Field(LoggingSettings(), description="what the daemon writes to standard error")
    sources: tuple[SourceSettings, ...] = Field((), description="the places that guardian watches")
    destinations: tuple[DestinationSettings, ...] = Field((), description="who is told")


def load_config(path: Path) -> Config:
    """Read and check a configuration file; relative paths in it count from its own folder. Raises ConfigError."""
    config, positions = load_with_positions(path, Config)
    _refuse_repeated_names(positions, "sources", [source.name for source in config.sources])
    _refuse_repeated_names(positions, "destinations", [destination.name for destination in config.destinations])
    _refuse_unknown_destinations(config, positions)
    folder = path.absolute().parent
    return config.model_copy(
        update={
            "data_dir": folder / config.data_dir.expanduser(),
            "rules_dir": folder / config.rules_dir.expanduser(),
            "sources": tuple(_with_local_files(source, folder) for source in config.sources),
            "destinations": tuple(_with_local_paths(one, "secret_file", folder) for one in config.destinations),
            "embedding": _with_local_weights(config.embedding, folder),
            "delivery": _with_local_paths(config.delivery, "ca_file", folder),
        }
    )


def require_contact(config: Config, path: Path) -> None:
    """Refuse to visit other people's sites anonymously. Raises ConfigError that names the key."""
    if not config.fetch.contact:
        raise ConfigError(
            "fetch.contact is not set: site owners must be able to reach you; "
            "write `contact: you@example.com` or the address of a page under `fetch:`",
            file=path,
        )


def example_text() -> str:
    """config.example.yaml: every key with its default and one line of why, and examples in comments."""
    lines = [
        "# guardian's configuration: every key with its default. Keys may be left out; unknown keys are refused.",
        "# Durations are written 500ms, 30s, 15m, 2h, 7d; sizes 512kB, 20MB, 10GiB.",
        "",
    ]
    for name, field in Config.model_fields.items():
        if name in _EXAMPLES:
            lines += [f"# {field.description}", *_EXAMPLES[name], ""]
        elif isinstance(field.default, BaseModel):
            lines += [f"# {field.description}", f"{name}:", *_section(field.default), ""]
        else:
            lines += [f"# {field.description}", f"{name}: {_yaml(_plain(Config(), name))}", ""]
    return "\n".join(lines)


_EXAMPLES = {
    "sources": [
        "sources: []",
        "#  - {name: gallery, kind: page, url: https://shop.example/gallery, every: 15m}",
        "#  - {name: rival, kind: site, url: https://rival.example/, every: 1d}",
        "#  - {name: catalogue, kind: sitemap, url: https://shop.example/sitemap.xml, every: 1d}",
        "#  - {name: news, kind: feed, url: https://news.example/feed.xml, every: 30m}",
        "#  - {name: reported, kind: listing, path: reported.txt, every: 1h}",
        "#  - {name: dropbox, kind: folder, path: incoming, every: 5m}",
    ],
    "destinations": [
        "destinations: []",
        "#  - {name: legal, kind: webhook, url: https://legal.example/hook, secret_env: GUARDIAN_SECRET}",
    ],
}


def _section(settings: BaseModel) -> Iterable[str]:
    for name, field in type(settings).model_fields.items():
        yield f"  # {field.description}"
        yield f"  {name}: {_yaml(_plain(settings, name))}"


def _plain(settings: BaseModel, name: str) -> Any:
    return settings.model_dump(mode="json")[name]


def _yaml(value: Any) -> str:
    """A value in YAML's flow style, as a person would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_yaml(part) for part in value)}]"
    if isinstance(value, str) and (not value or any(sign in value for sign in ": #{}[],&*!|>'\"%@`")):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"
    return str(value)


def _refuse_repeated_names(positions: Positions, section: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise positions.error(f"two {section} are named {name!r}; names must differ", (section, index, "name"))


def _refuse_unknown_destinations(config: Config, positions: Positions) -> None:
    known = [destination.name for destination in config.destinations]
    for index, name in enumerate(config.coverage.deliver_to):
        if name not in known:
            shown = ", ".join(known) or "none"
            raise positions.error(
                f"there is no destination {name!r}; there are: {shown}", ("coverage", "deliver_to", index)
            )


def _with_local_paths(settings: S, name: str, folder: Path) -> S:
    path = getattr(settings, name, None)
    return settings if path is None else settings.model_copy(update={name: folder / Path(path).expanduser()})


def _with_local_files(source: SourceSettings, folder: Path) -> SourceSettings:
    """A source with the files that it and its credentials name counted from the configuration's folder."""
    source = _with_local_paths(source, "path", folder)
    if source.credentials is None:
        return source
    shown = _with_local_paths(_with_local_paths(source.credentials, "secret_file", folder), "cookie_file", folder)
    return source.model_copy(update={"credentials": shown})


def _with_local_weights(settings: EmbeddingSettings, folder: Path) -> EmbeddingSettings:
    """Weights are a path or a tag; a bare name is a path when something of this name lies beside the file."""
    if settings.weights is None:
        return settings
    path = folder / Path(settings.weights).expanduser()
    is_path = settings.names_a_file or path.exists()
    return settings.model_copy(update={"weights": str(path)}) if is_path else settings


if __name__ == "__main__":
    print(example_text(), end="")
