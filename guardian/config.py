"""Reads config.yaml. Composes the settings that each package declares, and resolves relative paths."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from guardian.catalog.settings import CatalogSettings
from guardian.coverage.settings import CoverageSettings
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import ConfigError
from guardian.evidence.settings import EvidenceSettings
from guardian.fetch.settings import FetchSettings
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.memory.settings import MemorySettings
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.sources.settings import SourceSettings, TimeZone
from guardian.store.settings import ProcessSettings, RetentionSettings, StoreSettings
from guardian.strict_yaml import Duration, Positions, duration, load_with_mistakes
from guardian.urls.addresses import host_name
from guardian.urls.settings import PlatformSettings
from guardian.web.settings import WebSettings

S = TypeVar("S", bound=BaseModel)


def _named(path: Any) -> Any:
    """Return a path that is not blank: that would be the folder of the configuration itself. Raises ValueError."""
    if isinstance(path, str) and not path.strip():
        raise ValueError("is blank; name a folder, or remove the line to use the default")
    return path


Folder = Annotated[Path, BeforeValidator(_named)]


class ScheduleSettings(BaseModel):
    """How the daemon works through its sources."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: TimeZone = Field(
        "UTC", description="time zone of the cron lines of sources, such as Europe/Berlin; daylight saving counts"
    )
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
    """The whole configuration. No package gets this; each gets its own settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Folder = Field(
        Path("data"),
        description="folder of database, index, originals and evidence; a relative path counts from this file",
    )
    rules_dir: Folder = Field(Path("rules"), description="rule files (*.yaml), read in the order of their names")
    labels: Folder = Field(
        Path("labels.yaml"),
        description="your own vocabulary, if there is such a file: pictures are labelled by it as they come in",
    )
    own_hosts: tuple[Annotated[str, AfterValidator(host_name)], ...] = Field(
        (),
        description="your own sites, www or not, with subdomains; pictures there are labelled own and raise no alert",
    )
    platforms: tuple[PlatformSettings, ...] = Field(
        (),
        description="sites whose accounts are operators of their own, beside those that guardian knows (docs/cases.md)",
    )
    fetch: FetchSettings = Field(FetchSettings(), description="how guardian visits other people's sites")
    matching: MatchingSettings = Field(MatchingSettings(), description="how images are decoded and compared")
    embedding: EmbeddingSettings = Field(
        EmbeddingSettings(), description="the optional neural descriptor (CLIP); everything else works without"
    )
    catalog: CatalogSettings = Field(CatalogSettings(), description="how your own images are kept")
    evidence: EvidenceSettings = Field(EvidenceSettings(), description="the exact bytes kept behind findings")
    memory: MemorySettings = Field(
        MemorySettings(), description="what is remembered of every picture that scans compare, strangers too"
    )
    owner: OwnerSettings = Field(OwnerSettings(), description="who owns the works and signs notices")
    notices: NoticeSettings = Field(
        NoticeSettings(), description="drafts of notices to operators and hosts; guardian sends none itself"
    )
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
    web: WebSettings = Field(WebSettings(), description="health, metrics, and the desk where people decide")
    logging: LoggingSettings = Field(LoggingSettings(), description="what the daemon writes to standard error")
    sources: tuple[SourceSettings, ...] = Field((), description="the places that guardian watches")
    destinations: tuple[DestinationSettings, ...] = Field((), description="who is told")

    _positions: Positions | None = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same, wherever it was written."""
        return isinstance(other, Config) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).model_fields
        )

    def place_of(self, path: tuple[str | int, ...]) -> str | None:
        """Return where the value of a path was written: "config.yaml, line 12"; None for a default."""
        line = self._positions.line_of(path) if self._positions is not None else None
        return f"{self._positions.file.name}, line {line}" if self._positions is not None and line else None


def load_config(path: Path) -> Config:
    """Return a configuration file, read and checked; relative paths in it count from its own folder.

    Raises ConfigError with file, line and column of the first mistake.
    """
    config, _, mistakes = read_config(path)
    if config is None or mistakes:
        raise mistakes[0]
    return config


def read_config(path: Path) -> tuple[Config | None, Positions, list[ConfigError]]:
    """Return a configuration file, the positions of its values and all its mistakes.

    The configuration is None when its values make no sense; it may come with mistakes, since names may not fit.
    """
    config, positions, mistakes = load_with_mistakes(path, Config)
    if config is None:
        return None, positions, mistakes

    mistakes += _repeated_names(positions, "sources", [source.name for source in config.sources])
    mistakes += _repeated_names(positions, "destinations", [destination.name for destination in config.destinations])
    mistakes += _unknown_destinations(config, positions)
    config._positions = positions
    # A daemon is started from anywhere, so the working folder must not decide where files lie.
    return _with_local_names(config, path.absolute().parent), positions, mistakes


def _with_local_provider(web: WebSettings, folder: Path) -> WebSettings:
    """Return settings of the web server with the files of its provider resolved against a folder."""
    if web.oidc is None:
        return web
    oidc = _with_local_paths(_with_local_paths(web.oidc, "client_secret_file", folder), "ca_file", folder)
    return web.model_copy(update={"oidc": oidc})


