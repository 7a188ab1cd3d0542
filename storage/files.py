"""An SQLite archive's files, looked at before SQLite opens them: it would take what is missing or torn for a crash's leavings.

SQLite drops the log of an empty or missing database, and reads a log up to the first page that does not add up, both without
a word (sqlite.org/walformat.html, 4 and 5). So what can be told of them is told here, from outside: a database that was
there must not become a new one, nor one of an hour ago, unnoticed.

A process must not open and close a database's files by itself while it has connections to it (POSIX locks, sqlite.org/
howtocorrupt.html, 2.2): `Sqlite` sees to that.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import DamagedError

_LOG_HEADER = struct.Struct(">8I")  # magic, version, page size, checkpoints, two salts, two checksums
_FRAME_HEADER_BYTES = 24
_MAGIC, _MAGIC_BIG_ENDIAN = 0x377F0682, 0x377F0683
_SHM_BYTES = 136
_LIVE_BYTE = 128  # of the -shm file: every open connection holds a shared lock on it (WAL_DMS in SQLite's os_unix.c)
# Adding up a log takes Python a second for 16 MB; an archive that is written every few minutes keeps it far smaller.
_MOST_BYTES_ADDED_UP = 16_000_000
ADVICE = "Keep a copy of the files, and bring a backup back: jingbao restore FILE"


def log_of(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


def memory_of(path: Path) -> Path:
    """The index of the log, which connections share."""
    return path.with_name(path.name + "-shm")


def is_there(path: Path) -> bool:
    """Whether there is a database at `path`. Raises DamagedError if one was there and is empty or gone."""
    log = log_of(path)
    left = log.stat().st_size if log.exists() else 0
    if not path.exists():
        if left:
            raise DamagedError(f"{path} is gone, though {log.name} holds what was written last. {ADVICE}")
        return False
    if path.is_file() and path.stat().st_size == 0:  # jingbao makes a file whole before it has this name
        raise DamagedError(f"{path} is empty, so an archive was lost there. {ADVICE} (or remove the file, to begin anew)")
    return True


def examine_log(path: Path) -> None:
    """Whether the log of a database nobody has open holds all that was committed. Raises DamagedError.

    Reads the files and changes nothing. What cannot be known (both log and index are gone) passes.
    """
    memory = _memory(memory_of(path))
    if memory and memory.live:
        return  # whoever has it open read the log when it was whole
    log = log_of(path)
    fault = _fault(_start(log), log.stat().st_size if log.exists() else 0, memory)
    if fault:
        raise DamagedError(f"{log} {fault}, so that {path.name} lacks what was written last. {ADVICE}")


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the -shm file remembers of the log: frames committed, frames already moved into the database, the log's salts."""

    live: bool
    committed: int
    moved: int
    salts: bytes
    page_bytes: int


def _memory(path: Path) -> _Memory | None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            data = os.pread(descriptor, _SHM_BYTES, 0)
            live = _held(descriptor)
        finally:
            os.close(descriptor)
        if len(data) == _SHM_BYTES and data[:48] == data[48:96]:  # written twice; unequal, it was being written
            committed = struct.unpack_from("=I", data, 16)[0]
            size = struct.unpack_from("=H", data, 14)[0]
            moved = struct.unpack_from("=I", data, 96)[0]
            return _Memory(live, committed, moved, data[32:40], (size & 0xFE00) | ((size & 1) << 16))
        return _Memory(live, 0, 0, b"", 0)
    return None


def _held(descriptor: int) -> bool:
    """Whether another process has the database open."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LIVE_BYTE)
    except OSError:
        return True
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _LIVE_BYTE)
    return False


def _start(log: Path) -> bytes:
    """The first bytes of a log, as many as are ever added up: the whole may be too big for the memory."""
    if not log.exists():
        return b""
    with log.open("rb") as file:
        return file.read(_LOG_HEADER.size + _MOST_BYTES_ADDED_UP)


def _fault(data: bytes, size: int, memory: _Memory | None) -> str:
    """What is wrong with a log of so many bytes that begins so, in words that follow its name; nothing if nothing is seen."""
    owed = memory.committed if memory and memory.committed > memory.moved else 0
    if not data.strip(b"\0"):  # made, not yet written: zeros are what a power cut makes of that
        return "is missing or empty" if owed else ""
    if not _is_log(data):
        return "is damaged"
    if not memory or not owed or data[16:24] != memory.salts:  # other salts: begun anew after all of it was moved
        return ""
    frame = _FRAME_HEADER_BYTES + memory.page_bytes
    if size < _LOG_HEADER.size + owed * frame:
        return "is cut short"
    return "" if _adds_up(data, owed, frame) else "is damaged"


def _is_log(data: bytes) -> bool:
    if len(data) < _LOG_HEADER.size:
        return False
    header = _LOG_HEADER.unpack_from(data)
    return header[0] in {_MAGIC, _MAGIC_BIG_ENDIAN} and _sum(data[:24], (0, 0), _order(data)) == header[6:]


def _adds_up(data: bytes, frames: int, frame: int) -> bool:
    """Whether every one of the first frames is as it was written: each carries the sum of all before it."""
    if frames * frame > _MOST_BYTES_ADDED_UP:
        return True
    order, total = _order(data), _LOG_HEADER.unpack_from(data)[6:]
    for start in range(_LOG_HEADER.size, _LOG_HEADER.size + frames * frame, frame):
        total = _sum(data[start : start + 8], total, order)
        total = _sum(data[start + _FRAME_HEADER_BYTES : start + frame], total, order)
        if data[start + 8 : start + 16] != data[16:24] or struct.unpack_from(">2I", data, start + 16) != total:
            return False
    return True


def _order(data: bytes) -> str:
    return ">" if struct.unpack_from(">I", data)[0] == _MAGIC_BIG_ENDIAN else "<"


def _sum(data: bytes, start: tuple[int, ...], order: str) -> tuple[int, int]:
    """The log's checksum over bytes, eight at a time (sqlite.org/fileformat2.html, 4.2)."""
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
