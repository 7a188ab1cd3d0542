"""A daemon that is told to stop (SIGTERM) in a phase of its life: the scenes that bring it there and hold it, and how it ends.

It says itself when it has come to a scene's point; SIGTERM comes a random moment later. What holds it there is real: sites that
say nothing or drip, a page that takes seconds to read, a mail server that hangs at a step, a resolver without an answer.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.alerts.scripted import STEPS, scripted
from tests.faults.lives import COMMAND, ROOT, leftovers
from tests.faults.points import POINTS
from tests.faults.telling import FIRST_LIGHT, LOOK_UP, READY
from tests.faults.world import DAY, FIRST, Moment, StillNewsroom, World, configuration
from tests.newsroom.mailbox import Mailbox
from tests.newsroom.proxy import playing
from tests.newsroom.setting import write_configuration
from tests.newsroom.site import newsroom_app

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from tests.faults.stores import Place, Store

GIVEN_UP_SECONDS = 60.0
_LOOK_SECONDS = 0.01
_BIG_PARAGRAPHS = 6000
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A phase, one of whose `points` the daemon comes to (none: its birth); SIGTERM comes up to `within` seconds later.

    `lists` and `pages` say how those are answered (a name of WAYS; otherwise well), `mail` what the mail server does at its
    steps (tests/alerts/scripted.py). With `reload`, SIGHUP comes at the point. With `names_hang` there is no proxy, and names
    are never looked up. `moment` is where the clock stands; at FIRST the archive is a new one.
    """

    phase: str
    points: tuple[str, ...] = ()
    within: float = 0.1
    moment: Moment = DAY
    lists: str = ""
    pages: str = ""
    mail: Mapping[str, str] = field(default_factory=dict)
    reload: bool = False
    names_hang: bool = False

    @property
    def trouble(self) -> str:
        """What holds the daemon up, in a few words."""
        held = [f"{step} hangs" for step in self.mail]
        held += [f"{way} {what}" for what, way in (("lists", self.lists), ("pages", self.pages)) if way]
        return ", ".join([*held, *["SIGHUP"] * self.reload, *["no names"] * self.names_hang])


@dataclass(frozen=True, slots=True)
class Stop:
    """How one stop went: `seconds` from SIGTERM to the end, the exit code, what it `left` (processes, a lock).

    `reached` says whether the point was; else it was stopped after a minute without.
    """

    phase: str
    trouble: str
    point: str
    after_seconds: float
    reached: bool
    seconds: float
    code: int
    left: tuple[str, ...]


def _between(first: str, last: str) -> tuple[str, ...]:
    """The points of a day from one to another, but for those only other days have."""
    names = [point.name for point in POINTS]
    chosen = POINTS[names.index(first) : names.index(last) + 1]
    return tuple(point.name for point in chosen if point.moment == "day")


_TALK = (
    "before the connection",
    "before the connection",
    "after the greeting",
    "before MAIL",
    "before RCPT",
    "before DATA",
    "within the text",
)
"""The last point before the server's answer at each of STEPS (the sign-in has none of its own)."""

SCENES = (
    Scene("loading", within=1.5),
    Scene("opening", ("migration statement", "before the commit of the tables", "after the commit of the tables", "lock taken"), 0.3, FIRST),
    Scene("opening", ("lock taken", "before the commit of the interrupted runs", "after the commit of the interrupted runs"), 0.3),
    Scene("discovering", _between("before the commit of a run's beginning", "after the commit of the sorted entries")),
    *(Scene("discovering", ("before a list's fetch",), 3, lists=way) for way in ("silent", "drip")),
    Scene("fetching", ("before a page's fetch", "after a page's fetch")),
    *(Scene("fetching", ("before a page's fetch",), 3, pages=way) for way in ("silent", "drip")),
    Scene("reading", ("before extraction", "after extraction")),
    *(Scene("reading", ("within extraction",), 2, pages=way) for way in ("big", "huge")),
    Scene("deciding", _between("before the raw page", "after the raw page")),
    Scene("deciding", _between("before the decision", "after the commit of a run's end")),
    Scene("matching", _between("before the match", "after the claim")),
    Scene("sending", _between("before the connection", "after the commit of the sent mark")),
    *(
        Scene("sending to a server that hangs", (point,), 3, mail={step: "hang"})
        for step, point in zip(STEPS, _TALK, strict=True)
    ),
    Scene("reloading", (READY,), 1, reload=True),
    Scene("reloading", ("before a list's fetch",), 1, lists="drip", reload=True),
    Scene("reloading", ("before a page's fetch",), 1, pages="silent", reload=True),
    Scene("reloading", ("before RCPT",), 1, mail={"RCPT": "hang"}, reload=True),
    Scene("first light", (FIRST_LIGHT,), 0.3, FIRST),
    Scene("first light", (FIRST_LIGHT,), 2, FIRST, mail={"TEXT": "hang"}),
    Scene("looking names up", (LOOK_UP,), 3, names_hang=True),
    Scene("at any time", (READY,), 5),
    Scene("at any time", (READY,), 5, FIRST),
)  # fmt: skip
PHASES = tuple(dict.fromkeys(scene.phase for scene in SCENES))


