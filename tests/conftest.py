"""Tests written as coroutines run in a fresh event loop; tests of the archive run on both databases; nothing else is global."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core import secrets
from tests.canaries import Watch
from tests.databases import KINDS, fresh_url


def pytest_configure(config: pytest.Config) -> None:
    """Plant secrets, and search all that the run puts out for them."""
    watch = Watch(config)
    watch.plant()
    config.pluginmanager.register(watch, "canaries")


@pytest.fixture(autouse=True)
def _no_secret_is_known() -> None:
    """What one test makes a secret is none in the next, whose words it may be."""
    secrets._hidden.clear()
    secrets._pattern = None


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests; a minute is the most any may take, so that a hang is a failure and not a silence."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(asyncio.wait_for(pyfuncitem.function(**arguments), 60))
    return True


@pytest.fixture
def shared_data() -> Path:
    """The folder of captured feeds and pages, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("captured data is not here; the own counterparts of these tests ran")
    return SHARED


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test works on. Each test that asks for an archive runs once on each; `only` picks one."""
    return str(request.param)


@pytest.fixture
def database_url(database: str, tmp_path: Path) -> Iterator[str]:
    """Where the test's archive is, or would be."""
    with ExitStack() as stack:
        yield fresh_url(database, tmp_path, stack)
