"""Reading happens in worker processes that a bad document can neither stop nor poison: each document has its own limits.

A document that takes more CPU time than allowed kills its worker by SIGPROF, which also ends a loop inside a C library; the
pool starts another. Workers are spawned, so they inherit neither the daemon's event loop nor its reactor.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
import threading
import traceback
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from core.errors import ReadingError
from core.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

MEMORY_BYTES = 1_500_000_000  # of address space; a worker's own imports take some 300 MB of it
DOCUMENTS_PER_WORKER = 500  # then it is replaced, so that what a C library leaks stays bounded
STARTING_SECONDS = 30.0  # what a fresh worker may need on a busy machine before the document's own clock runs
IDLE_SECONDS = 120.0  # then idle workers are let go: they hold 90 MB each, and a new one starts in a second
WALL_FACTOR = 10  # the wall clock's back-stop, in CPU limits: a worker that sleeps or is starved


class CutShortError(Exception):
    """jingbao is being stopped."""


class ReadingPool:
    """`workers` processes that read documents, each document with `cpu_seconds` of CPU time.

    They are there while there is something to read, and for `idle_seconds` after.
    """

    def __init__(self, workers: int = 1, cpu_seconds: float = 2.0, idle_seconds: float = IDLE_SECONDS) -> None:
        self._workers = workers
        self._cpu_seconds = cpu_seconds
        self._wall_seconds = cpu_seconds * WALL_FACTOR
        self._pool = self._made()
        self._begun = False
        self._beginning = threading.Lock()
        self._closed = False
        self._cut_short = False
        self._runs: set[asyncio.Task[Any]] = set()
        self._slots = asyncio.Semaphore(workers)
        self._pending: set[asyncio.Future[Any]] = set()
        self._idle_seconds = idle_seconds
        self._letting_go: asyncio.TimerHandle | None = None

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function(*args)` returns, computed in a worker; function, arguments and result must be picklable.

        Raises ReadingError: as the function raised it, TOO_SLOW past the CPU limit, TOO_BIG past the memory limit,
        UNREADABLE if the worker died twice. Any other exception of the function is a programming error and comes through.
        Raises CutShortError once `cut_short` was called.
        """
        if self._cut_short:
            raise CutShortError
        run = asyncio.ensure_future(self._twice(function, *args, **kwargs))
        self._runs.add(run)
        try:
            return await run
        except asyncio.CancelledError:
            if self._cut_short and run.cancelled():
                raise CutShortError from None
            raise
        finally:
            self._runs.discard(run)

    def cut_short(self) -> None:
        """Give up what is being read or waits for it, and read nothing more: each caller gets CutShortError."""
        self._cut_short = True
        for run in self._runs:
            run.cancel()

    async def _twice(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._attempt(function, *args, **kwargs)
        except (ProcessExpired, BrokenProcessPool):
            pass  # the worker was killed from outside, or by its last document: once more
        try:
            return await self._attempt(function, *args, **kwargs)
        except (ProcessExpired, BrokenProcessPool) as error:
            raise ReadingError(Outcome.UNREADABLE, f"the reading worker died of it twice ({error})") from error

    def close(self) -> None:
        """Stop the workers at once (some tenths of a second); documents being read are given up, new ones refused."""
        self._closed = True
        if self._letting_go:
            self._letting_go.cancel()
        for reading in self._pending:
            reading.cancel()
        with self._beginning:
            self._stop()

    async def _attempt(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        task = (self._cpu_seconds, function, args, kwargs)
        try:
            async with self._slots, asyncio.timeout(self._wall_seconds + STARTING_SECONDS):
                pool = await self._living()
                scheduled = pool.schedule(_limited, task, timeout=self._wall_seconds)
                reading: asyncio.Future[T] = asyncio.wrap_future(scheduled)
                self._pending.add(reading)
                reading.add_done_callback(self._done)
                return await reading
        except TimeoutError as error:
            raise ReadingError(Outcome.TOO_SLOW, f"reading it took over {self._wall_seconds:g} s") from error
        except ProcessExpired as error:
            if error.exitcode == -signal.SIGPROF:
                raise ReadingError(Outcome.TOO_SLOW, f"reading it took over {self._cpu_seconds:g} s of CPU time") from error
            raise

    def _done(self, reading: asyncio.Future[Any]) -> None:
        self._pending.discard(reading)
        if self._letting_go:
            self._letting_go.cancel()
        self._letting_go = reading.get_loop().call_later(self._idle_seconds, self._let_go)

    def _let_go(self) -> None:
        """Stop the idle workers; the next document starts new ones. Waiting for their end is left to a thread."""
        if not self._pending and not self._closed:
            self._pool.stop()  # type: ignore[no-untyped-call]
            asyncio.get_running_loop().run_in_executor(None, self._pool.join)

    async def _living(self) -> ProcessPool:
        """The pool, at work. Beginning starts processes, which may take tenths of a second, so it is left to a thread."""
        if not self._at_work:
            if self._letting_go:
                self._letting_go.cancel()
            await asyncio.to_thread(self._begin)
        if self._closed:
            raise RuntimeError("the reading pool is closed")
        return self._pool

    @property
    def _at_work(self) -> bool:
        return self._begun and self._pool.active

    def _begin(self) -> None:
        """Put the pool to work, or a new one: pebble's gives up if a worker is killed while it reads nothing."""
        with self._beginning:
            if self._closed or self._at_work:
                return
            if self._begun:
                self._stop()
                self._pool = self._made()
            self._begun = self._pool.active  # pebble starts the workers when it is first asked

    def _stop(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _made(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=DOCUMENTS_PER_WORKER,
            initializer=_prepare,
            context=multiprocessing.get_context("spawn"),
        )


def _prepare() -> None:
    """Make a fresh worker ready: the libraries loaded, its memory bounded, SIGPROF deadly."""
    # Loaded here, so that no document pays for it.
    import htmldate  # noqa: F401, PLC0415
    import trafilatura  # noqa: F401, PLC0415

    from crawler.reading import feeds, pages  # noqa: F401, PLC0415

    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


def _limited(cpu_seconds: float, function: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    """The function's result, unless SIGPROF comes first. Errors come out in a form that can be sent back to the daemon."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return function(*args, **kwargs)
    except ReadingError:
        raise
    except MemoryError as error:
        raise ReadingError(Outcome.TOO_BIG, "reading it took too much memory") from error
    except RecursionError as error:
        raise ReadingError(Outcome.TOO_BIG, "it is nested too deeply") from error
    except Exception as error:  # noqa: BLE001  (not swallowed: sent on as text, since some of C libraries cannot be pickled)
        raise RuntimeError("".join(traceback.format_exception(error))) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
