"""What is known of a story, counted over its articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import select

from core.article import StoryFacts
from core.language import Language
from storage.pieces import pieces
from storage.schema import article

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction


def story_facts(tx: Transaction, story_ids: Collection[int]) -> dict[int, StoryFacts]:
    """Outlets, presses and the first press of each of the stories; a story without articles has the facts of none."""
    voices: dict[int, list[AnyRow]] = defaultdict(list)
    for piece in pieces(story_ids):
        said = select(article.c.story_id, article.c.outlet, article.c.language).where(article.c.story_id.in_(piece))
        for row in tx.connection.execute(said.order_by(article.c.at, article.c.id)):
            voices[row.story_id].append(row)
    return {story_id: _facts(story_id, voices[story_id]) for story_id in story_ids}


def _facts(story_id: int, voices: list[AnyRow]) -> StoryFacts:
    presses = [Language(row.language).press for row in voices]
    return StoryFacts(
        story_id=story_id,
        outlets=len({row.outlet for row in voices}),
        presses=frozenset(presses),
        first_press=presses[0] if presses else "",
    )
