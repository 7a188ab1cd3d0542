"""To find out at once where the machine is: a dozen of the catalogue's sites are asked for the head of their feed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from console.settings import VERSION
from core.config import Config, NetworkConfig
from core.document import DocumentKind
from core.errors import FetchError
from core.source import Reach, Source
from crawler.catalogue import load_catalogue
from crawler.net.manners import Manners
from crawler.reach import Answer, Location, spoke, where

FOREIGN, NEAR = 6, 6
_PATIENCE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the machine seems to be, and how many of the sites asked answered."""

    location: Location
    answers: Sequence[Answer]

    @property
    def counts(self) -> dict[str, int]:
        """Sites that do not answer from the mainland (`far`) and others (`near`): those that answered, and those asked."""
        far = [each.answered for each in self.answers if each.reach is Reach.NOT_FROM_MAINLAND]
        near = [each.answered for each in self.answers if each.reach is not Reach.NOT_FROM_MAINLAND]
        return {"far": sum(far), "far_asked": len(far), "near": sum(near), "near_asked": len(near)}


async def find_location(proxy: str = "", ca_file: str = "") -> Finding:
    """Ask a dozen sites; nothing but the heads of their answers is read."""
    config = Config(network=NetworkConfig(proxy=proxy, ca_file=ca_file, timeout_seconds=_PATIENCE_SECONDS))
    manners = Manners.from_config(config, VERSION)
    try:
        answers = await asyncio.gather(*(_ask(manners, source) for source in witnesses(load_catalogue().sources("all"))))
    finally:
        await manners.close()
    return Finding(where("auto", answers), answers)


def witnesses(sources: Iterable[Source]) -> list[Source]:
    """Feeds of different hosts: some that do not answer from the mainland, some of the mainland's own."""
    chosen: dict[bool, dict[str, Source]] = {True: {}, False: {}}
    for source in sources:
        foreign = source.reach is Reach.NOT_FROM_MAINLAND
        if source.kind == "feed" and (foreign or source.country == "CN"):
            chosen[foreign].setdefault(urlsplit(source.url).hostname or "", source)
    return [*chosen[True].values()][:FOREIGN] + [*chosen[False].values()][:NEAR]


async def _ask(manners: Manners, source: Source) -> Answer:
    request = replace(manners.request_for(source, kind=DocumentKind.FEED), method="HEAD")
    try:
        await manners.client.fetch(request)
        answered = True
    except FetchError as error:
        answered = spoke(error.reason)
    return Answer(source.reach, urlsplit(source.url).hostname or "", answered)
