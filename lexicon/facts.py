"""The parts of a query that speak of the article itself: `field:value`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.language import Language
from lexicon.expression import (
    AuthorIs,
    Expression,
    LanguageIs,
    PublishedBefore,
    PublishedFrom,
    PublishedWithin,
    SourceIs,
    StoryFirst,
    StoryOutlets,
    StoryPresses,
)
from lexicon.folding import fold
from lexicon.lexer import Kind, Lexeme, Refused
from lexicon.terms import suggestion, topic
from lexicon.tokens import words

if TYPE_CHECKING:
    from lexicon.watchlist import Watchlist

_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_SPAN = re.compile(r"(\d{1,4})([hdw])", re.IGNORECASE)
_SPAN_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_COUNT = re.compile(r"(>=|<=|>|<|=|)\s*(\d{1,6})")
_LANGUAGES = {
    "zh": frozenset({Language.ZH_HANS, Language.ZH_HANT}),
    **{str(language).lower(): frozenset({language}) for language in Language},
}
_STORIES = {
    "zh-only": StoryPresses(frozenset({"zh"}), frozenset({"en"})),
    "en-only": StoryPresses(frozenset({"en"}), frozenset({"zh"})),
    "both": StoryPresses(frozenset({"zh", "en"}), frozenset()),
}


def fact(name: Lexeme, value: Lexeme, watchlist: Watchlist) -> Expression:
    """What `name:value` says. Raises Refused if there is no such field, or the value is none of its own."""
    reader = _READERS.get(name.text)
    if name.text != "topic" and reader is None:
        hint = suggestion(name.text, FIELDS) or f"Fields are {', '.join(FIELDS)}."
        raise Refused(f"There is no field {name.text}", name.start, f'{hint} For the text itself, put it in "quotes".')
    if value.kind not in {Kind.WORD, Kind.QUOTED} or not value.text.strip():
        example = f"({name.text}:A OR {name.text}:B)" if value.kind is Kind.OPEN else f"{name.text}:VALUE"
        raise Refused(f"{name.text}: needs one value", value.start, f"Write it as in {example}.")
    return topic(value, watchlist) if reader is None else reader(value)


def _source(value: Lexeme) -> SourceIs:
    return SourceIs(fold(value.text).strip())


def _author(value: Lexeme) -> AuthorIs:
    name = words(fold(value.text))
    if name is None:
        raise Refused("by: needs a name", value.start, 'As in by:"Zhang San" or by:张三.')
    return AuthorIs(name)


def _language(value: Lexeme) -> LanguageIs:
    languages = _LANGUAGES.get(value.text.lower())
    if languages is None:
        raise Refused(f"No language is called {value.text}", value.start, "Write zh, zh-Hans, zh-Hant, en or other.")
    return LanguageIs(languages)


def _after(value: Lexeme) -> PublishedFrom:
    return PublishedFrom(_moment(value))


def _before(value: Lexeme) -> PublishedBefore:
    return PublishedBefore(_moment(value))


def _moment(value: Lexeme) -> datetime:
    """The start of a year, month or day in UTC, or a moment with a time of day (UTC if it names no zone)."""
    hint = "Write 2026, 2026-01, 2026-01-20 or 2026-01-20T08:00+08:00; for the last days since:7d."
    date = _DATE.fullmatch(value.text)
    try:
        if date:
            return datetime(int(date[1]), int(date[2] or 1), int(date[3] or 1), tzinfo=UTC)
        moment = datetime.fromisoformat(value.text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"{value.text} is no date", value.start, hint) from None


def _since(value: Lexeme) -> PublishedWithin:
    span = _SPAN.fullmatch(value.text)
    if span is None:
        hint = "Write hours, days or weeks, as in since:12h, since:7d or since:2w; for a date after:2026-01-20."
        raise Refused(f"{value.text} is no span of time", value.start, hint)
    return PublishedWithin(int(span[1]) * _SPAN_UNITS[span[2].lower()])


def _story(value: Lexeme) -> StoryPresses:
    story = _STORIES.get(value.text.lower())
    if story is None:
        raise Refused(f"story:{value.text} says nothing", value.start, "Write story:zh-only, story:en-only or story:both.")
    return story


def _first(value: Lexeme) -> StoryFirst:
    press = value.text.lower()
    if press not in {"zh", "en"}:
        raise Refused(f"first:{value.text} says nothing", value.start, "Write first:zh or first:en.")
    return StoryFirst(press)


def _outlets(value: Lexeme) -> StoryOutlets:
    count = _COUNT.fullmatch(value.text.replace("≥", ">=").replace("≤", "<="))
    if count is None:
        raise Refused(f"{value.text} is no number of outlets", value.start, "Write outlets:>=2, outlets:<5 or outlets:1.")
    number = int(count[2])
    least, most = {
        ">=": (number, None),
        ">": (number + 1, None),
        "<=": (0, number),
        "<": (0, number - 1),
    }.get(count[1], (number, number))
    return StoryOutlets(least, most)


_READERS: dict[str, Callable[[Lexeme], Expression]] = {
    "source": _source,
    "lang": _language,
    "by": _author,
    "after": _after,
    "before": _before,
    "since": _since,
    "story": _story,
    "first": _first,
    "outlets": _outlets,
}
FIELDS = ("title", "topic", *_READERS)
"""Every name that may stand before a colon."""
