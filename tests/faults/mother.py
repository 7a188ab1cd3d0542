"""The mother of clerks: everything is loaded once, and each life is a fork of a few milliseconds that is killed or ends.

`python -m tests.faults.mother HOST PORT` reads orders from stdin, a JSON line each, and answers each with a line. An order names
an archive (`url`, `folder`), the first life's number (`life`) and how lives end, one after the other: `at`, points (name, nth),
then `delays`, seconds after which each is killed; after them one life more comes to its own end. With `count`, a file, that
one notes the points it reaches. One thread alone runs here, or a fork could inherit a lock that nobody will open.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import create_engine

from tests.faults.clerk import Office
from tests.faults.dying import counting
from tests.faults.points import named
from tests.faults.stores import Place
from tests.faults.striking import death

LONGEST_LIFE_SECONDS = 180.0


def main() -> None:
    """Load everything, say so, and obey."""
    host, port = sys.argv[1:]
    logging.disable(logging.WARNING)
    for drivers in ("sqlite://", "postgresql+psycopg://"):
        create_engine(drivers)  # loads them; nothing is connected
    import_module("alembic.command")
    import_module("storage.postgres")
    office = Office.opened({"host": host, "port": int(port), "security": "none"})
    _answer({"ready": True})
    for line in sys.stdin:
        _answer({"lives": list(_obey(office, json.loads(line)))})


def _answer(said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _obey(office: Office, order: dict[str, Any]) -> list[dict[str, Any]]:
    place = Place(order["url"], Path(order["folder"]))
    prepare = (lambda: counting(Path(order["count"]))) if "count" in order else (lambda: None)
    ends: list[tuple[float, Callable[[], None]]] = [(LONGEST_LIFE_SECONDS, partial(_doom, *point)) for point in order.get("at", ())]
    ends += [(delay, prepare) for delay in order.get("delays", ())]
    lives: list[dict[str, Any]] = []
    for longest, prepared in (*ends, (LONGEST_LIFE_SECONDS, prepare)):
        lives.append(_life(office, place, order["life"] + len(lives), longest, prepared))
        if lives[-1]["code"] >= 0:
            break
    return lives


def _doom(name: str, nth: int) -> None:
    named(name).wound(death(nth))


def _life(office: Office, place: Place, life: int, longest: float, prepare: Callable[[], None]) -> dict[str, Any]:
    """One life; `code` is its exit code, or minus the signal that ended it."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        _live(office, place, life, prepare)
    _await_end(child, longest)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return {"life": life, "code": os.waitstatus_to_exitcode(status), "seconds": round(time.monotonic() - began, 4)}


def _await_end(child: int, longest: float) -> None:
    """Wait until the child has ended (it stays a zombie, so that its number is not another's) or is `longest` seconds old."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    ends = time.monotonic() + longest
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None and (left := ends - time.monotonic()) > 0:
        signal.sigtimedwait({signal.SIGCHLD}, left)


def _live(office: Office, place: Place, life: int, prepare: Callable[[], None]) -> NoReturn:
    try:
        prepare()
        asyncio.run(office.work(place, life))
    except BaseException:  # noqa: BLE001  (whatever it is, the parent's loop may not go on here)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
