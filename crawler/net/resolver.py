"""Looking names up, with the guard's word on every answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.guard import AddressGuard

LOOK_UPS_AT_ONCE = 64
"""Threads are made as they are needed. aiohttp looks a name up once at a time: so many must hang to block all."""
PATIENCE_SECONDS = 10.0
"""The C library's own is 5 s, twice, for each name server; nothing sound takes half of this."""


_Infos = list[tuple[Any, ...]]  # as socket.getaddrinfo gives them


class GuardedResolver(AbstractResolver):
    """Keeps of a name's addresses those the guard lets through; says with the name why if there are none.

    The guard's socket factory would stop the others too, but cannot name the host, and one refused address of two
    would spoil the other. Look-ups have threads of their own: when DNS hangs, they must not hold up what else waits
    for a thread (mails, raw pages); and so many that the names which hang leave some to the others. The end of the program
    does not wait for them, as it would for an executor's: the system may take a minute to give a name up.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._room = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of `host` that may be connected to. Raises FetchError (refused), or OSError if there are none."""
        infos = await self._look_up(host, port, family)
        passed: list[ResolveResult] = []
        refusal: FetchError | None = None
        for found_family, _, protocol, _, place in infos:
            address = str(place[0])
            try:
                self._guard.check(address, port, host)
            except FetchError as error:
                refusal = error
                continue
            passed.append(
                ResolveResult(
                    hostname=host, host=address, port=port, family=found_family, proto=protocol, flags=socket.AI_NUMERICHOST
                )
            )
        if refusal and not passed:
            raise refusal
        return passed

    async def _look_up(self, host: str, port: int, family: socket.AddressFamily) -> _Infos:
        wanted: dict[str, Any] = {"family": family, "type": socket.SOCK_STREAM, "flags": socket.AI_ADDRCONFIG}
        look_up: Callable[[], _Infos] = partial(socket.getaddrinfo, host, port, **wanted)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._room.acquire()
                return await self._in_thread(look_up)
        except UnicodeError as error:
            raise FetchError(Outcome.REFUSED, f"{host} cannot be a host's name: {error}.") from error
        except TimeoutError as error:
            raise OSError(None, f"no name server answered within {PATIENCE_SECONDS:.0f} s") from error

    def _in_thread(self, look_up: Callable[[], _Infos]) -> asyncio.Future[_Infos]:
        """How a look-up ends; its thread makes room then, also if nobody has waited for it."""
        loop, ending = asyncio.get_running_loop(), Future[_Infos]()
        ending.set_running_or_notify_cancel()

        def body() -> None:
            try:
                ending.set_result(look_up())
            except Exception as error:  # noqa: BLE001  (handed over whole)
                ending.set_exception(error)
            with suppress(RuntimeError):  # the loop is closed: the program ends without us
                loop.call_soon_threadsafe(self._room.release)

        Thread(target=body, name="look-up", daemon=True).start()
        return asyncio.wrap_future(ending)

    async def close(self) -> None:
        """Nothing to give back; a look-up that hangs keeps its thread until the system gives up."""
