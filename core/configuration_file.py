"""Reads config.yaml: all faults at once, each with file, line, key path, what was expected and the nearest key.

Single values may be set from the environment: JINGBAO__NETWORK__PROXY=http://127.0.0.1:7890 sets `network.proxy`.
What only other rooms can judge (queries, source keys) is checked by `checks`, handed down by console. They see the values that
parsed also where others have faults: `core/rough_values.py`.
"""

from __future__ import annotations

import difflib
import os
import ssl
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from core.config import SQLITE, Config, StorageConfig
from core.errors import ConfigError
from core.located_yaml import LocatedYaml, Problem, key_path, read_located_yaml
from core.redaction import hide_secrets_of, is_secret_key, masked_url
from core.rough_values import rough

Check = Callable[[Config], Iterable[Problem]]
"""A check across keys. It may be given values that are not validated: of the right type, or empty."""
Keys = tuple[str | int, ...]
ENVIRONMENT_PREFIX = "JINGBAO__"

# pydantic's own wording, said the way the rest of jingbao speaks.
_EXPECTED = {
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "string_type": "expected a text (put it in quotes)",
    "tuple_type": "expected a list (lines that start with -)",
    "list_type": "expected a list (lines that start with -)",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "path_type": "expected a path",
    "too_short": "expected at least one",
    "string_too_short": "expected some text",
    "missing": "this key is needed and missing",
}


def load_config(path: Path, checks: Sequence[Check] = (), environment: Mapping[str, str] | None = None) -> Config:
    """Read and check `path`; relative paths in it become absolute from its folder.

    Raises ConfigError holding every fault found, or saying that the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        advice = "Make one with `jingbao init`, or name another with --config"
        raise ConfigError([f"{path}: cannot be read: {reason}. {advice}"]) from error
    document = read_located_yaml(text, str(path))
    if not isinstance(document.value, dict):
        document.problems.append(Problem((), "expected keys and values at the top of the file"))
        raise _error(document, {})
    variables: dict[Keys, str] = {}
    values = _with_environment(document, os.environ if environment is None else environment, variables)
    config = _validated(values, document.problems)
    unchecked: Config = config or rough(Config, values)
    faulty = {problem.path for problem in document.problems}
    base = path.resolve().parent
    own: list[Check] = [_duplicates, _unknown_readers, partial(_files, base=base)]
    for check in (*own, *checks):
        document.problems.extend(found for found in check(unchecked) if not _inside(found.path, faulty))
    if config is None or document.problems:
        raise _error(document, variables)
    hide_secrets_of(config)
    return _with_whole_paths(config, base)


def _inside(path: Keys, faulty: set[Keys]) -> bool:
    """Whether a fault at this place or above it has been told."""
    return any(path[:length] in faulty for length in range(1, len(path) + 1))


def _with_whole_paths(config: Config, base: Path) -> Config:
    """Relative paths are relative to the file, so that it means the same wherever jingbao is started."""
    ca_file = config.network.ca_file and str(base / Path(config.network.ca_file).expanduser())
    network = config.network.model_copy(update={"ca_file": ca_file})
    url = config.storage.url
    if url.startswith(SQLITE):
        url = f"{SQLITE}{base / Path(url.removeprefix(SQLITE)).expanduser()}"
    whole = {"data_dir": (base / config.data_dir.expanduser()).resolve(), "network": network, "storage": StorageConfig(url=url)}
    file = config.log.file and str(base / Path(config.log.file).expanduser())
    return config.model_copy(update=whole | {"log": config.log.model_copy(update={"file": file})})


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` for the nearest of `known`, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def _error(document: LocatedYaml, variables: Mapping[Keys, str]) -> ConfigError:
    ordered = sorted(document.problems, key=lambda problem: document.place_of(problem.path))
    return ConfigError([_line(document, problem, variables) for problem in ordered])


def _line(document: LocatedYaml, problem: Problem, variables: Mapping[Keys, str]) -> str:
    """A fault of a value that an environment variable set names the variable, any other its place in the file."""
    path = problem.path
    name = next((variables[path[:length]] for length in range(len(path), 0, -1) if path[:length] in variables), None)
    return document.line_for(problem) if name is None else f"{name}: {key_path(path)}: {problem.message}"


def _with_environment(document: LocatedYaml, environment: Mapping[str, str], variables: dict[Keys, str]) -> dict[str, Any]:
    """The file's values with those of the environment in their place; `variables` learns which names set what."""
    values: dict[str, Any] = dict(document.value)
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        *sections, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        inner = values
        for section in sections:
            held = inner.get(section)
            inner[section] = dict(held) if isinstance(held, dict) else {}
            inner = inner[section]
        variables[(*sections, key)] = name
        read = read_located_yaml(environment[name], name) if environment[name].strip() else LocatedYaml(name, None)
        document.problems.extend(Problem((*sections, key), problem.message) for problem in read.problems)
        inner[key] = read.value
    return values


