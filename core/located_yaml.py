"""YAML that remembers where each value stood, so that an error can name file, line and key.

PyYAML's composer gives nodes with marks; this turns them into plain values and a map from key path to place. Stricter
than YAML for the operator's sake: a key written twice, an alias and a tag are errors (aliases can grow without bound).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
AGAIN = "\0again"  # the place of a key's second writing
MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 50
_TAGS = {"str", "int", "float", "bool", "null", "seq", "map", "timestamp"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault at a key path; shown as `file:line:column: key.path: message`."""

    path: Path
    message: str


@dataclass(frozen=True)
class LocatedYaml:
    """A document's plain `value`, the (line, column) of each key path (1-based), and the faults found on the way."""

    name: str
    value: Any
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place_of(self, path: Path) -> tuple[int, int]:
        """(line, column) of the nearest key at or above `path`."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def line_for(self, problem: Problem) -> str:
        """The problem in one line, at the nearest place that exists."""
        line, column = self.place_of(problem.path)
        keys = key_path(tuple(part for part in problem.path if part != AGAIN))
        return f"{self.name}:{line}:{column}: {keys + ': ' if keys else ''}{problem.message}"


def key_path(path: Path) -> str:
    """A key path as people write it: `rules[2].query`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_located_yaml(text: str, name: str) -> LocatedYaml:
    """Read one YAML document; `name` is the file's name for messages. Never raises: faults are in `problems`."""
    document = LocatedYaml(name, {})
    if len(text) > MAX_CHARACTERS:
        document.problems.append(Problem((), f"longer than {MAX_CHARACTERS:,} characters; this is not a configuration"))
        return document
    try:
        if (mark := _too_deep(text)) is not None:
            document.places[()] = (mark.line + 1, mark.column + 1)
            document.problems.append(Problem((), f"more than {MAX_DEPTH} levels lie inside each other here; write it flatter"))
            return document
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            document.places[()] = (mark.line + 1, mark.column + 1)
        what = getattr(error, "problem", None) or str(error)
        document.problems.append(Problem((), f"not YAML: {what}. Look at indentation, colons and quotes near this place"))
        return document
    value = _plain(node, (), document, set(), loader) if node is not None else {}
    return LocatedYaml(name, value, document.places, document.problems)


def _too_deep(text: str) -> Any:
    """The mark where the values go too deep, or None: found without going down, since PyYAML's composer falls off the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return event.start_mark
    return None


def _plain(node: yaml.Node, path: Path, out: LocatedYaml, seen: set[int], loader: yaml.CSafeLoader) -> Any:
    out.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if id(node) in seen:
        out.problems.append(Problem(path, "aliases (*name) are not read here; write the value out"))
        return None
    seen.add(id(node))
    if node.tag.rpartition(":")[2] not in _TAGS:
        out.problems.append(Problem(path, f"the tag {node.tag} is not read here; write a plain value"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, out, seen, loader)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), out, seen, loader) for index, child in enumerate(node.value)]
    if node.tag.endswith(":timestamp"):  # a date stays the text it was written as
        return node.value
    return loader.construct_object(node)


def _mapping(
    node: yaml.MappingNode, path: Path, out: LocatedYaml, seen: set[int], loader: yaml.CSafeLoader
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if key in values:
            first_line = out.places[(*path, key)][0]
            again = (*path, key, AGAIN)
            out.places[again] = place
            out.problems.append(Problem(again, f"this key is written twice; the first is in line {first_line}"))
            continue
        out.places[(*path, key)] = place
        values[key] = _plain(value_node, (*path, key), out, seen, loader)
    return values
