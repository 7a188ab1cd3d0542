"""What a query is made of: the nodes of its tree, frozen values without behaviour. Their meaning is in lexicon/matcher.py.

Expression
├── And, Or, Not            of expressions
├── Term                    words in the title or the text
├── Near                    two groups of words at most so far apart
├── Mention                 the article mentions one of these entities (@concept, topic:)
└── a fact about the article
    ├── SourceIs, LanguageIs, AuthorIs
    ├── PublishedFrom, PublishedBefore, PublishedWithin
    └── StoryPresses, StoryFirst, StoryOutlets
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from core.language import Language
from lexicon.tokens import Words


class Field(StrEnum):
    """The two texts of an article; the index has a column for each."""

    TITLE = "title"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase as typed, sought in `field` (None: either) in any of its `forms` (never empty; first the typed one)."""

    typed: str
    forms: tuple[Words, ...]
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A term of `left` and a term of `right` in one field, in either order, not overlapping, with at most `distance` words or
    Han characters between them. All the terms have the same `field`.
    """

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Mention:
    """The article mentions at least one of `entities` (watchlist ids); `typed` is `@name` or `topic:name`."""

    typed: str
    entities: frozenset[str]


@dataclass(frozen=True, slots=True)
class SourceIs:
    """The source's key or the outlet's name, folded, is `name` (folded)."""

    name: str


@dataclass(frozen=True, slots=True)
class LanguageIs:
    """The article's language is one of these."""

    languages: frozenset[Language]


@dataclass(frozen=True, slots=True)
class AuthorIs:
    """One of the authors' names holds these words."""

    words: Words


@dataclass(frozen=True, slots=True)
class PublishedFrom:
    """The article's moment (`Article.at`) is `moment` (aware UTC) or later."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class PublishedBefore:
    """The article's moment (`Article.at`) is before `moment` (aware UTC)."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class PublishedWithin:
    """The article's moment (`Article.at`) is at most `span` before now."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class StoryPresses:
    """The story is carried by all presses of `present` and by none of `absent` (`zh`, `en`)."""

    present: frozenset[str]
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoryFirst:
    """The story was first carried by `press` (`zh` or `en`)."""

    press: str


@dataclass(frozen=True, slots=True)
class StoryOutlets:
    """The story's number of outlets is in `least`..`most`, both included (`most` None: no bound)."""

    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """`part` is not so."""

    part: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of `parts` (two or more) are so."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of `parts` (two or more) is so."""

    parts: tuple[Expression, ...]


PublishedAt: TypeAlias = PublishedFrom | PublishedBefore | PublishedWithin
StoryIs: TypeAlias = StoryPresses | StoryFirst | StoryOutlets
Fact: TypeAlias = SourceIs | LanguageIs | AuthorIs | PublishedAt | StoryIs
Expression: TypeAlias = And | Or | Not | Term | Near | Mention | Fact
