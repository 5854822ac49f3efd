"""Checks everything that guardian is told before it is started: configuration, rules, secrets and paths.

Changes nothing, sends nothing and fetches nothing.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from guardian import rules
from guardian.config import Config, read_config
from guardian.delivery.channels.chat_services import chat_service_at, own_body_text
from guardian.delivery.channels.kinds import require_secrets
from guardian.delivery.secrets import Secrets
from guardian.errors import ConfigError, GuardianError, StoreUnusable, UsageError
from guardian.fetch.credentials import read_credentials
from guardian.sources.rhythm import next_time, rhythm_text
from guardian.store.peeking import Groups, protected_groups
from guardian.strict_yaml import Positions
from guardian.urls.addresses import is_public_suffix
from guardian.views.counting import counted, size_text
from guardian.views.timestamps import minute_text


class RemarkKind(StrEnum):
    """problem: `guardian run` does not start, or a part of it cannot work. warning: it works, perhaps not as meant."""

    PROBLEM = "problem"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that somebody should look at. `text` begins with file, line and column where there are any."""

    weight: RemarkKind
    text: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a check found. `plan` says by label what guardian would do; empty when the configuration cannot be read."""

    remarks: tuple[Remark, ...]
    plan: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_problems(self) -> bool:
        """Whether something keeps `guardian run`, or a part of it, from working."""
        return any(remark.weight is RemarkKind.PROBLEM for remark in self.remarks)


def check(config_path: Path, environment: Mapping[str, str], now: datetime | None = None) -> Preflight:
    """Return what is wrong or doubtful with a configuration and all that it names, and what guardian would do.

    Secrets are looked for in `environment`. The catalogue is only read, and only if it is of this version.
    """
    config, positions, mistakes = read_config(config_path)
    if config is None:
        return Preflight(tuple(_problem(error) for error in _in_order(mistakes)))

    checked, rule_mistakes = rules.read(config.rules_dir, [one.name for one in config.destinations])
    remarks = [_problem(error) for error in _in_order([*mistakes, *rule_mistakes])]
    remarks += _settings_remarks(config, config_path, positions)
    remarks += _secret_remarks(config, positions, environment)
    remarks += _path_remarks(config, positions)

    groups: Groups | None = None
    try:
        groups = protected_groups(config.store, config.data_dir)
    except (StoreUnusable, UsageError) as error:
        remarks.append(_problem(error))
    if not rule_mistakes:
        remarks += [_warning(error) for error in doubtful_names(config, checked, groups)]
    return Preflight(tuple(remarks), _plan(config, checked, groups, now or datetime.now(UTC)))


def _problem(error: GuardianError) -> Remark:
    return Remark(RemarkKind.PROBLEM, str(error))


def _warning(error: GuardianError) -> Remark:
    return Remark(RemarkKind.WARNING, str(error))


def _in_order(mistakes: list[ConfigError]) -> list[ConfigError]:
    """Return the mistakes file by file, in the order of their lines."""
    return sorted(mistakes, key=lambda error: (str(error.file), error.line or 0, error.column or 0))


def _settings_remarks(config: Config, config_path: Path, positions: Positions) -> Iterator[Remark]:
    """Yield what the settings leave open."""
    if not config.fetch.contact:
        advice = "write `contact: you@example.com` or the address of a page under `fetch:`"
        message = f"fetch.contact is not set, so nothing is scanned: site owners must be able to reach you; {advice}"
        yield _problem(ConfigError(message, file=config_path))
    if not config.sources:
        yield _warning(ConfigError("there are no sources, so nothing is watched", file=config_path))
    if not config.destinations:
        yield _warning(ConfigError("there are no destinations, so nobody is told", file=config_path))

    for index, host in enumerate(config.own_hosts):
        if is_public_suffix(host):
            message = f"everybody may have a name below {host}, and copies at all of them raise no alert; name your own"
            yield _warning(positions.error(message, ("own_hosts", index)))

    for index, destination in enumerate(config.destinations):
        if service := chat_service_at(destination.url or ""):
            yield _warning(positions.error(own_body_text(service), ("destinations", index, "url")))


def _secret_remarks(config: Config, positions: Positions, environment: Mapping[str, str]) -> Iterator[Remark]:
    """Yield the secrets that are missing or malformed in this environment. A service may have another one."""
    secrets = Secrets(environment)
    for index, destination in enumerate(config.destinations):
        try:
            require_secrets(destination, config.delivery, secrets)
        except UsageError as error:
            yield _problem(positions.error(str(error), ("destinations", index, "name")))

    for index, source in enumerate(config.sources):
        if source.credentials is None:
            continue
        try:
            read_credentials(source.credentials, environment)
        except UsageError as error:
            yield _problem(positions.error(str(error), ("sources", index, "credentials")))


def _path_remarks(config: Config, positions: Positions) -> Iterator[Remark]:
    """Yield the paths that are missing or cannot be used."""
    if problem := _folder_problem(config.data_dir):
        yield _problem(positions.error(f"data_dir {config.data_dir} {problem}", ("data_dir",)))

    for index, source in enumerate(config.sources):
        path: Path | None = getattr(source, "path", None)
        if path is not None and (problem := _unreadable(path, is_folder=source.kind == "folder")):
            # It may come later, a mounted disk for instance: each scan of it fails until then.
            yield _warning(positions.error(f"{path} {problem}", ("sources", index, "path")))

    if config.delivery.ca_file is not None and (problem := _unreadable(config.delivery.ca_file, is_folder=False)):
        yield _problem(positions.error(f"{config.delivery.ca_file} {problem}", ("delivery", "ca_file")))
    browser = config.evidence.browser.executable
    if browser is not None and not os.access(browser, os.X_OK):
        message = f"{browser} is no program that can be run; captures have no screenshots until it is"
        yield _warning(positions.error(message, ("evidence", "browser", "executable")))
    if config.embedding.model is not None and config.embedding.names_a_file:
        weights = Path(str(config.embedding.weights))
        if not weights.exists():
            message = f"{weights} does not exist; guardian matches without the descriptor until it does"
            yield _warning(positions.error(message, ("embedding", "weights")))


def _folder_problem(folder: Path) -> str | None:
    """Return why guardian could not work in a data folder, None when it can. It need not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return f"cannot be used: {existing} is no folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"cannot be written to by this user (uid {os.getuid()})"
    return None


