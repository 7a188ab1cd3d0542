"""What a document may make a worker do, as functions a spawned process can import."""

import os
import re
import signal
import sys

from core.errors import ReadingError
from core.outcomes import Outcome


def double(number):
    return number * 2


def spin_in_python():
    while True:
        pass


def spin_in_c():
    return re.match("(a+)+$", "a" * 40 + "b")


def eat_memory():
    return len(bytearray(4_000_000_000))


def recurse():
    return recurse()


def refuse():
    raise ReadingError(Outcome.BLOCKED, "a reason")


def err():
    raise KeyError("a bug")


def die():
    os._exit(3)


def own_pid():
    return os.getpid()


def ignores_interrupts():
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def loaded_modules():
    return [name for name in ("twisted", "scrapy", "sqlalchemy", "apscheduler", "aiohttp") if name in sys.modules]
