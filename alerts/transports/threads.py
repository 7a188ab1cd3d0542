"""Blocking work in a thread that the end of the program does not wait for.

The loop's own threads (asyncio.to_thread) are joined at the end; one that is still looking a name up would hold it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


def in_thread(work: Callable[[], None], afterwards: Callable[[], None] | None = None) -> asyncio.Future[None]:
    """How `work` ends, as a future of the running loop; `afterwards` is done in the thread when that is already known."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    future.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may end when nobody waits any more

    def settle(error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def body() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001  (handed over whole)
            error = raised
        with suppress(RuntimeError):  # the loop is closed: the program has ended without us
            loop.call_soon_threadsafe(settle, error)
        if afterwards:
            afterwards()

    threading.Thread(target=body, name="mail", daemon=True).start()
    return future
