"""Does the daemon do all its work in the unit's sandbox? python -m bench.sandbox (needs root, bubblewrap, systemd-analyze).

What systemd would do is done by hand, as near as can be: the file system read-only but for the data folder, a /tmp, /dev and
account of its own (bubblewrap); no new privileges; the unit's own SystemCallFilter, RestrictAddressFamilies,
MemoryDenyWriteExecute and RestrictNamespaces as seccomp filters (libseccomp). The names of the calls come from
`systemd-analyze syscall-filter`. Then the made-up newsroom is collected and mailed: reading workers, lxml, numpy, SQLite,
aiohttp, Twisted, smtplib. First it is shown that the sandbox refuses what it should.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from console.unit import STATE_FOLDER, Unit
from core.clock import VARIABLE, Clock, WallClock
from scheduler.heartbeat import Heartbeat, heartbeat_file
from tests.newsroom.daemon import COMMAND, tail
from tests.newsroom.mailbox import mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import SMTP_PASSWORD, configuration, write_configuration
from tests.newsroom.site import newsroom_app
from tests.scheduler.manager import listening

ROOT = Path(__file__).resolve().parents[1]
RULES = [{"name": "everything", "title": "Everything", "query": "lang:zh OR lang:en", "when": "now"}]
LONGEST_SECONDS = 240
ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # seccomp.h
EQUAL, GREATER, MASKED = 4, 6, 7
WRITE, EXECUTE = 2, 4  # mman-common.h
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00000080)  # sched.h
REFUSED = {
    "a page that is written and run": "import mmap; mmap.mmap(-1, 4096, prot=7)",
    "a socket of another family": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a namespace of its own": "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x20000) and 'unshare failed')",
    "another priority": "import os; os.nice(-1)",
    "a file elsewhere": "open('/etc/jingbao-was-here', 'w')",
    "another owner": "import os; os.chown('config.yaml', 1, 1)",
}


class Comparison(ctypes.Structure):
    """libseccomp's `struct scmp_arg_cmp`: an argument's number, an operator, one or two numbers."""

    _fields_ = (("argument", ctypes.c_uint), ("how", ctypes.c_int), ("one", ctypes.c_uint64), ("other", ctypes.c_uint64))


class Filter:
    """A seccomp filter that does `otherwise` with every call no rule speaks of."""

    def __init__(self, otherwise: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(otherwise))

    def rule(self, action: int, call: str, *when: Comparison) -> None:
        """Do `action` with a call, if its arguments are so. A call this machine does not have is passed over."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            wanted = (Comparison * len(when))(*when)
            fault = self._library.seccomp_rule_add_array(self._context, action, number, len(when), wanted)
            if fault and fault != -errno.EACCES:  # it does what the filter does anyway
                raise OSError(-fault, f"{call}: {os.strerror(-fault)}")

    def load(self) -> None:
        """Hold this process and its children to it, for good."""
        if fault := self._library.seccomp_load(self._context):
            raise OSError(-fault, os.strerror(-fault))


def refuse(number: int) -> int:
    """The action of a filter that fails a call with an errno."""
    return _ERRNO | number


