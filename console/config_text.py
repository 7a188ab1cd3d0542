"""The text of a configuration with a value changed where it stands, so that comments, rules and order stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from core.located_yaml import read_located_yaml

_NOTE = "# How mails leave: docs/guides/alerts-and-mail.md. To try it: `jingbao test-email`."
_SHIPPED_NOTE = "# Mails are kept as .eml and .html files in data/mail until a server is named here."
_OWN_NOTES = {_NOTE, _SHIPPED_NOTE}


def read_values(text: str) -> dict[str, Any]:
    """A configuration's values; empty if it is none."""
    document = read_located_yaml(text, "")
    return document.value if isinstance(document.value, dict) and not document.problems else {}


def with_value(text: str, section: str, key: str, value: Any) -> str:
    """The text with one value changed: in its line if that can be, else the section is written anew."""
    wanted = _changed(read_values(text), section, key, value)
    edited = "\n".join(_with_line(text.splitlines(), section, key, value)) + "\n"
    return edited if read_values(edited) == wanted else _with_section(text, section, wanted[section])


def _changed(values: dict[str, Any], section: str, key: str, value: Any) -> dict[str, Any]:
    held = values.get(section)
    if section == key:
        return {**values, key: value}
    if section == "readers":
        first, *others = held or [{"key": "me"}]
        return {**values, section: [{**first, key: value}, *others]}
    return {**values, section: {**(held or {}), key: value}}


def _with_section(text: str, section: str, value: Any) -> str:
    """The text with a section written anew; its own comments are lost."""
    lines = text.splitlines()
    start, end = _span(lines, section)
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join([*lines[:start], *_block(section, value), *lines[end:]]) + "\n"


def _block(section: str, value: Any) -> list[str]:
    return yaml.safe_dump({section: value}, allow_unicode=True, sort_keys=False, width=120).splitlines()


def _span(lines: list[str], section: str) -> tuple[int, int]:
    """Where a top-level section begins and ends; both are the file's end if it has none."""
    start = next((number for number, line in enumerate(lines) if line.startswith(f"{section}:")), len(lines))
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " -"):
        end += 1
    return start, min(end, len(lines))


def _with_line(lines: list[str], section: str, key: str, value: Any) -> list[str]:
    """The lines with one value changed: the first `key` of a section, its comment staying where it stood."""
    start, end = _span(lines, section)
    shape = re.compile(rf"(\s*(?:- )?{key}:\s*)(.*?)(\s+#.*)?$")
    for number in range(start, end):
        if found := shape.fullmatch(lines[number]):
            return [*lines[:number], _line(lines[number], found, value), *lines[number + 1 :]]
    head = f"{key}: {_scalar(value)}"
    if section == key:
        return [*lines[:1], head, *lines[1:]]
    if start == len(lines):
        return [*lines, f"{section}:", f"  {head}"]
    first = re.match(r"(\s*)- ", lines[start + 1]) if start + 1 < end else None
    place, indent = (start + 2, first[1] + "  ") if first else (start + 1, "  ")
    return [*lines[:place], indent + head, *lines[place:]]


def _line(line: str, found: re.Match[str], value: Any) -> str:
    try:
        if yaml.safe_load(found[2]) == value:
            return line
    except yaml.YAMLError:
        pass  # a value that goes on in the next line
    changed, comment = f"{found[1]}{_scalar(value)}", (found[3] or "").strip()
    width = len(line) - len(comment)
    return f"{changed:<{width}}{'' if len(changed) < width else '  '}{comment}".rstrip()


def with_mail(text: str, mail: Mapping[str, Any]) -> str:
    """The text with the section of mail replaced, and the note above it; unchanged if `mail` is empty."""
    if not mail:
        return text
    lines = text.splitlines()
    start, end = _span(lines, "mail")
    above = start - 1 if start and lines[start - 1] in _OWN_NOTES else start
    while end > start and not lines[end - 1].strip():
        end -= 1
    return "\n".join([*lines[:above], _NOTE, *_block("mail", dict(mail)), *lines[end:]]) + "\n"


def _scalar(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if value == "":
        return '""'
    written = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return written.removesuffix("\n").removesuffix("\n...")