def any_scene(rng: random.Random) -> Scene:
    """A scene of a random phase."""
    phase = rng.choice(PHASES)
    return rng.choice([scene for scene in SCENES if scene.phase == phase])


async def stop_in(scene: Scene, store: Store, folder: Path, start: Place | None, rng: random.Random) -> Stop:
    """Start a daemon in a world of its own in `folder`, on a new archive or a copy of `start`, and stop it in a scene.

    `start` is what a day begins with (tests/faults/rounds.py); a scene at FIRST needs none.
    """
    point = rng.choice(scene.points) if scene.points else ""
    after_seconds = rng.uniform(0, scene.within)
    async with _set(scene, store, folder, start) as made:
        daemon, file = await _started(scene, made, point)
        try:
            reached = await _reached(daemon, file) if point else True
            if scene.reload:
                _signal(daemon, signal.SIGHUP)
            await asyncio.sleep(after_seconds)
            began = time.monotonic()
            _signal(daemon, signal.SIGTERM)
            await _ended(daemon)
            seconds = time.monotonic() - began
        finally:
            _signal(daemon, signal.SIGKILL)
            code = await daemon.wait()
        return Stop(scene.phase, scene.trouble, point, after_seconds, reached, seconds, code, tuple(await leftovers(made)))


async def _started(scene: Scene, made: World, point: str) -> tuple[Process, Path]:
    file = made.place.folder / "reached"
    telling = [sys.executable, "-m", "tests.faults.telling", "--at", point, "--file", str(file)]
    command = [*telling, *["--names-hang"] * scene.names_hang, "--"] if point else [str(COMMAND)]
    with (made.place.folder / "stop.log").open("ab") as out:
        daemon = await asyncio.create_subprocess_exec(
            *command, *("--config", str(made.config), "run", "--plain"), stdin=DEVNULL, stdout=out, stderr=out, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **made.environment},
        )  # fmt: skip
    return daemon, file


async def _reached(daemon: Process, file: Path) -> bool:
    until = time.monotonic() + GIVEN_UP_SECONDS
    while daemon.returncode is None and not file.exists() and time.monotonic() < until:  # noqa: ASYNC110  (a file tells nobody)
        await asyncio.sleep(_LOOK_SECONDS)
    return file.exists()


async def _ended(daemon: Process) -> None:
    """Until it has, or has been waited for long enough."""
    waiting = asyncio.ensure_future(daemon.wait())
    await asyncio.wait({waiting}, timeout=GIVEN_UP_SECONDS)


def _signal(daemon: Process, number: signal.Signals) -> None:
    if daemon.returncode is None:
        daemon.send_signal(number)


# The world of a scene


@asynccontextmanager
async def _set(scene: Scene, store: Store, folder: Path, start: Place | None) -> AsyncIterator[World]:
    place = store.new(folder) if start is None or scene.moment is FIRST else store.copy(start, folder)
    newsroom = StillNewsroom(FIRST)
    app = newsroom_app(newsroom)
    app.middlewares.append(_answering(newsroom, scene))
    async with AsyncExitStack() as stack:
        stack.callback(store.drop, place)
        proxy = await stack.enter_async_context(playing(app))
        server = stack.enter_context(scripted(dict(scene.mail)))
        smtp = {"host": "127.0.0.1", "port": server.port, "security": "none", "user": "jingbao"}
        values = configuration(place, proxy.url, smtp)
        if scene.names_hang:
            del values["network"]["proxy"]
        made = World(place, Mailbox(), newsroom, write_configuration(folder, values))
        made.advance(scene.moment)
        yield made


def _answering(newsroom: StillNewsroom, scene: Scene) -> Middleware:
    """How lists and pages are answered in a scene; robots.txt always well."""

    @web.middleware
    async def answer(request: web.Request, handler: _Handler) -> web.StreamResponse:
        outlet = newsroom.at_host(request.url.host or "")
        at_list = outlet is not None and request.path == outlet.source["url"].partition("?")[0]
        way = scene.lists if at_list else scene.pages
        return await WAYS[way](request) if way and request.path != "/robots.txt" else await handler(request)

    return answer


async def _silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2 * GIVEN_UP_SECONDS)
    return web.Response(status=503)


async def _drip(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/html"})
    await answer.prepare(request)
    with suppress(ConnectionError):
        for _ in range(int(20 * GIVEN_UP_SECONDS)):
            await answer.write(b"<p>")
            await asyncio.sleep(0.05)
    return answer


async def _page(paragraphs: int, _request: web.Request) -> web.StreamResponse:
    lines = (f"<p>Line {number} of the weights, 第{number}行 模型权重, for DeepSeek.</p>" for number in range(paragraphs))
    text = f"<html><body><article><h1>Weights</h1>{''.join(lines)}</article></body></html>"
    return web.Response(text=text, content_type="text/html")


WAYS: Mapping[str, Callable[[web.Request], Awaitable[Any]]] = {
    "silent": _silent,
    "drip": _drip,
    "big": partial(_page, 5000),  # about a second of CPU time
    "huge": partial(_page, 25_000),  # past what a document may take
}
"""How a site may answer."""