def allowed_calls(unit: str) -> set[str]:
    """The calls a unit's SystemCallFilter lines let through, in the order they stand."""
    calls: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.+)$", unit, re.MULTILINE):
        named = {call for word in line.removeprefix("~").split() for call in members(word)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def members(name: str) -> set[str]:
    """The calls of a group (@…), of the groups in it too; a call alone is itself."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    words = [line.strip() for line in listed.splitlines()[1:]]
    return {call for word in words if word and not word.startswith("#") for call in members(word)}


def confine(unit: str) -> None:
    """Hold this process to a unit's filters (systemd.exec(5) says what each line means)."""
    families = {getattr(socket, name) for name in re.findall(r"AF_\w+", unit)}
    others = Filter(ALLOW)
    for family in range(64):
        if family not in families:
            others.rule(refuse(errno.EAFNOSUPPORT), "socket", Comparison(0, EQUAL, family))
    others.rule(refuse(errno.EPERM), "mmap", Comparison(2, MASKED, WRITE | EXECUTE, WRITE | EXECUTE))
    for call in ("mprotect", "pkey_mprotect"):
        others.rule(refuse(errno.EPERM), call, Comparison(2, MASKED, EXECUTE, EXECUTE))
    for flag in NAMESPACES:
        for call in ("clone", "unshare"):
            others.rule(refuse(errno.EPERM), call, Comparison(0, MASKED, flag, flag))
    others.rule(refuse(errno.ENOSYS), "clone3")
    others.rule(refuse(errno.EPERM), "setns")
    others.load()
    calls = Filter(refuse(errno.EPERM))
    for call in sorted(allowed_calls(unit) | {"seccomp"}):
        calls.rule(ALLOW, call)
    calls.load()


def sandboxed(folder: Path, *command: str | Path) -> list[str]:
    """A command line that runs `command` in the sandbox, with `folder` as its only writable place."""
    return [
        "bwrap", "--die-with-parent", "--unshare-user", "--uid", "10001", "--gid", "10001", "--unshare-ipc", "--unshare-uts",
        "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", str(folder), str(folder),
        "--ro-bind", str(folder / "config.yaml"), str(folder / "config.yaml"), "--chdir", str(ROOT),
        sys.executable, "-m", "bench.sandbox", "--inside", str(folder), *map(str, command),
    ]  # fmt: skip


def run(order: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(order, capture_output=True, text=True, check=False)


def show_refusals(folder: Path) -> None:
    """Try what the sandbox is there to refuse."""
    for what, code in REFUSED.items():
        tried = f"import os; os.chdir({str(folder)!r})\n{code}"
        ended = run(sandboxed(folder, sys.executable, "-c", tried))
        said = ended.stderr.strip().splitlines()[-1:] or ["nothing"]
        print(f"{what:34} {'refused' if ended.returncode else 'ALLOWED'}: {said[0]}")


async def work(folder: Path) -> None:
    """Collect and mail the newsroom from within the sandbox; prints how it went."""
    clock = Clock(WallClock().now(), 60.0, WallClock().started_monotonic)
    newsroom = Newsroom(clock.now)
    async with playing(newsroom_app(newsroom)) as proxy:
        with mailbox() as box, listening(folder / "notify") as ear:
            values = configuration(newsroom.outlets, proxy=proxy.url, mailbox=box, rules=RULES, interval_minutes=1)
            write_configuration(folder, values)
            show_refusals(folder)
            settings = {VARIABLE: clock.shared(), "JINGBAO_SMTP_PASSWORD": SMTP_PASSWORD, "NOTIFY_SOCKET": ear.address}
            log = folder / "log"
            with log.open("wb") as out:
                order = sandboxed(folder, COMMAND, "--config", folder / "config.yaml", "run")
                daemon = await asyncio.create_subprocess_exec(*order, stdout=out, stderr=out, env=os.environ | settings)
            await asyncio.wait_for(ear.until("READY"), LONGEST_SECONDS)
            while not newsroom.all_visited:  # noqa: ASYNC110  (sites tell nobody)
                await asyncio.sleep(0.2)
            newsroom.begin_day()
            while not any("first-light" not in mail.message["List-Id"] for mail in box.received):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            health = await asyncio.to_thread(run, sandboxed(folder, COMMAND, "--config", folder / "config.yaml", "health"))
            if heartbeat := Heartbeat.read(heartbeat_file(folder / "data")):
                os.kill(heartbeat.pid, signal.SIGTERM)  # bwrap hands no signals on
            code = await daemon.wait()
    written = log.read_text(encoding="utf-8")
    stored = sum(map(int, re.findall(r" new=(\d+)", written)))
    wrong = re.findall(r"^.*(?: WARNING | ERROR |Traceback|not permitted).*$", written, re.MULTILINE)
    print(f"ready, {stored} articles stored, {len(box.received)} mails, ended with {code}")
    print(f"health: {health.returncode} {health.stdout or health.stderr}".rstrip())
    print("\n".join(wrong) or "no warning, no error in its log")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        folder, *command = arguments.inside
        confine(Unit(system=True, command=COMMAND, config=Path(folder), data_folder=STATE_FOLDER).text())
        os.execvp(command[0], command)
    for tool in ("bwrap", "systemd-analyze"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not here")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # the sandbox has a /tmp of its own
        folder = Path(name).resolve()
        try:
            asyncio.run(asyncio.wait_for(work(folder), LONGEST_SECONDS))
        except TimeoutError:
            raise SystemExit(f"it did not get through:\n{tail(folder / 'log')}") from None


if __name__ == "__main__":
    main()
