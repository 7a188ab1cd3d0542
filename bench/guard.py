"""Addresses inside the network, written at random, by every road: `python -m bench.guard --minutes 30 --folder F --seed 1`.

Counts connections at listeners on loopback; names are answered here and nothing is sent elsewhere (tests/net/address_forms.py).
A campaign in the same folder goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import time
from collections import Counter
from pathlib import Path

from core.document import DocumentKind
from core.errors import FetchError
from crawler.net.manners import Manners
from tests.net.address_forms import TURNED_NAMES, random_form, sealed_connect, sealed_look_up
from tests.net.servers import LOOPBACK, behaving, reply, serving, wanted

AT_ONCE = 200
OUTER = "127.0.0.2"
ROADS = ("feed", "page", "sitemap", "robots", "redirect", "proxy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("data/bench/guard"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    done = options.folder / "done.jsonl"
    portions = [json.loads(line) for line in done.read_text().splitlines()] if done.exists() else []
    strangers: list[str] = []
    socket.getaddrinfo = sealed_look_up(TURNED_NAMES)
    asyncio.selector_events.BaseSelectorEventLoop.sock_connect = sealed_connect(strangers)  # type: ignore[method-assign]
    until = time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        portion = asyncio.run(_portion(f"{options.seed}/{len(portions)}"))
        portions.append(portion | {"strangers": len(strangers)})
        with done.open("a") as file:
            file.write(json.dumps(portions[-1]) + "\n")
    total: Counter[str] = Counter()
    for portion in portions:
        total.update({name: count for name, count in portion.items() if isinstance(count, int)})
    print(json.dumps(dict(total), indent=2))


async def _portion(seed: str) -> dict[str, object]:
    """Every road tried with some forms; `connections` must be 0."""
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    async with serving({"*": reply()}, "0.0.0.0") as four, serving({"*": reply()}, "::", port=four.port) as six:
        targets = [random_form(chance).format(four.port) for _ in range(AT_ONCE)]
        pages = {f"/{number}": reply(302, headers={"Location": _one_line(target)}) for number, target in enumerate(targets)}
        async with serving(pages, OUTER) as outer, serving({"*": reply()}) as proxy, behaving(f"{OUTER}/32") as manners:
            for number, target in enumerate(targets):
                for road in ROADS:
                    way = f"http://{LOOPBACK}:{proxy.port}" if road == "proxy" else ""
                    url = outer.url(f"/{number}") if road == "redirect" else target
                    ends[f"{road} {await _end(manners, url, road, way)}"] += 1
    return dict(ends) | {"seed": seed, "forms": AT_ONCE, "connections": four.connections + six.connections + proxy.connections}


async def _end(manners: Manners, url: str, road: str, proxy: str) -> str:
    kinds = {"page": DocumentKind.PAGE, "sitemap": DocumentKind.SITEMAP, "robots": DocumentKind.ROBOTS}
    try:
        await manners.client.fetch(wanted(url, kinds.get(road, DocumentKind.FEED), proxy=proxy))
    except FetchError as error:
        return str(error.outcome)
    except Exception as error:  # noqa: BLE001  (the campaign's finding, whatever it is)
        print("FAULT", road, repr(url), repr(error))
        return "FAULT"
    return "fetched"


def _one_line(target: str) -> str:
    return target.strip().replace("\n", "").replace("\t", "")


if __name__ == "__main__":
    main()
