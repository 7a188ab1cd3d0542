"""A small world for dying in: three made-up sites, two readers, and a clock that stands still at three moments of a day.

    first      an empty archive; every site is collected once (a baseline, never mailed)
    day        each site has something new: mails go out at once, a digest's matches wait
    morning    one article has been rewritten, and the digest is due

Since the clock stands, every moment ends in one state, however often the daemon dies on the way there; only the order in
which rows come may differ. Sources are collected one after the other, so that what is a copy of what does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from storage import schema, sources
from storage.archive import Archive
from storage.raw import RawPages
from tests.faults.dump import Dump, written_out
from tests.faults.stores import Place, Store
from tests.newsroom.mailbox import Mailbox, mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.outlets import Issued, Outlet, load_outlets
from tests.newsroom.proxy import playing
from tests.newsroom.setting import SMTP_PASSWORD, smtp, write_configuration
from tests.newsroom.site import newsroom_app

ORDER = ("lantern-wire", "shanyu-daily", "harbour-ledger")
OUTLETS = sorted(load_outlets(Path(__file__).with_name("stories")), key=lambda outlet: ORDER.index(outlet.key))
"""In the order they are collected in: the port paper prints what the wire wrote."""
INTERVAL = timedelta(minutes=10)
SPEED = 1e-9
"""Of the clock: it moves by less than a microsecond in the life of a daemon."""
GONE = "withdrawn"
REWRITTEN = "licence-rule"
READERS = [
    {"key": "ada", "name": "Ada Lindgren", "addresses": ["ada@reader.test", "ada@work.test"], "language": "en"},
    {"key": "bo", "name": "薄荷", "addresses": ["bo@reader.test"], "language": "zh"},
]
RULES: list[dict[str, Any]] = [
    {"name": "models", "title": "Models", "query": "DeepSeek OR 深度求索 OR Qwen", "when": "now"},
    {"name": "chips", "title": "Chips", "query": "chips OR 芯片", "when": "daily 08:00"},
]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the clock stands (aware UTC)."""

    name: str
    at: datetime

    @property
    def is_morning(self) -> bool:
        """Whether the digest is due, and nothing may wait any longer."""
        return self.name == "morning"


FIRST = Moment("first", datetime(2026, 3, 10, 6, 0, tzinfo=UTC))
DAY = Moment("day", datetime(2026, 3, 11, 7, 45, tzinfo=UTC))
MORNING = Moment("morning", datetime(2026, 3, 11, 8, 5, tzinfo=UTC))
MOMENTS = (FIRST, DAY, MORNING)
_DAY_BEGINS = DAY.at - timedelta(hours=1)


def moment_named(name: str) -> Moment:
    """The moment of this name."""
    return next(moment for moment in MOMENTS if moment.name == name)


