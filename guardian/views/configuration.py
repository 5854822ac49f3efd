"""The configuration as people read it: each setting with its value, what it is for, and where it was written.

Secrets are not part of it: they stand in the environment or in files, which are named. Addresses that may hold one are
shown without it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from pydantic import BaseModel

from guardian.urls.addresses import shown_url

Path = tuple[str | int, ...]
PlaceOf = Callable[[Path], str | None]
"""Where the value of a path of keys and indices was written, such as "config.yaml, line 12"; None: nowhere."""

_PATHS_SHOWN = (("sources",), ("fetch",), ("web",), ("evidence", "takedown_addresses"))
"""Where addresses are such as anybody may know. Elsewhere a path may be a key, as that of a webhook is."""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting. `place`: where it was written; None: nowhere, so that its default holds."""

    name: str
    value: str
    description: str
    place: str | None


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together: a section of the configuration, or one entry of a list such as `sources`."""

    name: str
    description: str
    settings: tuple[ShownSetting, ...]


def setting_group_json(group: SettingGroup) -> dict[str, Any]:
    """Return the object of a group of settings; `place` is null where a default holds."""
    return {
        "name": group.name,
        "description": group.description,
        "settings": [
            {"name": one.name, "value": one.value, "description": one.description, "place": one.place}
            for one in group.settings
        ],
    }


def setting_groups(config: BaseModel, place_of: PlaceOf) -> tuple[SettingGroup, ...]:
    """Return all settings of a configuration, in the order in which config.example.yaml has them."""
    alone: list[ShownSetting] = []
    groups: list[SettingGroup] = []
    for name, field in type(config).model_fields.items():
        value, description = getattr(config, name), field.description or ""
        if isinstance(value, BaseModel):
            groups.append(SettingGroup(name, description, tuple(_settings_of(value, (name,), place_of))))
        elif _are_models(value):
            for index, entry in enumerate(value):
                title = f"{name}: {getattr(entry, 'name', index + 1)}"
                shown = tuple(_settings_of(entry, (name, index), place_of, only_written=True))
                groups.append(SettingGroup(title, (type(entry).__doc__ or "").partition("\n")[0], shown))
        else:
            alone.append(ShownSetting(name, _text(_plain(config, name), (name,)), description, place_of((name,))))
    return (SettingGroup("", "of the whole", tuple(alone)), *groups)


def _settings_of(
    model: BaseModel, path: Path, place_of: PlaceOf, prefix: str = "", *, only_written: bool = False
) -> Iterator[ShownSetting]:
    """Yield the settings of a section and of the sections in it, whose names are joined by dots."""
    for name, field in type(model).model_fields.items():
        value, its_path = getattr(model, name), (*path, name)
        place = place_of(its_path)
        if isinstance(value, BaseModel):
            yield from _settings_of(value, its_path, place_of, f"{prefix}{name}.", only_written=only_written)
        elif place is not None or not only_written:
            yield ShownSetting(f"{prefix}{name}", _text(_plain(model, name), its_path), field.description or "", place)


def _are_models(value: object) -> TypeGuard[tuple[BaseModel, ...]]:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, BaseModel) for one in value)


def _plain(model: BaseModel, name: str) -> Any:
    return model.model_dump(mode="json", include={name})[name]


def _text(value: Any, path: Path) -> str:
    """Return a value as config.yaml would have it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_text(one, path) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(one, path)}" for name, one in value.items()) or "none"
    text = str(value)
    return _without_secrets(text, path) if "://" in text else text


def _without_secrets(address: str, path: Path) -> str:
    """Return an address without user, password and query, and without its path where that may be a key."""
    is_public = any(path[: len(shown)] == shown for shown in _PATHS_SHOWN)
    return shown_url(address, with_path=is_public) + ("?…" if "?" in address else "")
