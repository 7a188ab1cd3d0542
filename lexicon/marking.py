"""Where to mark an article found by a query: its words, and the names of the concepts it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lexicon.expression import And, Field, Mention, Or
from lexicon.matcher import Hit, hits

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lexicon.expression import Expression
    from lexicon.mentions import MentionFinder
    from lexicon.query import Query
    from lexicon.subject import Subject


def marked(queries: Iterable[Query], subject: Subject, finder: MentionFinder, now: datetime) -> list[Hit]:
    """The hits of the queries' words, and the places of the entities they ask for by name, each once; the title's first."""
    queries = list(queries)
    found = [hit for query in queries for hit in hits(query, subject, now)]
    wanted = frozenset[str]().union(*(concepts(query.root) for query in queries)) & subject.mentions
    if wanted:
        spans = finder.spans(subject.title, subject.text)
        found += [
            Hit(Field.TITLE if span.in_title else Field.TEXT, span.start, span.end, span.entity)
            for span in spans
            if span.entity in wanted
        ]
    places = {(hit.field, hit.start, hit.end): hit for hit in found}
    return sorted(places.values(), key=lambda hit: (hit.field is not Field.TITLE, hit.start, -hit.end))


def concepts(node: Expression) -> frozenset[str]:
    """The entities a query asks for by concept or topic; those it excludes are not among them."""
    match node:
        case Mention(entities=entities):
            return entities
        case And(parts) | Or(parts):
            return frozenset[str]().union(*map(concepts, parts))
        case _:
            return frozenset()
