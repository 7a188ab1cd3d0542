"""The shipped catalogue of sources (data/sources.yaml), and which of it an operator has chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from core.configuration_file import nearest
from core.errors import ConfigError
from core.located_yaml import Problem
from core.source import Source

if TYPE_CHECKING:
    from core.config import SourcesConfig

SHIPPED = Path(__file__).parent / "data" / "sources.yaml"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A source of the catalogue; `default` says whether it is collected unless config.yaml says otherwise."""

    source: Source
    default: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All sources jingbao knows, in the file's order, by key."""

    entries: Mapping[str, CatalogueEntry]

    def sources(self, choice: str) -> list[Source]:
        """Those that `default`, `all` or `none` names."""
        everything = choice == "all"
        return [] if choice == "none" else [each.source for each in self.entries.values() if everything or each.default]


def load_catalogue(path: Path = SHIPPED) -> Catalogue:
    """Read and check the catalogue. Raises ConfigError with one line for each fault of each entry."""
    entries: dict[str, CatalogueEntry] = {}
    faults: list[str] = []
    for number, raw in enumerate(_rows(path), start=1):
        try:
            entry = _entry(raw)
        except ValidationError as error:
            faults += [f"{path.name}, {_named(raw, number)}: {fault}" for fault in _faults(error)]
            continue
        if entry.source.key in entries:
            faults.append(f"{path.name}, {_named(raw, number)}: this key stands twice; each source needs its own")
        entries[entry.source.key] = entry
    if faults:
        raise ConfigError(faults)
    return Catalogue(entries)


def choose(catalogue: Catalogue, config: SourcesConfig) -> tuple[Source, ...]:
    """The sources an operator wants: the catalogue's part, with single ones on or off, then the operator's own.

    A source with `enabled: false` is among them: it is paused, not absent. Raises ConfigError naming every fault.
    """
    if faults := [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in problems(catalogue, config)]:
        raise ConfigError(faults)
    wanted = {source.key for source in catalogue.sources(config.catalogue)} | set(config.enable)
    known = [entry.source for entry in catalogue.entries.values() if entry.source.key in wanted]
    return tuple(source for source in (*known, *config.add) if source.key not in config.disable)


def problems(catalogue: Catalogue, config: SourcesConfig) -> Iterable[Problem]:
    """What is wrong with `sources:`, each with its place in config.yaml; keys twice in `add` are found with the file."""
    known = {*catalogue.entries, *(source.key for source in config.add)}
    for part, keys in (("enable", config.enable), ("disable", config.disable)):
        for number, key in enumerate(keys):
            if key not in known:
                hint = nearest(key, known) or " `jingbao sources` lists them."
                yield Problem(("sources", part, number), f'there is no source "{key}".{hint}')
    for number, key in enumerate(config.enable):
        if key in config.disable:
            yield Problem(("sources", "enable", number), f'"{key}" is in `disable` too; take it out of one of them')
    for number, source in enumerate(config.add):
        if source.key in catalogue.entries:
            yield Problem(("sources", "add", number, "key"), _override(source.key))


def _override(key: str) -> str:
    return (
        f'"{key}" is a source of the catalogue; to use yours in its place, put "{key}" into `sources.disable` '
        f"and give yours a key of its own, as in my-{key}"
    )


def _rows(path: Path) -> Iterable[Any]:
    try:
        rows = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([f"{path.name}: cannot be read ({error})"]) from error
    if not isinstance(rows, list):
        raise ConfigError([f"{path.name}: expected a list of sources, each beginning with `- key:`"])
    return rows


def _entry(raw: Any) -> CatalogueEntry:
    """One entry; what is no mapping is left for the check of Source to name."""
    fields = {name: value for name, value in raw.items() if name != "default"} if isinstance(raw, dict) else raw
    source = Source.model_validate(fields)
    return CatalogueEntry(source, default=raw.get("default") is True)


def _named(raw: Any, number: int) -> str:
    return f"source {raw['key']!r}" if isinstance(raw, dict) and "key" in raw else f"entry {number}"


def _faults(error: ValidationError) -> Iterable[str]:
    for fault in error.errors():
        place = ".".join(map(str, fault["loc"]))
        yield f"{place}: {fault['msg']}" if place else fault["msg"]