class StillNewsroom(Newsroom):
    """The sites at a moment: what they list is out, but for one page that is gone; in the morning one page is rewritten."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        super().__init__(lambda: self.moment.at, outlets=OUTLETS)
        self.started = FIRST.at

    def _dated(self, outlet: Outlet) -> list[Issued]:
        out = []
        for story in outlet.stories:
            if self.moment.is_morning and story.slug == REWRITTEN:
                story = replace(story, title=f"{story.title}, then softens it", text=f"{story.text}\nThe draft was softened at night.\n")
            out.append(Issued.of(outlet, story, (FIRST.at if story.old else _DAY_BEGINS) + story.at))
        return out

    def article(self, outlet: Outlet, path: str) -> Issued | None:
        """The story at a path; none at the one that is listed and gone."""
        return None if path.endswith(f"/{GONE}") else super().article(outlet, path)


@dataclass
class World:
    """One archive, its sites and its mail server.

    `life_starts`: how many mails had come when each daemon began. At the last look at them `looked_at` had come, and those of
    `sent_before` (address, Message-ID) were marked as sent.
    """

    place: Place
    box: Mailbox
    newsroom: StillNewsroom
    config: Path
    life_starts: list[int] = field(default_factory=list)
    looked_at: int = 0
    sent_before: frozenset[tuple[str, str]] = frozenset()

    @property
    def moment(self) -> Moment:
        """Where the clock stands."""
        return self.newsroom.moment

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon's environment has besides."""
        return {
            "JINGBAO_CLOCK": f"{self.moment.at.isoformat()}@{SPEED}",
            "JINGBAO_SMTP_PASSWORD": SMTP_PASSWORD,
            "JINGBAO_WORLD": str(self.place.folder),  # by which its processes are known
            "NO_COLOR": "1",
        }

    def begin_life(self) -> None:
        """Note that another daemon begins: what came by mail until now, an earlier one sent."""
        self.life_starts.append(len(self.box.received))

    def advance(self, moment: Moment) -> None:
        """Put the clock forward to `moment`, while no daemon runs. Sources are due in their order."""
        self.newsroom.moment = moment
        if moment is FIRST:
            return
        with self.opened() as archive, archive.write() as tx:
            for number, outlet in enumerate(OUTLETS):
                sources.postpone(tx, outlet.key, moment.at - timedelta(minutes=1) + timedelta(seconds=number))

    def opened(self) -> Archive:
        """The archive, as a context manager, while no daemon runs."""
        return Archive.open(self.place.url, self.moment.at)

    def settled(self) -> bool:
        """Whether all that is to do at this moment is done: sources collected, articles matched, mails sent."""
        engine = create_engine(_read_only(self.place.url), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                counted = [connection.scalar(count) or 0 for count in _to_do(self.moment)]
                known = connection.scalar(select(func.count()).select_from(schema.source)) or 0
                first_light = connection.scalar(select(schema.setting.c.value).where(schema.setting.c.key == "first-light"))
        except SQLAlchemyError:
            return False  # not made yet, or just being written
        return known == len(OUTLETS) and not any(counted) and bool(first_light and first_light["told"])

    def sent(self) -> dict[tuple[str, str], bytes]:
        """The mails marked as sent: (address, Message-ID) → content."""
        return sent_mails(self.place, self.moment)

    def written_out(self) -> Dump:
        """The archive as lines, after a look for damage. Raises StorageError."""
        return archive_written_out(self.place, self.moment)


def sent_mails(place: Place, moment: Moment) -> dict[tuple[str, str], bytes]:
    """The mails an archive has as sent: (address, Message-ID) → content. Raises StorageError."""
    message = schema.message
    with Archive.open(place.url, moment.at) as archive, archive.read() as tx:
        rows = tx.connection.execute(select(message).where(message.c.state == "sent")).all()
    return {(row.address, row.message_id): row.content for row in rows}


def archive_written_out(place: Place, moment: Moment) -> Dump:
    """An archive nobody works on as lines, after a look for damage. Raises StorageError."""
    intervals = dict.fromkeys((outlet.key for outlet in OUTLETS), INTERVAL.total_seconds())
    with Archive.open(place.url, moment.at) as archive:
        archive.check()
        with archive.read() as tx:
            return written_out(tx, RawPages(place.folder / "raw"), intervals)


def _to_do(moment: Moment) -> list[Any]:
    article, match, message, source = schema.article, schema.match, schema.message, schema.source
    count = select(func.count())
    waiting = count.select_from(match).where(match.c.state.in_(("waiting", "folded")))
    return [
        count.select_from(source).where(source.c.next_due <= moment.at),
        count.select_from(article).where(~article.c.matched),
        waiting if moment.is_morning else waiting.where(match.c.rule == "models"),
        count.select_from(message).where(message.c.state.in_(("waiting", "uncertain"))),
    ]


def _read_only(url: str) -> str:
    """So that looking on neither recovers nor tidies up what is the daemon's to recover."""
    if url.startswith("sqlite"):
        return url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    return url.replace("postgresql://", "postgresql+psycopg://")


@asynccontextmanager
async def world(store: Store, folder: Path, moment: Moment = FIRST, start: Place | None = None) -> AsyncIterator[World]:
    """A world at `moment`, with an empty archive or a copy of the one at `start`; it is dropped at the end."""
    place = store.copy(start, folder) if start else store.new(folder)
    newsroom = StillNewsroom(FIRST)
    async with AsyncExitStack() as stack:
        stack.callback(store.drop, place)
        proxy = await stack.enter_async_context(playing(newsroom_app(newsroom)))
        box = stack.enter_context(mailbox())
        config = write_configuration(folder, configuration(place, proxy.url, smtp(box)))
        made = World(place, box, newsroom, config)
        made.advance(moment)
        if start:
            made.sent_before = frozenset(made.sent())
        yield made


def configuration(place: Place, proxy: str, smtp_server: dict[str, Any]) -> dict[str, Any]:
    """What the world's operator has in config.yaml."""
    pace = {"interval_minutes": INTERVAL.total_seconds() / 60, "delay_seconds": 0}
    return {
        "data_dir": str(place.folder),
        "storage": {"url": place.url},
        "network": {"proxy": proxy, "contact": "operator@faults.test"},
        "collection": {"tick_seconds": 0.05, "sources_at_once": 1},
        "sources": {"catalogue": "none", "add": [outlet.configuration(**pace) for outlet in OUTLETS]},
        "mail": {"sender": "jingbao@faults.test", "smtp": smtp_server},
        "readers": READERS,
        "rules": RULES,
    }