def _unreadable(path: Path, *, is_folder: bool) -> str | None:
    """Return why a file or folder cannot be read, None when it can."""
    if not path.exists():
        return "does not exist"
    if path.is_dir() is not is_folder:
        return "is no folder" if is_folder else "is no file"
    if not os.access(path, os.R_OK | (os.X_OK if is_folder else 0)):
        return f"cannot be read by this user (uid {os.getuid()})"
    return None


def doubtful_names(config: Config, checked: rules.Rules, groups: Groups | None) -> list[ConfigError]:
    """Return the names in rules that nothing has, or gets any more. All are warnings: the catalogue may get them later.

    `groups` are what images are protected in; None when that is not known.
    """
    found: list[ConfigError] = []
    go_by_labels = any(condition.fact == "label" for rule in checked.rules for condition in rule.conditions)
    if go_by_labels and not config.labels.exists():
        message = f"rules go by labels, but no further image gets one: there is no vocabulary {config.labels}"
        found.append(ConfigError(message, file=config.rules_dir))

    known = {"source": {source.name for source in config.sources}}
    if groups is not None:
        of_assets = {"collection": groups.collections, "asset_tag": groups.tags, "label": groups.labels}
        known |= {name: set(words) for name, words in of_assets.items()}
    return found + rules.unknown_names(config.rules_dir, known)


def _plan(config: Config, checked: rules.Rules, groups: Groups | None, now: datetime) -> dict[str, str]:
    """Return by label what `guardian run` would do by this configuration."""
    watched = []
    for source in config.sources:
        following = next_time(source, now)
        then = f", next {minute_text(following)}" if source.cron is not None and following else ""
        watched.append(f"{source.name} ({source.kind}, {rhythm_text(source)}{then})")

    protected = "no database of this version yet"
    if groups is not None:
        collections = counted(len(groups.collections), "collection")
        protected = f"{counted(groups.assets, 'asset')} in {collections}"
    nearest = next(path for path in (config.data_dir, *config.data_dir.parents) if path.exists())
    free = shutil.disk_usage(nearest).free

    return {
        "contact": config.fetch.contact or "none",
        "sources": "; ".join(watched) or "none",
        "rules": f"{counted(len(checked.rules), 'rule')} in {config.rules_dir}",
        "destinations": "; ".join(one.name for one in config.destinations) or "none",
        "told of trouble": ", ".join(config.coverage.deliver_to) or "nobody",
        "data folder": f"{config.data_dir}, {size_text(free)} free",
        "database": "PostgreSQL" if config.store.url else "SQLite, in the data folder",
        "protected": protected,
        "descriptor": config.embedding.model or "none",
        "web pages": config.web.listen,
        "logs": f"{config.logging.level} and worse, as {config.logging.format}",
    }
