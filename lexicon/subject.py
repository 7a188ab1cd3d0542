"""What a query is asked about: an article or a draft, folded and divided into tokens once, when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from core.article import StoryFacts
from core.language import Language
from lexicon.expression import Field
from lexicon.folding import fold
from lexicon.tokens import Token, index_text, tokens

if TYPE_CHECKING:
    from core.article import Article


@dataclass(frozen=True)
class Subject:
    """Everything a query can ask of an article.

    `text` is the article's body (its summary where it has no text); `source` the source's key; `mentions` watchlist ids;
    `at` the moment it is sorted by (aware UTC), None for a draft without one.
    """

    title: str
    text: str
    source: str = ""
    outlet: str = ""
    language: Language = Language.OTHER
    authors: tuple[str, ...] = ()
    mentions: frozenset[str] = frozenset()
    at: datetime | None = None
    story: StoryFacts = field(default_factory=lambda: StoryFacts(0))

    @classmethod
    def of_article(cls, article: Article) -> Subject:
        """An article of the archive as a subject."""
        return cls(
            title=article.title,
            text=article.body,
            source=article.source,
            outlet=article.outlet,
            language=article.language,
            authors=article.authors,
            mentions=article.mentions,
            at=article.at,
            story=article.story,
        )

    @classmethod
    def of_text(
        cls,
        title: str,
        text: str,
        *,
        source: str = "",
        outlet: str = "",
        language: Language = Language.OTHER,
        authors: tuple[str, ...] = (),
        mentions: frozenset[str] = frozenset(),
        at: datetime | None = None,
    ) -> Subject:
        """A draft as a subject: it belongs to no story yet."""
        return cls(title, text, source, outlet, language, authors, mentions, at)

    @cached_property
    def title_index(self) -> str:
        """The title's `index_text` with a space before and behind: what a `Words.needle` is looked for in."""
        return f" {index_text(fold(self.title))} "

    @cached_property
    def text_index(self) -> str:
        """The text's `index_text` with a space before and behind."""
        return f" {index_text(fold(self.text))} "

    @cached_property
    def author_indexes(self) -> tuple[str, ...]:
        """Each author's `index_text` with a space before and behind."""
        return tuple(f" {index_text(fold(author))} " for author in self.authors)

    @cached_property
    def names(self) -> frozenset[str]:
        """The source's key and the outlet's name, folded: what `source:` compares."""
        return frozenset(fold(name) for name in (self.source, self.outlet) if name)

    @cached_property
    def title_tokens(self) -> list[Token]:
        """The title's tokens with their places in the title."""
        return tokens(fold(self.title))

    @cached_property
    def text_tokens(self) -> list[Token]:
        """The text's tokens with their places in the text."""
        return tokens(fold(self.text))

    @cached_property
    def indexes(self) -> Mapping[Field, str]:
        """`title_index` and `text_index` by field."""
        return {Field.TITLE: self.title_index, Field.TEXT: self.text_index}

    @cached_property
    def _token_texts(self) -> Mapping[Field, list[str]]:
        return {field: index.split() for field, index in self.indexes.items()}

    def token_texts(self, which: Field) -> list[str]:
        """The token texts of title or text, in order."""
        return self._token_texts[which]

    def tokens(self, which: Field) -> list[Token]:
        """`title_tokens` or `text_tokens`."""
        return self.title_tokens if which is Field.TITLE else self.text_tokens

    def original(self, which: Field) -> str:
        """The title or the text as it is."""
        return self.title if which is Field.TITLE else self.text
