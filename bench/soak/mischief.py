"""What goes wrong around the daemon: sites that fail in ten ways, and a mail server that refuses, hangs and hangs up."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.newsroom.mailbox import Mailbox

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware
    from aiosmtpd.smtp import SMTP, Envelope, Session

    from core.clock import Clock

HANG_SECONDS = 12.0
"""Longer than the daemon's patience with a site or a mail server."""
_BOMB = gzip.compress(bytes(64_000_000))
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Mischief:
    """Which host misbehaves how, and until when; `*` stands for all. To be put before a site's own answers."""

    rng: random.Random
    _troubles: dict[str, tuple[str, float]] = field(default_factory=dict)

    def begin(self, host: str, kind: str, seconds: float) -> None:
        """Let a host, or all (`*`), misbehave in one of WAYS for a while."""
        self._troubles[host] = (kind, time.monotonic() + seconds)

    def of(self, host: str) -> str:
        """How a host misbehaves now; nothing if it does not."""
        for name in ("*", host):
            kind, until = self._troubles.get(name, ("", 0.0))
            if time.monotonic() < until:
                return kind
        return ""

    async def answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """The site's answer, or what becomes of it."""
        kind = self.of(request.url.host or "")
        return await WAYS[kind](self, request, handler) if kind else await handler(request)

    @property
    def middleware(self) -> Middleware:
        """The same, as aiohttp wants it."""

        @web.middleware
        async def answer(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self.answer(request, handler)

        return answer


async def _down(_mischief: Mischief, request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(status=503, text=f"{request.url.host} is down\n")


async def _busy(mischief: Mischief, _request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": mischief.rng.choice(["5", "20", "-1", "soon"])})


async def _shut(_mischief: Mischief, _request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(status=403, text="<title>Are you a robot?</title>", content_type="text/html")


async def _slow(mischief: Mischief, request: web.Request, handler: _Handler) -> web.StreamResponse:
    await asyncio.sleep(mischief.rng.uniform(0.5, 3.0))
    return await handler(request)


async def _silent(_mischief: Mischief, request: web.Request, _handler: _Handler) -> web.StreamResponse:
    await asyncio.sleep(HANG_SECONDS)
    return _hung_up(request)


async def _reset(_mischief: Mischief, request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return _hung_up(request)


async def _garbage(mischief: Mischief, _request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(body=mischief.rng.randbytes(mischief.rng.randint(0, 60_000)), content_type="text/html")


async def _half(_mischief: Mischief, request: web.Request, _handler: _Handler) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "50000", "Content-Type": "text/html"})
    await answer.prepare(request)
    await answer.write(b"<html><body><p>the first half of")
    return _hung_up(request)


async def _bomb(_mischief: Mischief, _request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(body=_BOMB, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})


async def _round(mischief: Mischief, _request: web.Request, _handler: _Handler) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": f"/round/{mischief.rng.random()}"})


def _hung_up(request: web.Request) -> web.Response:
    _cut(request.transport)
    return web.Response()


def _cut(transport: asyncio.BaseTransport | None) -> None:
    if isinstance(transport, asyncio.Transport):
        transport.abort()


WAYS = {
    "down": _down,
    "busy": _busy,
    "shut": _shut,
    "slow": _slow,
    "silent": _silent,
    "reset": _reset,
    "garbage": _garbage,
    "half": _half,
    "bomb": _bomb,
    "round": _round,
}
"""The ways in which a site misbehaves."""

MOODS = {"refuse": "451 not now", "full": "452 no room", "away": "421 closing", "hang": "", "drop": "", "swallow": ""}
"""The ways in which the mail server does, with what it answers; `swallow` takes a mail and hangs up before it says so."""


class MoodyMailbox(Mailbox):
    """A mailbox that writes what came to a file (a JSON line a mail) and has moods."""

    def __init__(self, file: Path, clock: Clock) -> None:
        super().__init__()
        self._file = file
        self._clock = clock
        self._mood, self._until = "", 0.0

    def begin(self, mood: str, seconds: float) -> None:
        """Be in one of MOODS for a while."""
        self._mood, self._until = mood, time.monotonic() + seconds

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take one mail, or not (called by aiosmtpd)."""
        mood = self._mood if time.monotonic() < self._until else ""
        if answer := MOODS.get(mood):
            return answer
        if mood == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if mood in {"", "swallow"}:
            await super().handle_DATA(server, session, envelope)
            self._note(answered=not mood)
        if mood:
            _cut(server.transport)
        return "250 taken"

    def _note(self, *, answered: bool) -> None:
        mail = self.received[-1]
        told = {
            "at": self._clock.now().isoformat(),
            "to": mail.recipients[0],
            "message_id": str(mail.message["Message-ID"]),
            "subject": mail.subject,
            "answered": answered,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
