"""The soak's made-up press: as many outlets as wanted, which write for ever, the same for the same seed.

What an outlet has out is a function of seed, outlet and day alone, so a soak that goes on later finds the same sites. Some of
the pieces are on China's AI and some are not; some are a wire's, carried by many outlets; some are rewritten after some hours.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from bench.soak.words import Voice, voice
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.outlets import Issued, Outlet, Story

DAYS_OUT = 6
"""So many days an article can be read and, while a list has room, is listed."""
DAY = timedelta(days=1)
PIECES_A_DAY = (0, 1, 1, 2, 2, 3, 5)
WIRES_A_DAY = 4
ON_AI, CARRIED, REWRITTEN = 0.5, 0.1, 0.1
"""Shares: of the own pieces that are on AI, of the wire's that an outlet carries, of the pieces that change after a while."""
REWRITTEN_AFTER = timedelta(hours=6)
_DAYS_REMEMBERED = 4096

_KINDS = (  # shape of the list, and what an operator writes of it
    ("rss-full", {"kind": "feed", "url": "/full.xml", "text": "feed"}),
    ("rss-summary", {"kind": "feed", "url": "/rss"}),
    ("list-dated", {"kind": "listing", "url": "/flash"}),
    ("atom", {"kind": "feed", "url": "/feed.atom"}),
    ("news-sitemap", {"kind": "sitemap", "url": "/news-sitemap.xml", "sitemap": {"include": "/a/"}}),
    ("json-feed", {"kind": "feed", "url": "/all.json", "text": "feed"}),
)
_ROWS = {
    "item": ".stream-item",
    "link": "a.stream-title",
    "title": "a.stream-title",
    "summary": "p.stream-brief",
    "date": "span.stream-time",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """An article, and what it says once it is rewritten, if it is."""

    at: datetime
    story: Story
    rewritten: Story | None = None

    def reads(self, now: datetime) -> Story:
        """What it says now."""
        return self.rewritten if self.rewritten and now >= self.at + REWRITTEN_AFTER else self.story


class Press(Newsroom):
    """A newsroom whose outlets never run dry. `now` is the set clock."""

    def __init__(self, now: Callable[[], datetime], seed: int, count: int) -> None:
        super().__init__(now, outlets=[outlet(number) for number in range(count)])
        self._seed = seed
        self._pieces = lru_cache(_DAYS_REMEMBERED)(self._written)
        self._wires = lru_cache(4 * DAYS_OUT)(self._wired)

    def issued(self, outlet: Outlet) -> list[Issued]:
        """What is out by now and not too old, newest first."""
        now = self.now()
        days = [now.astimezone(UTC).date() - timedelta(days=back) for back in range(DAYS_OUT)]
        out = [piece for day in days for piece in self._pieces(outlet.key, day) if piece.at <= now]
        return [Issued.of(outlet, piece.reads(now), piece.at) for piece in sorted(out, key=lambda each: each.at, reverse=True)]

    def _written(self, key: str, day: date) -> tuple[Piece, ...]:
        by = next(each for each in self.outlets if each.key == key)
        rng = random.Random(f"{self._seed} {key} {day}")
        own = [_piece(rng, by, day, number) for number in range(rng.choice(PIECES_A_DAY))]
        carried = [_carried(rng, wire) for wire in self._wires(by.language, day) if rng.random() < CARRIED]
        return (*own, *carried)

    def _wired(self, language: str, day: date) -> tuple[Piece, ...]:
        rng = random.Random(f"{self._seed} wire {language} {day}")
        tone = voice(chinese=language.startswith("zh"), on_ai=True)
        return tuple(Piece(_moment(rng, day), _story(rng, tone, f"w{day:%m%d}{number}")) for number in range(WIRES_A_DAY))


def outlet(number: int) -> Outlet:
    """The outlet of this number: each lists in one of six ways, every other writes Chinese."""
    shape, source = _KINDS[number % len(_KINDS)]
    chinese = number % 2 == 0
    rows = {"listing": dict(_ROWS)} if shape == "list-dated" else {}
    scope = ("tech", "general", "ai-only")[number // 2 % 3]
    return Outlet(
        key=f"outlet-{number:03}",
        name=f"第{number}日报" if chinese else f"Gazette {number}",
        host=f"www.outlet{number:03}.test",
        shape=shape,
        language="zh-Hans" if chinese else "en",
        zone="Asia/Shanghai" if chinese else "Europe/London",
        address="/a/{at:%Y%m%d}/{slug}.html",
        source={**deepcopy(source), **rows, "scope": scope, "country": "CN" if chinese else "GB"},
        stories=(),
        page="article_zh.html" if chinese else "article.html",
        about="a made-up paper",
    )


def _piece(rng: random.Random, by: Outlet, day: date, number: int) -> Piece:
    tone = voice(chinese=by.language.startswith("zh"), on_ai=rng.random() < ON_AI)
    at, story = _moment(rng, day), _story(rng, tone, f"p{day:%m%d}{number}")
    if rng.random() > REWRITTEN:
        return Piece(at, story)
    return Piece(at, story, replace(story, text=f"{story.text}\n{tone.paragraph(rng)}"))


def _story(rng: random.Random, tone: Voice, slug: str) -> Story:
    text = "\n".join(tone.paragraph(rng) for _ in range(rng.randint(3, 9)))
    return Story(slug, timedelta(), tone.title(rng), text, author=f"Desk {rng.randint(1, 40)}")


def _carried(rng: random.Random, wire: Piece) -> Piece:
    return replace(wire, at=wire.at + timedelta(minutes=rng.randint(1, 90)))


def _moment(rng: random.Random, day: date) -> datetime:
    return datetime.combine(day, time(), UTC) + rng.random() * DAY
