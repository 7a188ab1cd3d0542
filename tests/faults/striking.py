"""How a named point is reached from outside: functions of the real modules are wrapped, and `strike` is called beside them.

The program itself knows nothing of it. A place is written `module:name` or `module:Class.method`.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

Strike = Callable[[], None]
"""Called whenever a point is reached; it may not come back."""
Wound = Callable[[Strike], None]
"""Sets a point up in this process."""


def _always(*_: Any, **__: Any) -> bool:
    return True


def before(place: str, only: Callable[..., Any] = _always) -> Wound:
    """Just before `place` is called, with arguments that are `only` so."""
    return lambda strike: _surround(place, came=lambda *args, **kwargs: only(*args, **kwargs) and strike())


def after(place: str, only: Callable[..., Any] = _always, *, giving: Callable[[Any], Any] = _always) -> Wound:
    """Just after `place` gave a result that is `giving` so, for arguments that are `only` so."""

    def wound(strike: Strike) -> None:
        _surround(place, went=lambda result, *args, **kwargs: only(*args, **kwargs) and giving(result) and strike())

    return wound


def at_commit(place: str, only: Callable[..., Any] = _always, *, kept: bool) -> Wound:
    """At the commit of the transaction in which `place` was called: just before the database has it, or once it is `kept`."""

    def wound(strike: Strike) -> None:
        here = threading.local()
        _surround(place, went=lambda _, *args, **kwargs: only(*args, **kwargs) and setattr(here, "armed", True))

        def commits(original: Callable[..., Any]) -> Callable[..., Any]:
            def do_commit(*args: Any) -> Any:
                armed, here.armed = getattr(here, "armed", False), False
                if armed and not kept:
                    strike()
                result = original(*args)
                if armed and kept:
                    strike()
                return result

            return do_commit

        _replace("sqlalchemy.engine.default:DefaultDialect.do_commit", commits)

    return wound


def migration_statement(strike: Strike) -> None:
    """Just before a statement that makes or changes tables is run."""
    from sqlalchemy import Engine, event

    here = threading.local()
    at_it = partial(setattr, here, "at_it")
    _surround("storage.upgrade:_run_migrations", came=lambda *_: at_it(True), went=lambda *_: at_it(False))

    @event.listens_for(Engine, "before_cursor_execute")
    def _statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if getattr(here, "at_it", False) and statement.split(maxsplit=1)[0].upper() in {"CREATE", "ALTER", "INSERT", "UPDATE", "DROP"}:
            strike()


def torn_record(strike: Strike) -> None:
    """Half of a WARC record is in the file."""

    def tears(original: Callable[..., Any]) -> Callable[..., Any]:
        def write(file: Any, record: bytes, offset: int) -> None:
            file.seek(offset)
            file.write(record[: len(record) // 2])
            strike()
            original(file, record, offset)

        return write

    _replace("storage.raw:_write_whole", tears)


def unflushed_record(strike: Strike) -> None:
    """A WARC record is written, and not flushed to the disk."""

    def flushes(original: Callable[..., Any]) -> Callable[..., Any]:
        def write(file: Any, record: bytes, offset: int) -> None:
            file.seek(offset)
            file.write(record)
            strike()
            original(file, record, offset)

        return write

    _replace("storage.raw:_write_whole", flushes)


TEXT = "text"
"""As a verb: the mail itself, up to the lonely dot."""


def saying(verb: str) -> Wound:
    """Just before the mail server is told `verb` (MAIL, RCPT, DATA; RFC 5321)."""
    return before("smtplib:SMTP.putcmd", only=lambda _smtp, said, *_: said.upper() == verb)


def answered(verb: str) -> Wound:
    """Just after the mail server's answer to `verb`, or to the TEXT, is read."""

    def wound(strike: Strike) -> None:
        here = threading.local()
        said = partial(setattr, here, "said")
        _surround("smtplib:SMTP.putcmd", came=lambda _smtp, command, *_: said(command.upper()))
        _surround("smtplib:SMTP.send", came=lambda _smtp, sent: _is_text(sent) and said(TEXT))
        _surround("smtplib:SMTP.getreply", went=lambda *_: getattr(here, "said", "") == verb and strike())

    return wound


def half_of_the_text(strike: Strike) -> None:
    """Half of the mail's text is on the line."""

    def halves(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(smtp: Any, sent: Any) -> None:
            if not _is_text(sent):
                return original(smtp, sent)
            middle = len(sent) // 2
            original(smtp, sent[:middle])
            strike()
            return original(smtp, sent[middle:])

        return send

    _replace("smtplib:SMTP.send", halves)


whole_text = after("smtplib:SMTP.send", only=lambda _smtp, sent: _is_text(sent))
"""The whole text is on the line, and its answer not read."""


def _is_text(sent: Any) -> bool:
    return isinstance(sent, bytes) and sent.endswith(b"\r\n.\r\n")


def _owner(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    *outer, name = path.split(".")
    return functools.reduce(getattr, outer, import_module(module)), name


def _replace(place: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name = _owner(place)
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(make(original)))


def _surround(place: str, came: Callable[..., Any] = _always, went: Callable[..., Any] = _always) -> None:
    """Call `came` with the arguments before `place`, and `went` with its result and the arguments after it."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            async def later(*args: Any, **kwargs: Any) -> Any:
                came(*args, **kwargs)
                result = await original(*args, **kwargs)
                went(result, *args, **kwargs)
                return result

            return later

        def now(*args: Any, **kwargs: Any) -> Any:
            came(*args, **kwargs)
            result = original(*args, **kwargs)
            went(result, *args, **kwargs)
            return result

        return now

    _replace(place, make)


def death(nth: int) -> Strike:
    """A strike that kills this process (SIGKILL) the `nth` time it is called, from whatever thread."""
    left = [nth]

    def strike() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return strike
