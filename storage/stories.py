"""What is known of a story, counted over its articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.article import StoryFacts
from core.language import Language
from storage.pieces import pieces
from storage.schema import article

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction


def story_facts(tx: Transaction, story_ids: Collection[int]) -> dict[int, StoryFacts]:
    """Outlets, presses and the first press of each of the stories; a story without articles has the facts of none."""
    voices: dict[int, list[AnyRow]] = defaultdict(list)
    each = article.c.story_id, article.c.outlet, article.c.language
    for piece in pieces(story_ids):
        first = func.min(article.c.at).label("first"), func.min(article.c.id).label("id")
        for row in tx.connection.execute(select(*each, *first).where(article.c.story_id.in_(piece)).group_by(*each)):
            voices[row.story_id].append(row)
    return {story_id: _facts(story_id, voices[story_id]) for story_id in story_ids}


def _facts(story_id: int, voices: list[AnyRow]) -> StoryFacts:
    presses = {row.language: Language(row.language).press for row in voices}
    first = min(voices, key=lambda row: (row.first, row.id), default=None)
    return StoryFacts(
        story_id=story_id,
        outlets=len({row.outlet for row in voices}),
        presses=frozenset(presses.values()),
        first_press="" if first is None else presses[first.language],
    )
