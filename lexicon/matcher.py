"""What a query means. Alerts and relevance ask here; search asks an index that gives the same answer (lexicon/plan.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lexicon.expression import (
    And,
    AuthorIs,
    Field,
    LanguageIs,
    Mention,
    Near,
    Not,
    Or,
    PublishedBefore,
    PublishedFrom,
    PublishedWithin,
    SourceIs,
    StoryFirst,
    StoryOutlets,
    StoryPresses,
    Term,
)
from lexicon.places import Place, near, places

if TYPE_CHECKING:
    from datetime import datetime

    from lexicon.expression import Expression, Fact
    from lexicon.query import Query
    from lexicon.subject import Subject

_BOTH = (Field.TITLE, Field.TEXT)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place because of which a query matched: characters `start` to `end` (excluded) of the original title or text.

    `term` is the word or phrase of the query, as typed.
    """

    field: Field
    start: int
    end: int
    term: str


def matches(query: Query, subject: Subject, now: datetime) -> bool:
    """Whether `subject` is what `query` asks for; `now` (aware UTC) is what `since:` counts from."""
    return _holds(query.root, subject, now)


def _holds(node: Expression, subject: Subject, now: datetime) -> bool:
    match node:
        case Term():
            return any(_found(node, subject, field) for field in _fields(node))
        case Mention():
            return not node.entities.isdisjoint(subject.mentions)
        case And(parts):
            return all(_holds(part, subject, now) for part in parts)
        case Or(parts):
            return any(_holds(part, subject, now) for part in parts)
        case Not(part):
            return not _holds(part, subject, now)
        case Near():
            return any(_near_places(node, subject, field) for field in _fields(node.left[0]))
        case _:
            return _is_so(node, subject, now)


def _is_so(fact: Fact, subject: Subject, now: datetime) -> bool:
    at, story = subject.at, subject.story
    match fact:
        case SourceIs(name):
            return name in subject.names
        case LanguageIs(languages):
            return subject.language in languages
        case AuthorIs(words):
            return any(words.needle in author for author in subject.author_indexes)
        case PublishedFrom(moment):
            return at is not None and at >= moment
        case PublishedBefore(moment):
            return at is not None and at < moment
        case PublishedWithin(span):
            return at is not None and at >= now - span
        case StoryPresses(present, absent):
            return present <= story.presses and absent.isdisjoint(story.presses)
        case StoryFirst(press):
            return story.first_press == press
        case StoryOutlets(least, most):
            return least <= story.outlets and (most is None or story.outlets <= most)


def _fields(term: Term) -> tuple[Field, ...]:
    return _BOTH if term.field is None else (term.field,)


def _found(term: Term, subject: Subject, field: Field) -> bool:
    index = subject.index(field)
    return any(form.needle in index for form in term.forms)


def hits(query: Query, subject: Subject, now: datetime) -> list[Hit]:
    """Every place that made `query` match, title first, in order; none if it does not match.

    Of an OR only the sides that hold count, of a NOT nothing. Facts and mentions have no places here (MentionFinder has).
    """
    if not matches(query, subject, now):
        return []
    found = {hit: None for node in _reasons(query.root, subject, now) for hit in _hits(node, subject)}
    return sorted(found, key=lambda hit: (_BOTH.index(hit.field), hit.start, hit.end))


def _reasons(node: Expression, subject: Subject, now: datetime) -> Iterator[Term | Near]:
    """The words because of which `node`, which holds, holds."""
    match node:
        case Term() | Near():
            yield node
        case And(parts) | Or(parts):
            for part in parts:
                if _holds(part, subject, now):
                    yield from _reasons(part, subject, now)
        case _:
            return


def _hits(node: Term | Near, subject: Subject) -> Iterator[Hit]:
    for field in _fields(node if isinstance(node, Term) else node.left[0]):
        found = _term_places([node], subject, field) if isinstance(node, Term) else _near_places(node, subject, field)
        yield from (Hit(field, place.start, place.end, term.typed) for term, place in found)


def _term_places(terms: Iterable[Term], subject: Subject, field: Field) -> list[tuple[Term, Place]]:
    index, tokens = subject.index(field), subject.tokens(field)
    forms = ((term, form) for term in terms for form in term.forms if form.needle in index)
    return [(term, place) for term, form in forms for place in places(form, tokens)]


def _near_places(node: Near, subject: Subject, field: Field) -> list[tuple[Term, Place]]:
    """The places of both sides that have one of the other side near; empty if there are none."""
    if not all(any(_found(term, subject, field) for term in side) for side in (node.left, node.right)):
        return []
    left, right = (_term_places(side, subject, field) for side in (node.left, node.right))
    left_places, right_places = ([place for _, place in side] for side in (left, right))
    close = {*near(left_places, right_places, node.distance), *near(right_places, left_places, node.distance)}
    return [(term, place) for term, place in (*left, *right) if place in close]
