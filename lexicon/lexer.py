"""A query as typed, divided into lexemes. Full-width signs, as Chinese keyboards give them, are read like their ASCII forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a lexeme is."""

    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()  # text: the number, or empty
    FIELD = auto()  # text: the field's name; its value is the next lexeme
    CONCEPT = auto()  # text: without the @
    QUOTED = auto()  # text: without the quotes; a star behind the closing one stays
    WORD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One lexeme; `start` is the 0-based character of the query where it begins."""

    kind: Kind
    text: str
    start: int

    @property
    def sign(self) -> str:
        """How a sign that joins or groups is written; empty for everything else."""
        return "NEAR" if self.kind is Kind.NEAR else self.text if self.kind in _SIGNS else ""


_SIGNS = {Kind.OPEN, Kind.CLOSE, Kind.AND, Kind.OR, Kind.NOT}


class Refused(Exception):  # noqa: N818  (becomes a QueryError once the whole query is at hand)
    """Something at `start` cannot be read; `hint` says what would work."""

    def __init__(self, message: str, start: int, hint: str) -> None:
        self.message = message
        self.start = start
        self.hint = hint
        super().__init__(message)


# One character to one, so that places stay true. The Chinese comma and full stop divide words as a space does.
_PLAIN = str.maketrans(
    {point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "−–－"), "-")
    | dict.fromkeys(map(ord, "\u3000，、。；！？"), " ")
)
FIELD_NAMES_IN_CHINESE = {
    "标题": "title", "標題": "title", "来源": "source", "來源": "source", "语言": "lang", "語言": "lang",
    "主题": "topic", "主題": "topic", "作者": "by",
}  # fmt: skip
_QUOTES = '"“”„‟「」『』'
_PAIRED = '"[^"]*"|“[^“”]*”|「[^「」]*」|『[^『』]*』'
_END = rf"(?=[\s(){_QUOTES}]|$)"
_WORD = rf"[^\s(){_QUOTES}]"
_LEXEME = re.compile(
    rf"""(?P<OPEN>\() | (?P<CLOSE>\))
    | (?P<AND>AND){_END} | (?P<OR>OR){_END} | (?P<NOT>NOT{_END}|-(?!\s|$))
    | NEAR(?:/(?P<NEAR>{_WORD}*))?{_END}
    | (?P<FIELD>[A-Za-z_]+|{"|".join(FIELD_NAMES_IN_CHINESE)}):\s*
    | @(?P<CONCEPT>{_WORD}*)
    | (?P<QUOTED>(?:{_PAIRED}|[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}])\*?)
    | (?P<unclosed>[{_QUOTES}])
    | (?P<WORD>{_WORD}+)""",
    re.VERBOSE,
)
_VALUE = re.compile(rf"(?P<QUOTED>{_PAIRED})|(?P<WORD>{_WORD}+)")
_TERM_FIELDS = {"title"}


def lexemes(query: str) -> Iterator[Lexeme]:
    """The lexemes of a query, the last one of kind END. Raises Refused for a quote that is never closed."""
    text = query.translate(_PLAIN)
    start = _skip_space(text, 0)
    while start < len(text):
        found = _LEXEME.match(text, start)
        assert found, "the last alternative takes whatever the others leave"
        lexeme = _lexeme(found)
        yield lexeme
        start = found.end()
        if lexeme.kind is Kind.FIELD and lexeme.text not in _TERM_FIELDS and (value := _VALUE.match(text, start)):
            # A value is taken whole: in `source:a:b` and `after:2026-01-05T08:00` the second colon is part of it.
            yield _lexeme(value)
            start = value.end()
        start = _skip_space(text, start)
    yield Lexeme(Kind.END, "", len(query.rstrip()))


def _lexeme(found: re.Match[str]) -> Lexeme:
    name = found.lastgroup or "NEAR"  # the number behind NEAR is the one group that may be absent
    text = found[name] or ""
    if name == "unclosed":
        raise Refused("This quotation mark is never closed", found.start(), 'Close it, as in "export controls".')
    if name == "QUOTED":
        text = text[1:].rstrip("*")[:-1] + "*" * text.endswith("*")
    if name == "FIELD":
        text = FIELD_NAMES_IN_CHINESE.get(text.lower(), text.lower())
    return Lexeme(Kind[name], text, found.start())


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start
