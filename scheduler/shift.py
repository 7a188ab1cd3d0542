"""One configuration's duties, with everything that is under way for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from core.errors import JingbaoError
from core.log import values
from scheduler.duties import Duties

log = logging.getLogger("jingbao.scheduler")


class Shift:
    """Duties, and the tasks at work on them. After a reload the old shift finishes what it began, then it is closed."""

    def __init__(self, duties: Duties) -> None:
        self.duties = duties
        self._tasks: dict[asyncio.Task[None], str] = {}  # with the key of the source being collected, or ""

    @property
    def collecting(self) -> list[str]:
        """The keys of the sources being collected."""
        return [source for source in self._tasks.values() if source]

    @property
    def under_way(self) -> set[asyncio.Task[None]]:
        """The tasks that have not ended."""
        return set(self._tasks)

    def begin(self, name: str, work: Coroutine[Any, Any, None], source: str = "") -> asyncio.Task[None]:
        """Begin a piece of work; the task raises nothing, faults are logged."""
        fields = {"source": source} if source else {}
        task = asyncio.create_task(guarded(name, work, **fields), name=f"{name} {source}".strip())
        self._tasks[task] = source
        task.add_done_callback(self._tasks.pop)
        return task

    def hurry(self) -> None:
        """Ask everything under way to end early."""
        self.duties.wrap_up()
        self.begin("stop", self.duties.stop())

    async def ended(self) -> None:
        """Return once nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Give everything back."""
        await guarded("close", self.duties.close())


async def guarded(name: str, work: Coroutine[Any, Any, None], **fields: str) -> None:
    """Await `work`; what goes wrong is logged and contained, so that one source or mail cannot end the daemon."""
    try:
        await work
    except JingbaoError as error:
        log.warning("%s failed", name, extra=values(reason=str(error), **fields))
    except Exception:
        log.exception("%s met a bug; please report the lines below", name, extra=values(**fields))
