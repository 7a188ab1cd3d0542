"""The made-up outlets and what they write, read from stories/*.yaml (one file an outlet)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

STORIES = Path(__file__).with_name("stories")
_OFFSET = re.compile(r"([+-])(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


@dataclass(frozen=True, slots=True)
class Story:
    """One article. `at` is when it comes out: before the newsroom's start if negative, else after the day has begun.

    `text` has one paragraph a line; `{month}`, `{day}` and `{weekday}` in it stand for its own date at the outlet.
    """

    slug: str
    at: timedelta
    title: str
    text: str
    summary: str = ""
    author: str = ""
    credit: str = ""
    section: str = "news"

    @property
    def old(self) -> bool:
        """Whether it was out before the newsroom started."""
        return self.at < timedelta(0)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A news site. `shape` is how it lists its stories, `address` the path pattern of its articles.

    `source` is what an operator would write about it in config.yaml (url without scheme and host).
    """

    key: str
    name: str
    host: str
    shape: str
    language: str
    zone: str
    address: str
    source: Mapping[str, Any]
    stories: tuple[Story, ...]
    page: str = "article.html"
    encoding: str = "utf-8"
    declared: str = "utf-8"
    about: str = ""
    disallow: tuple[str, ...] = ()

    @property
    def tz(self) -> ZoneInfo:
        """The zone its times of day are in."""
        return ZoneInfo(self.zone)

    def url(self, path: str) -> str:
        """The absolute address of `path` here."""
        return f"http://{self.host}{path}"

    def configuration(self, **more: Any) -> dict[str, Any]:
        """Its entry for `sources.add` in config.yaml; `more` adds or overrides keys."""
        common = {"key": self.key, "name": self.name, "language": self.language[:2], "zone": self.zone}
        return {**common, **self.source, "url": self.url(self.source["url"]), **more}


@dataclass(frozen=True, slots=True)
class Issued:
    """A story that is out: when (aware, in the outlet's zone) and where."""

    outlet: Outlet
    story: Story
    at: datetime
    url: str = field(default="")

    @classmethod
    def of(cls, outlet: Outlet, story: Story, at: datetime) -> Issued:
        """`story` come out `at` a moment, at the address its date gives."""
        local = at.astimezone(outlet.tz)
        path = outlet.address.format(slug=story.slug, section=story.section, at=local)
        return cls(outlet, story, local, outlet.url(path))

    @property
    def paragraphs(self) -> list[str]:
        """Its text, dated."""
        names = {"month": self.at.month, "day": self.at.day, "weekday": f"{self.at:%A}"}
        return [line.strip().format(**names) for line in self.story.text.splitlines() if line.strip()]

    @property
    def summary(self) -> str:
        """What a list shows beside the title: its own summary, or its first paragraph."""
        return self.story.summary or self.paragraphs[0]


def load_outlets(folder: Path = STORIES) -> tuple[Outlet, ...]:
    """All outlets of a folder, by file name."""
    return tuple(_outlet(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in sorted(folder.glob("*.yaml")))


def offset(text: str) -> timedelta:
    """Read `-2d3h` or `+12m`. Raises ValueError for any other shape."""
    shape = _OFFSET.fullmatch(text)
    if not shape:
        raise ValueError(f"expected an offset as in -2d3h or +12m, not {text!r}")
    days, hours, minutes = (int(part or 0) for part in shape.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes)
    return span if shape[1] == "+" else -span


def _outlet(data: dict[str, Any]) -> Outlet:
    stories = tuple(_story(story) for story in data.pop("stories"))
    return Outlet(stories=stories, disallow=tuple(data.pop("disallow", ())), **data)


def _story(data: dict[str, Any]) -> Story:
    return Story(at=offset(data.pop("at")), **data)
