"""Does setting up and running reach any host but the configured index? python -m bench.offline_install [--folder FOLDER].

The wheels of requirements.lock are fetched once from the index that pip is configured for. Then, in a network namespace of
its own that has a loopback interface and nothing else, a fresh clone is set up with an index on loopback (the simple
repository API of PEP 503, forty lines below), and the made-up newsroom's demo runs in it: collecting, matching, mailing. No
other host can be reached there: what needs one fails. strace, where it is installed, counts the addresses that were tried.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "JINGBAO_BENCH_INSIDE"
_CONNECT = re.compile(r'connect\(\d+, \{sa_family=(AF_INET6?), .*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')
_LOOPBACK = ("127.", "::1")


class Index(BaseHTTPRequestHandler):
    """A folder of wheels as a simple repository."""

    folder: ClassVar[Path]
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        """A project's links, or a file."""
        kind, _, name = self.path.strip("/").partition("/")
        type(self).asked[kind] += 1
        if kind == "simple":
            self._answer(self._links(name.strip("/")).encode(), "text/html")
        elif (file := self.folder / Path(name).name).is_file():
            self._answer(file.read_bytes(), "application/octet-stream")
        else:
            self.send_error(404)

    def _links(self, project: str) -> str:
        """A project's files; PEP 503 asks for names in one form."""
        files = [file for file in sorted(self.folder.iterdir()) if _form(file.name.split("-")[0]) == project]
        return "".join(f'<a href="/files/{html.escape(f.name)}#sha256={_hash(f)}">{html.escape(f.name)}</a>\n' for f in files)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _form(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def fetch_wheels(folder: Path) -> None:
    """Everything requirements.lock names, from the index pip is configured for."""
    folder.mkdir(parents=True, exist_ok=True)
    order = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "-r", ROOT / "requirements.lock"]
    subprocess.run([*order, "-d", folder], check=True)


def inside(folder: Path) -> dict[str, object]:
    """What is done where there is nothing but loopback."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Index.folder = folder / "wheels"
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = _environment(folder, f"http://127.0.0.1:{server.server_address[1]}/simple/")
        setting_up = _traced(folder, "setup", ["make", "setup"], environment)
        demo = [".venv/bin/python", "-m", "tests.newsroom.demo", "--folder", str(folder / "demo")]
        running = _traced(folder, "demo", demo, environment)
        server.shutdown()
    return {"setup": setting_up, "demo": running, "index": dict(Index.asked)}


def _environment(folder: Path, index: str) -> dict[str, str]:
    """Only what is said here: no configuration of pip's from outside, no cache."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {
        "HOME": str(folder / "home"), "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index, "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


def _traced(folder: Path, name: str, order: list[str], environment: dict[str, str]) -> dict[str, object]:
    """Run something in the clone; gives how long it took, how it ended and which addresses it tried."""
    trace = folder / f"{name}.trace"
    strace = shutil.which("strace")
    watched = [strace, "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(trace), *order] if strace else order
    started = time.monotonic()
    with (folder / f"{name}.out").open("wb") as out:
        code = subprocess.run(watched, cwd=folder / "clone", env=environment, stdout=out, stderr=out, check=False).returncode
    tried = Counter(address for _, address in _CONNECT.findall(trace.read_text(errors="replace"))) if strace else Counter()
    away = {address: count for address, count in tried.items() if not address.startswith(_LOOPBACK)}
    seconds = round(time.monotonic() - started, 1)
    return {"exit code": code, "seconds": seconds, "watched": bool(strace), "connections": tried.total(), "elsewhere": away}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/bench/offline"))
    folder = parser.parse_args().folder.resolve()
    if INSIDE in os.environ:
        print(json.dumps(inside(folder), indent=2))
        return
    fetch_wheels(folder / "wheels")
    for name in ("clone", "demo", "home"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "home").mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)
    order = ["unshare", "--net", "--", sys.executable, "-m", "bench.offline_install", "--folder", folder]
    sys.exit(subprocess.run(order, cwd=ROOT, env={**os.environ, INSIDE: "1"}, check=False).returncode)


if __name__ == "__main__":
    main()
