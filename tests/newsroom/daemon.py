"""jingbao as its users start it: the command, in a process of its own, with a set clock."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import VARIABLE, Clock
from tests.newsroom.setting import SMTP_PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMMAND = Path(sys.executable).with_name("jingbao")
STOP_SECONDS = 35  # the daemon promises to end within 30
NOTHING_FOUND = 3


class JingbaoFailedError(Exception):
    """A jingbao command ended in a way it should not; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Jingbao:
    """The command with one configuration and one clock."""

    config: Path
    clock: Clock

    @asynccontextmanager
    async def running(self, log: Path) -> AsyncIterator[Process]:
        """The daemon, its output in `log`; ended by SIGTERM. Raises JingbaoFailedError if it does not end cleanly."""
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                COMMAND, "--config", self.config, "run", stdin=DEVNULL, stdout=out, stderr=out, env=self._environment()
            )
        try:
            yield process
        finally:
            await _end(process)
        if process.returncode:
            raise JingbaoFailedError(f"jingbao run ended with {process.returncode}:\n{tail(log)}")

    async def ask(self, *arguments: str) -> Any:
        """What a command answers with `--json`; None if it found nothing. Raises JingbaoFailedError if it fails."""
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            "--config",
            self.config,
            *arguments,
            "--json",
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env=self._environment(),
        )
        answer, complaint = await process.communicate()
        if process.returncode == NOTHING_FOUND:
            return None
        if process.returncode:
            said = complaint.decode(errors="replace")
            raise JingbaoFailedError(f"jingbao {' '.join(arguments)} ended with {process.returncode}:\n{said}")
        return json.loads(answer)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, VARIABLE: self.clock.shared(), "NO_COLOR": "1", "JINGBAO_SMTP_PASSWORD": SMTP_PASSWORD}


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