def _validated(values: dict[str, Any], problems: list[Problem]) -> Config | None:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        seen = {problem.path for problem in problems}
        for fault in error.errors(include_url=False):
            path = _existing(fault["loc"], values, missing=fault["type"] == "missing")
            echo = fault["type"] == "too_short" and fault["input"]  # its items' own faults are said already
            if path not in seen and not echo:  # a union reports once per member
                seen.add(path)
                problems.append(Problem(path, _message(fault, path)))
        return None


def _existing(loc: tuple[str | int, ...], values: Any, *, missing: bool) -> tuple[str | int, ...]:
    """The part of pydantic's location that is a path in the file (it adds names of union members)."""
    path: tuple[str | int, ...] = ()
    for part in loc:
        inside = isinstance(values, dict) and part in values
        inside = inside or (isinstance(values, list) and isinstance(part, int) and part < len(values))
        if not inside:
            return (*path, part) if missing else path
        values, path = values[part], (*path, part)
    return path


def _message(fault: Any, path: tuple[str | int, ...]) -> str:
    kind, text = fault["type"], str(fault["msg"])
    if is_secret_key(path) and kind != "extra_forbidden":
        return _EXPECTED.get(kind) or text.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        fields = sorted(_model_at(path[:-1]).model_fields)
        return f"unknown key.{nearest(str(path[-1]), fields) or ' Known here: ' + ', '.join(fields) + '.'}"
    if kind == "literal_error":
        return f"expected {fault['ctx']['expected']}, not {fault['input']!r}"
    if kind == "string_pattern_mismatch":
        if path[-1] == "country":
            return f"expected a country's two capital letters, as in CN, not {fault['input']!r}"
        return f"expected lower-case letters, digits and hyphens, not {fault['input']!r}"
    said = _EXPECTED.get(kind) or text.removeprefix("Value error, ").replace("Input should be", "expected a value")
    if kind == "missing" or isinstance(fault["input"], dict | list):
        return said
    return f"{said}, not {masked_url(repr(fault['input']))}"


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Config
    for part in path:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in typing.get_args(annotation) if (found := _model_in(inner))), None)


def _duplicates(config: Config) -> Iterable[Problem]:
    lists: tuple[tuple[tuple[str, ...], str, list[str]], ...] = (
        (("readers",), "key", [reader.key for reader in config.readers]),
        (("rules",), "name", [rule.name for rule in config.rules]),
        (("sources", "add"), "key", [source.key for source in config.sources.add]),
    )
    for path, key, names in lists:
        twice = {name for name, count in Counter(names).items() if count > 1}
        for index, name in enumerate(names):
            if name in twice and name in names[:index]:
                message = f'"{name}" is already the {key} of {path[-1]}[{names.index(name)}]; each needs its own'
                yield Problem((*path, index, key), message)


def _unknown_readers(config: Config) -> Iterable[Problem]:
    known = [reader.key for reader in config.readers]
    for number, rule in enumerate(config.rules):
        for place, name in enumerate(rule.readers):
            if name not in known:
                yield Problem(("rules", number, "readers", place), f'no reader has the key "{name}".{nearest(name, known)}')


def _files(config: Config, base: Path) -> Iterable[Problem]:
    """What the operator's own disk must hold, and what it must not."""
    if base.joinpath(Path(config.data_dir).expanduser()).is_file():
        yield Problem(("data_dir",), f"expected a folder; {config.data_dir} is a file")
    if config.network.ca_file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(base / Path(config.network.ca_file).expanduser())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield Problem(("network", "ca_file"), f"expected a file of certificates (PEM); {config.network.ca_file}: {reason}")
