"""What a service manager hears, on a real datagram socket."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.notify import ServiceManager
from tests.scheduler.manager import listening


@pytest.mark.parametrize("abstract", [False, True])
def test_every_message_arrives_at_a_path_and_at_an_abstract_address(tmp_path: Path, abstract) -> None:
    with listening(f"@jingbao-{uuid.uuid4()}" if abstract else tmp_path / "notify") as ear:
        manager = ServiceManager(ear.address)
        manager.wait_longer(timedelta(seconds=60))
        manager.ready("3 sources on,\n0 articles today")
        manager.reloading()
        manager.status("STATUS line")
        manager.alive()
        manager.stopping()
        longer, ready, reloading, status, alive, stopping = ear.heard()

    assert longer == {"EXTEND_TIMEOUT_USEC": "60000000"}
    assert ready == {"READY": "1", "STATUS": "3 sources on, 0 articles today"}
    assert reloading.keys() == {"RELOADING", "MONOTONIC_USEC"}
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert (status, alive) == ({"STATUS": "STATUS line"}, {"WATCHDOG": "1"})
    assert stopping["STOPPING"] == "1"


def test_the_environment_names_it_and_is_emptied_so_that_no_child_speaks_in_our_name(tmp_path: Path) -> None:
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/",
    }  # fmt: skip
    manager = ServiceManager.from_environment(environment)

    assert manager.watchdog == timedelta(seconds=60)
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": "/run/x"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "60000000"},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "60000000"},
    ],
)
def test_no_watchdog_waits_where_none_is_named_or_another_process_is_meant(environment) -> None:
    assert ServiceManager.from_environment(environment).watchdog is None


def test_nobody_listening_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for address in ("", str(tmp_path / "absent"), str(tmp_path / "file"), "/" + "x" * 200):
        ServiceManager(address).ready("")


def test_a_manager_that_does_not_read_holds_up_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        manager = ServiceManager(str(tmp_path / "notify"))
        for _ in range(5000):
            manager.alive()
