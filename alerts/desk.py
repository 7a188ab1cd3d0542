"""The desk: one configuration's standing questions and who asked them, made ready once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from lexicon.mentions import MentionFinder
from lexicon.query import Query, parse
from lexicon.rulebook import RuleBook

if TYPE_CHECKING:
    from core.config import Config, Reader, Rule
    from lexicon.watchlist import Watchlist


@dataclass(frozen=True, slots=True)
class Desk:
    """Readers, the rules that are on with their queries read, and the watchlist they speak of.

    A reload makes another desk. Safe to use from any thread.
    """

    config: Config
    watchlist: Watchlist
    finder: MentionFinder
    readers: Mapping[str, Reader]
    rules: Mapping[str, Rule]
    queries: Mapping[str, Query]
    book: RuleBook

    @classmethod
    def of(cls, config: Config, watchlist: Watchlist, finder: MentionFinder | None = None) -> Self:
        """The desk of a configuration. Raises QueryError if a rule that is on has a query that cannot be read."""
        rules = {rule.name: rule for rule in config.rules if rule.enabled}
        queries = {name: parse(rule.query, watchlist) for name, rule in rules.items()}
        return cls(
            config=config,
            watchlist=watchlist,
            finder=finder or MentionFinder(watchlist),
            readers={reader.key: reader for reader in config.readers},
            rules=rules,
            queries=queries,
            book=RuleBook(queries),
        )

    def readers_of(self, rule: Rule) -> list[Reader]:
        """Who gets a rule's mails; a rule that names nobody is for everybody."""
        return [reader for key, reader in self.readers.items() if not rule.readers or key in rule.readers]

    def rules_of(self, reader: Reader) -> list[Rule]:
        """A reader's rules, in the order of the configuration, which is the order of a digest's sections."""
        return [rule for rule in self.rules.values() if not rule.readers or reader.key in rule.readers]
