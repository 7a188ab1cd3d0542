"""Sending by a sendmail program of this machine (Postfix, Exim, msmtp, nullmailer bring one)."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.transports.talk import Hear, Said, to_nobody
from core.errors import ChannelError, RefusedError, SendError, TryLaterError, UncertainError
from core.secrets import mask

if TYPE_CHECKING:
    from alerts.transport import Parcel

# sysexits.h, as sendmail(8) gives them; any other is read as a passing fault.
_KINDS: dict[int, type[SendError]] = {
    os.EX_USAGE: ChannelError,
    os.EX_DATAERR: RefusedError,
    os.EX_NOUSER: RefusedError,
    os.EX_NOHOST: RefusedError,
    os.EX_NOPERM: ChannelError,
    os.EX_CONFIG: ChannelError,
}
# What the codes say of where to look (sysexits.h).
_ADVICE = {
    os.EX_USAGE: "it does not take the options of sendmail(8): set mail.sendmail to a program that does",
    os.EX_NOUSER: "it does not know the recipient: check the address",
    os.EX_NOHOST: "it does not know the recipient's or its relay's host: check the address, and the relay in its configuration",
    os.EX_UNAVAILABLE: "its relay did not answer or took no mail: see its log and its configuration",
    os.EX_SOFTWARE: "it failed within itself: see its log",
    os.EX_OSERR: "the system gave it no process or memory",
    os.EX_CANTCREAT: "it cannot write its queue: see its folder's rights",
    os.EX_IOERR: "it could not read or write: is its disk full?",
    os.EX_TEMPFAIL: "it puts the mail off; it is handed over again later",
    os.EX_PROTOCOL: "it and its relay did not understand each other: see its log",
    os.EX_NOPERM: "it refuses this user, or the relay its sign-in: see its configuration",
    os.EX_CONFIG: "its configuration has a fault",
}


@dataclass(frozen=True, slots=True)
class SendmailTransport:
    """Hands each message to `program`, which queues it: that it is queued is all that is known then."""

    program: str
    hear: Hear = to_nobody
    timeout_seconds: float = 120

    async def send(self, parcel: Parcel) -> None:
        """Run the program once. Raises what its exit code means; one that hangs is killed, and may have queued the mail."""
        command = (self.program, "-i", "-f", parcel.sender, "--", parcel.recipient)
        self.hear(Said(0.0, "C", " ".join(command)))
        starting = asyncio.ensure_future(self._start(command))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:  # by then it may run already
            await _end(await starting)
            raise UncertainError(f"{self.program} was killed before it ended") from None
        try:
            async with asyncio.timeout(self.timeout_seconds):
                _, said = await process.communicate(parcel.content.replace(b"\r\n", b"\n"))
        except TimeoutError:
            raise UncertainError(f"{self.program} did not end within {self.timeout_seconds:g} s, and was killed") from None
        except asyncio.CancelledError:
            raise UncertainError(f"{self.program} was killed before it ended") from None
        except (BrokenPipeError, ConnectionResetError):
            said = b""
        finally:
            await _end(process)
        self._judge(process.returncode or 0, " ".join(mask(said.decode("utf-8", "replace")).split())[:300])

    async def _start(self, command: tuple[str, ...]) -> Process:
        try:
            return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ChannelError(f"{self.program} cannot be started ({reason}): set mail.sendmail to where it is") from error

    def _judge(self, code: int, said: str) -> None:
        self.hear(Said(0.0, "S", f"exit code {code} {said}".rstrip()))
        if code:
            kind = _KINDS.get(code, TryLaterError)
            what = f"{self.program} ended with {code}" + (f": {said.rstrip('.')}" if said else "")
            raise kind(f"{what}. {_ADVICE[code].capitalize()}" if code in _ADVICE else what)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
