"""What a query means. Alerts and relevance ask here; search asks an index that gives the same answer (lexicon/plan.py)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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

Index: TypeAlias = Mapping[Field, Container[str]]
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


def matches(query: Query, subject: Subject, now: datetime, index: Index | None = None) -> bool:
    """Whether `subject` is what `query` asks for; `now` (aware UTC) is what `since:` counts from.

    `index` is by field what holds the needles that stand in the subject; None: its own index texts are searched.
    """
    return _Reading(subject, now, index or subject.indexes).holds(query.root)


def hits(query: Query, subject: Subject, now: datetime) -> list[Hit]:
    """Every place because of which `query` matches, title first, in order; none if it does not match.

    Of an OR only the sides that hold count, of a NOT nothing. Facts and mentions have no places here (MentionFinder has).
    """
    reading = _Reading(subject, now, subject.indexes)
    found = set(reading.hits(query.root)) if reading.holds(query.root) else set()
    return sorted(found, key=lambda hit: (_BOTH.index(hit.field), hit.start, hit.end, hit.term))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A subject under a query's eyes."""

    subject: Subject
    now: datetime
    index: Index

    def holds(self, node: Expression) -> bool:
        match node:
            case Term():
                return any(self._has(node, field) for field in _fields(node))
            case Mention():
                return not node.entities.isdisjoint(self.subject.mentions)
            case And():
                return all(map(self.holds, node.parts))
            case Or():
                return any(map(self.holds, node.parts))
            case Not():
                return not self.holds(node.part)
            case Near():
                return any(self._near(node, field) for field in _fields(node.left[0]))
            case _:
                return self._is_so(node)

    def _is_so(self, fact: Fact) -> bool:
        subject, at, story = self.subject, self.subject.at, self.subject.story
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
                return at is not None and at >= self.now - span
            case StoryPresses(present, absent):
                return present <= story.presses and absent.isdisjoint(story.presses)
            case StoryFirst(press):
                return story.first_press == press
            case StoryOutlets(least, most):
                return least <= story.outlets and (most is None or story.outlets <= most)

    def _has(self, term: Term, field: Field) -> bool:
        index = self.index[field]
        return any(form.needle in index for form in term.forms)

    def _near(self, node: Near, field: Field) -> list[tuple[Term, Place]]:
        """The places of both sides that have one of the other side near; empty if there are none."""
        if not all(any(self._has(term, field) for term in side) for side in (node.left, node.right)):
            return []
        left, right = self._places(node.left, field), self._places(node.right, field)
        left_places, right_places = ([place for _, place in side] for side in (left, right))
        close = {*near(left_places, right_places, node.distance), *near(right_places, left_places, node.distance)}
        return [(term, place) for term, place in (*left, *right) if place in close]

    def _places(self, terms: Iterable[Term], field: Field) -> list[tuple[Term, Place]]:
        index, texts = self.index[field], self.subject.token_texts(field)
        forms = ((term, form) for term in terms for form in term.forms if form.needle in index)
        return [(term, place) for term, form in forms for place in places(form, texts)]

    def hits(self, node: Expression) -> Iterator[Hit]:
        """The hits of a node that holds."""
        match node:
            case And(parts) | Or(parts):
                for part in filter(self.holds, parts):
                    yield from self.hits(part)
            case Term():
                for field in _fields(node):
                    yield from self._marked(self._places([node], field), field)
            case Near():
                for field in _fields(node.left[0]):
                    yield from self._marked(self._near(node, field), field)
            case _:
                return

    def _marked(self, found: Iterable[tuple[Term, Place]], field: Field) -> Iterator[Hit]:
        for term, place in found:
            yield Hit(field, *place.span(self.subject.tokens(field)), term.typed)


def _fields(term: Term) -> tuple[Field, ...]:
    return _BOTH if term.field is None else (term.field,)