def _with_local_names(config: Config, folder: Path) -> Config:
    """Return the configuration with its paths resolved against its folder, and its sources in their time zones."""
    timezone = config.schedule.timezone
    sources = tuple(_with_time_zone(_with_local_files(source, folder), timezone) for source in config.sources)

    return config.model_copy(
        update={
            "data_dir": folder / config.data_dir.expanduser(),
            "rules_dir": folder / config.rules_dir.expanduser(),
            "labels": folder / config.labels.expanduser(),
            "sources": sources,
            "destinations": tuple(_with_local_paths(one, "secret_file", folder) for one in config.destinations),
            "embedding": _with_local_weights(config.embedding, folder),
            "notices": _with_local_paths(config.notices, "templates", folder),
            "delivery": _with_local_paths(config.delivery, "ca_file", folder),
            "evidence": config.evidence.model_copy(
                update={
                    "timestamps": tuple(
                        _with_local_paths(one, "ca_file", folder) for one in config.evidence.timestamps
                    ),
                    "rdap": _with_local_paths(config.evidence.rdap, "bootstrap", folder),
                }
            ),
            "web": _with_local_provider(config.web, folder),
        }
    )


def require_contact(config: Config, path: Path) -> None:
    """Raise ConfigError unless fetch.contact is set: nobody visits other people's sites anonymously."""
    if not config.fetch.contact:
        raise ConfigError(
            "fetch.contact is not set: site owners must be able to reach you; "
            "write `contact: you@example.com` or the address of a page under `fetch:`",
            file=path,
        )


def example_text() -> str:
    """Return the text of config.example.yaml: every key with its default and one line about it."""
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


# Lists have no defaults to show, so these stand for them.
_EXAMPLES = {
    "platforms": [
        "platforms: []",
        "#  - {host: art.example, account: '/artist/{account}'}",
        "#  - {host: shops.example, account: '{account}.shops.example', no_accounts: [help]}",
    ],
    "sources": [
        "sources: []",
        "#  - {name: gallery, kind: page, url: https://shop.example/gallery, every: 15m}",
        "#  - {name: rival, kind: site, url: https://rival.example/, every: 1d}",
        "#  - {name: catalogue, kind: sitemap, url: https://shop.example/sitemap.xml, cron: '30 3 * * mon-fri'}",
        "#  - {name: news, kind: feed, url: https://news.example/feed.xml, every: 30m}",
        "#  - {name: reported, kind: listing, path: reported.txt, every: 1h}",
        "#  - {name: dropbox, kind: folder, path: incoming, every: 5m}",
    ],
    "destinations": [
        "destinations: []",
        "#  - {name: legal, kind: webhook, url: https://legal.example/hook, secret_env: GUARDIAN_SECRET}",
        "#  - {name: desk, kind: chat, secret_env: DESK_ADDRESS, events: [case.*], quiet_hours: '20:00-07:30'}",
    ],
}


def _section(settings: BaseModel, indent: str = "  ") -> Iterable[str]:
    for name, field in type(settings).model_fields.items():
        yield f"{indent}# {field.description}"
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:"
            yield from _section(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_yaml(_plain(settings, name))}"


def _plain(settings: BaseModel, name: str) -> Any:
    return settings.model_dump(mode="json")[name]


def _yaml(value: Any) -> str:
    """Return a value in YAML's flow style, quoted only where it must be."""
    if value is None:
        return "null"
    # Before str(): Python writes True, and bool is an int.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_yaml(part) for part in value)}]"
    if isinstance(value, str) and (not value or any(sign in value for sign in ": #{}[],&*!|>'\"%@`")):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"

    return str(value)


def _repeated_names(positions: Positions, section: str, names: list[str]) -> Iterator[ConfigError]:
    # A name looks the same whether its accents are letters of their own or not.
    alike = [normalize("NFC", name) for name in names]
    for index, name in enumerate(names):
        if alike[index] in alike[:index]:
            yield positions.error(f"two {section} are named {name!r}; names must differ", (section, index, "name"))


def _unknown_destinations(config: Config, positions: Positions) -> Iterator[ConfigError]:
    known = [destination.name for destination in config.destinations]
    for index, name in enumerate(config.coverage.deliver_to):
        if name not in known:
            shown = ", ".join(known) or "none"
            yield positions.error(
                f"there is no destination {name!r}; there are: {shown}", ("coverage", "deliver_to", index)
            )


def _with_local_paths(settings: S, name: str, folder: Path) -> S:
    path = getattr(settings, name, None)
    return settings if path is None else settings.model_copy(update={name: folder / Path(path).expanduser()})


def _with_local_files(source: SourceSettings, folder: Path) -> SourceSettings:
    """Return a source whose files, and those of its credentials, are resolved against the configuration's folder."""
    source = _with_local_paths(source, "path", folder)
    if source.credentials is None:
        return source
    shown = _with_local_paths(_with_local_paths(source.credentials, "secret_file", folder), "cookie_file", folder)
    return source.model_copy(update={"credentials": shown})


def _with_time_zone(source: SourceSettings, timezone: str) -> SourceSettings:
    """Return a source whose cron line is in the schedule's time zone, if it has none of its own."""
    if source.cron is None or source.timezone is not None:
        return source
    return source.model_copy(update={"timezone": timezone})


def _with_local_weights(settings: EmbeddingSettings, folder: Path) -> EmbeddingSettings:
    """Return the settings with `weights` resolved against the folder, if it is a path and not a tag.

    A bare name counts as a path when a file of this name lies in the folder.
    """
    if settings.weights is None:
        return settings
    # A tag such as laion2b_s34b_b79k looks like a file name, so the folder is asked.
    path = folder / Path(settings.weights).expanduser()
    is_path = settings.names_a_file or path.exists()
    return settings.model_copy(update={"weights": str(path)}) if is_path else settings


if __name__ == "__main__":
    print(example_text(), end="")
