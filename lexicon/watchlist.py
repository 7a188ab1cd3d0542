"""The watchlist: the entities and groups jingbao knows by name, in both languages.

A concept is an entity (`@deepseek`) or a group of them (`@chinese-models`). docs/reference/watchlist.md lists the groups.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from core.errors import ConfigError
from core.source import Key, Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["company", "model", "chip", "robot", "lab", "person", "agency", "rule", "event", "term", "words"]
Names = tuple[Annotated[str, Field(min_length=1)], ...]


class Entity(Model):
    """One entity and how it is written.

    `origin` is where it belongs, an ISO 3166 code (`UN` for bodies of the United Nations), empty for a plain term. The first
    name of each language is the one people are shown; an entity of kind `words` is a family of words and never shown. A name
    written in capitals only (BIS) is matched in capitals only; `#` in a name stands for a version number (`GLM-#`). Names in
    `unsure` count only near a word of `context`; a place where one of `unless` stands is no mention. `tickers` are facts for
    people and are not matched.
    """

    id: Key
    kind: Kind
    origin: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    topics: tuple[str, ...] = ()
    en: Names = ()
    zh_hans: Names = ()
    zh_hant: Names = ()
    aliases: Names = ()
    tickers: Names = ()
    unsure: Names = ()
    context: Names = ()
    unless: Names = ()
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the shown ones first."""
        return tuple(dict.fromkeys((*self.en, *self.zh_hans, *self.zh_hant, *self.aliases)))


class Selection(Model):
    """Entities by what they are: each stated property must hold."""

    kind: tuple[Kind, ...] = ()
    origin: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()

    def takes(self, entity: Entity) -> bool:
        """Whether `entity` has every stated property."""
        return (
            (not self.kind or entity.kind in self.kind)
            and (not self.origin or entity.origin in self.origin)
            and (not self.topic or not set(self.topic).isdisjoint(entity.topics))
        )


class Group(Model):
    """A named set: what `every` selects and the `members` (entities, or groups above this one), without those of `but`."""

    about: str
    every: Selection | None = None
    members: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


class Topic(Model):
    """A topic's name for people."""

    en: str
    zh: str


class _File(Model):
    topics: dict[Key, Topic]
    groups: dict[Key, Group]
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class Watchlist:
    """Everything known by name. `version` is a short hash of the contents: mentions found under another are out of date."""

    entities: Mapping[str, Entity]
    groups: Mapping[str, frozenset[str]]
    topics: Mapping[str, Topic]
    version: str

    def concept(self, name: str) -> frozenset[str] | None:
        """The entity ids `@name` stands for: the entity itself or a group's members; None if there is no such concept."""
        if name in self.entities:
            return frozenset({name})
        return self.groups.get(name)

    def topic(self, name: str) -> frozenset[str]:
        """The ids of a topic's entities; empty if there is no such topic."""
        return self._by_topic.get(name, frozenset())

    def names_of(self, entity_id: str) -> tuple[str, ...]:
        """Every name of an entity, the shown ones first. Raises KeyError for an unknown id."""
        return self.entities[entity_id].names

    def gloss(self, entity_id: str, language: str) -> str:
        """What a reader of `language` (`en` or `zh`) knows the entity by; empty if it has none there or is of kind `words`."""
        entity = self.entities.get(entity_id)
        if entity is None or entity.kind == "words":
            return ""
        names = entity.zh_hans if language == "zh" else entity.en
        return names[0] if names else ""

    @property
    def concept_names(self) -> tuple[str, ...]:
        """Every name that may follow `@`, groups first."""
        return (*self.groups, *self.entities)

    @cached_property
    def _by_topic(self) -> dict[str, frozenset[str]]:
        return {
            topic: frozenset(entity.id for entity in self.entities.values() if topic in entity.topics)
            for topic in self.topics
        }


@cache
def load_watchlist() -> Watchlist:
    """The watchlist that jingbao ships, read once in a process. Raises ConfigError naming every fault and its line."""
    return parse_watchlist(files("lexicon").joinpath("data/watchlist.yaml").read_text(encoding="utf-8"))


def parse_watchlist(text: str, name: str = "watchlist.yaml") -> Watchlist:
    """Read a watchlist. Raises ConfigError naming every fault and its line in `name`."""
    try:
        content = _File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{name}, line {line}: {error.problem}"]) from error
    except ValidationError as error:
        raise ConfigError([_located(text, name, fault["loc"], fault["msg"]) for fault in error.errors()]) from error
    problems = list(_faults(content))
    if problems:
        raise ConfigError([_located(text, name, place, message) for place, message in problems])
    entities = {entity.id: entity for entity in content.entities}
    return Watchlist(
        entities=entities,
        groups={group: _members(group, content.groups, entities) for group in content.groups},
        topics=content.topics,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
    )


def _members(name: str, groups: Mapping[str, Group], entities: Mapping[str, Entity]) -> frozenset[str]:
    group = groups[name]
    chosen = {key for key, entity in entities.items() if group.every and group.every.takes(entity)}
    for member in group.members:
        chosen |= {member} if member in entities else _members(member, groups, entities)
    for member in group.but:
        chosen -= {member} if member in entities else _members(member, groups, entities)
    return frozenset(chosen)


def _faults(content: _File) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the shapes alone cannot rule out: each fault's place in the file and a message."""
    count = Counter(entity.id for entity in content.entities)
    for index, entity in enumerate(content.entities):
        place = ("entities", index)
        if count[entity.id] > 1 or entity.id in content.groups:
            yield place, f"{entity.id}: expected an id that no other entity or group has"
        for topic in set(entity.topics) - set(content.topics):
            yield (*place, "topics"), f"{entity.id}: no topic is called {topic}"
        for unsure in set(entity.unsure) - set(entity.names):
            yield (*place, "unsure"), f"{entity.id}: {unsure} is not among its names"
        if bool(entity.unsure) != bool(entity.context):
            yield place, f"{entity.id}: expected `unsure` and `context` together"
        shown = [names[0] for names in (entity.en, entity.zh_hans) if names]
        if not shown or any("#" in name for name in shown):
            yield place, f"{entity.id}: expected a first name, without #, in `en` or `zh_hans`"
    earlier: set[str] = set()
    for key, group in content.groups.items():
        yield from _group_faults(key, group, set(count) | earlier, content)
        earlier.add(key)


def _group_faults(
    key: str, group: Group, known: set[str], content: _File
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    place = ("groups", key)
    for field in ("members", "but"):
        for member in set(getattr(group, field)) - known:
            yield (*place, field), f"@{key}: {member} is neither an entity nor a group above this one"
    if group.every:
        for topic in set(group.every.topic) - set(content.topics):
            yield (*place, "every"), f"@{key}: no topic is called {topic}"
        if not any(group.every.takes(entity) for entity in content.entities):
            yield (*place, "every"), f"@{key}: selects no entity"
    if not group.every and not group.members:
        yield place, f"@{key}: expected `every` or `members`"


def _located(text: str, name: str, place: tuple[str | int, ...], message: str) -> str:
    """`message` with the line of `place` (keys and indexes from the top; a part that is not there ends the way)."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    line = 1
    for step in place:
        node = _child(node, step)
        if node is None:
            break
        line = node.start_mark.line + 1
    return f"{name}, line {line}: {'.'.join(str(step) for step in place)}: {message}"


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None
