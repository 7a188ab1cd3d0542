"""All a command needs to know before it opens anything: configuration, sources, watchlist, clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from console.notes import notes_on
from console.place import config_file
from core.article import Article
from core.clock import Clock, clock_from_environment
from core.config import Config
from core.configuration_file import load_config, nearest
from core.errors import ConfigError, QueryError
from core.located_yaml import Problem
from core.secrets import look_beside
from core.source import Source
from crawler.catalogue import Catalogue, choose, load_catalogue, problems
from lexicon.query import parse
from lexicon.watchlist import Watchlist, load_watchlist

VERSION = version("jingbao")


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked configuration and what it refers to. `sources` are those that are on."""

    path: Path
    config: Config
    catalogue: Catalogue
    sources: tuple[Source, ...]
    watchlist: Watchlist
    clock: Clock

    @property
    def zone(self) -> ZoneInfo:
        """The zone times are shown in on a terminal: the first reader's, else UTC."""
        return self.config.readers[0].tz if self.config.readers else ZoneInfo("UTC")

    def names_of(self, article: Article) -> list[str]:
        """Who and what an article mentions, in English names; the watchlist's families of words are left out."""
        entities = (self.watchlist.entities.get(mention) for mention in sorted(article.mentions))
        named = [entity for entity in entities if entity is not None and entity.kind != "words"]
        return [self.watchlist.gloss(entity.id, "en") or entity.id for entity in named]

    @property
    def notes(self) -> list[str]:
        """What is no fault and yet, most likely, not meant."""
        return notes_on(self.config, self.path)

    def source(self, key: str) -> Source | None:
        """A source that is on, by key."""
        return next((source for source in self.sources if source.key == key), None)


def load_settings(path: Path | None = None) -> Settings:
    """Read config.yaml (or the file JINGBAO_CONFIG names) and check all of it. Raises ConfigError with every fault."""
    path = config_file(path)
    look_beside(path)
    watchlist, catalogue = load_watchlist(), load_catalogue()

    def queries(config: Config) -> Iterable[Problem]:
        for number, rule in enumerate(config.rules):
            try:
                parse(rule.query, watchlist)
            except QueryError as error:
                yield Problem(("rules", number, "query"), str(error))

    def chosen_sources(config: Config) -> Iterable[Problem]:
        return problems(catalogue, config.sources)

    def proxy_groups(config: Config) -> Iterable[Problem]:
        for number, source in enumerate(config.sources.add):
            if source.proxy_group and source.proxy_group not in config.network.proxy_groups:
                known = config.network.proxy_groups
                message = f'network.proxy_groups has no "{source.proxy_group}".{nearest(source.proxy_group, known)}'
                yield Problem(("sources", "add", number, "proxy_group"), message)

    config = load_config(path, checks=(queries, chosen_sources, proxy_groups))
    sources = tuple(source for source in choose(catalogue, config.sources) if source.enabled)
    if not sources:
        raise ConfigError([f"{path}: sources: none is on, so there is nothing to collect"])
    return Settings(path, config, catalogue, sources, watchlist, clock_from_environment())
