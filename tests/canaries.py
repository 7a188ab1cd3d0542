"""Canaries: made-up secrets that are planted wherever a secret can stand, and must not be seen in anything that is put out.

The whole test run is searched: what tests print and log, what they capture from commands in this process and in others, and
at the end every file they left (archives, logs, mails), but for those a secret belongs in. A find fails the run.
"""

from __future__ import annotations

import asyncio.subprocess
import base64
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from tests.newsroom.setting import SMTP_PASSWORD

CANARIES = {
    "JINGBAO_SMTP_PASSWORD": SMTP_PASSWORD,
    "JINGBAO_MAIL_API_URL": "mailgun://news@mg.example.org/canary-api-key-0f9e8d7c6b5a",
    "JINGBAO_OAUTH_REFRESH_TOKEN": "canary-refresh-token-Kp3Wm9",
    "JINGBAO_OAUTH_CLIENT_SECRET": "canary-client-secret-Xb5Rn1",
}
"""What the environment of every test holds, and of every command a test starts."""
PING_URL = "https://ping.example/canary-ping-4c1d2e3f"
WRITTEN = "canary-"
"""Every canary holds this, and nothing else does."""
_ENCODED = tuple(base64.b64encode(b"\0" * shift + b"canary-")[shift + 1 : -3].decode() for shift in range(3))
"""It in base64, at each of the three places it may begin, without the characters its neighbours change."""
BELONGS = {"config.yaml", "oauth-token.json"}
"""Files in which a secret stands on purpose; also whatever ends in `.secret`."""
_LARGEST_BYTES = 50_000_000
_FINDS = "canaries"


def seen_in(text: str) -> bool:
    """Whether a canary is in a text, as it is or in base64 as SMTP sends it."""
    return WRITTEN in text or any(encoded in text for encoded in _ENCODED)


def files_with_canaries(folder: Path) -> Iterator[Path]:
    """The files under `folder` that hold one and should not."""
    for path in folder.rglob("*"):
        if path.name in BELONGS or path.suffix == ".secret" or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size <= _LARGEST_BYTES and WRITTEN.encode() in path.read_bytes():
            yield path


class Watch:
    """Plants the canaries for a test run, and looks for them in all that it puts out."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.finds: list[str] = []
        self.texts = 0
        self._restore: list[Callable[[], None]] = []

    def plant(self) -> None:
        """Put the secrets into the environment, and listen to what commands say."""
        for name, value in CANARIES.items():
            os.environ.setdefault(name, value)
        self._listen(subprocess.Popen, "communicate")
        self._listen(asyncio.subprocess.Process, "communicate")
        self._listen(pytest.CaptureFixture, "readouterr")

    def _listen(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def heard(*args: Any, **more: Any) -> Any:
            said = original(*args, **more)
            if asyncio.iscoroutine(said):
                return self._awaited(said)
            self.look(said)
            return said

        setattr(owner, name, heard)
        self._restore.append(lambda: setattr(owner, name, original))

    async def _awaited(self, said: Any) -> Any:
        result = await said
        self.look(result)
        return result

    def look(self, said: Any) -> None:
        """Search the two streams of a command or a test."""
        for stream in said or ():
            text = stream.decode("utf-8", "replace") if isinstance(stream, bytes) else str(stream or "")
            self.texts += 1
            if seen_in(text):
                test = os.environ.get("PYTEST_CURRENT_TEST", "?")
                self.finds.append(f"{test}: what a command said: {_around(text)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        """Search what a test printed and logged."""
        report: Any = yield
        for name, text in report.sections:
            self.texts += 1
            if seen_in(text):
                self.finds.append(f"{item.nodeid}: {name}: {_around(text)}")
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search the files the tests left, and fail the run if anything was found."""
        for undo in self._restore:
            undo()
        factory = getattr(self.config, "_tmp_path_factory", None)
        folder = getattr(factory, "_basetemp", None)
        if folder is not None and not self.config.pluginmanager.hasplugin("dsession"):  # else the workers have searched
            self.finds += [f"the file {path}" for path in files_with_canaries(folder)]
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[_FINDS] = self.finds
        if self.finds:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what one of several test processes (pytest-xdist) found."""
        self.finds += getattr(node, "workeroutput", {}).get(_FINDS, [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell what was found."""
        if self.finds:
            terminalreporter.section("secrets were shown", red=True)
            for find in self.finds:
                terminalreporter.line(find)


def _around(text: str) -> str:
    place = max(text.find(WRITTEN), 0)
    return repr(text[max(place - 80, 0) : place + 60])
