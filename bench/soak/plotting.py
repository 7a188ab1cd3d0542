"""Four panels over the crawls, as an SVG without any library: memory, descriptors, tasks, loop lag."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from bench.soak.figures import Life

WIDTH, HEIGHT, LEFT, TOP, GAP = 1000, 190, 70, 56, 56
_COLOURS = ("#1f5f8b", "#c2571a", "#3d7d3d", "#7a4f9a")
_Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A title and named series; a series is a list of points for each life."""

    title: str
    series: dict[str, list[_Points]]
    line: float | None = None


def plot(lives: Sequence[Life], title: str) -> str:
    """The soak as SVG."""
    panels = _panels(lives)
    starts = [float(life.samples[0].crawls) for life in lives]
    right = _rounded_up(max((life.samples[-1].crawls for life in lives), default=1))
    height = TOP + len(panels) * (HEIGHT + GAP)
    drawn = "".join(_draw(panel, TOP + number * (HEIGHT + GAP), right, starts) for number, panel in enumerate(panels))
    head = f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>'
    box = f'viewBox="0 0 {WIDTH + LEFT + 30} {height}" width="{WIDTH + LEFT + 30}" height="{height}"'
    paper = '<style>text{font-family:sans-serif;fill:#222}</style><rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{paper}{head}{drawn}</svg>\n'


def _panels(lives: Sequence[Life]) -> list[Panel]:
    def of(*names: str) -> dict[str, list[_Points]]:
        return {name.replace("_", " "): [_series(life, name) for life in lives] for name in names}

    lag = {"longest of a sample": [_lags(life, max) for life in lives], "median": [_lags(life, _median) for life in lives]}
    return [
        Panel("Memory of the daemon (rss, uss) and of its reading workers, MB", of("rss", "uss", "workers_uss")),
        Panel("File descriptors and threads", of("descriptors", "threads")),
        Panel("asyncio tasks", of("tasks")),
        Panel("Lag of the event loop, s (line: 0.25)", lag, line=0.25),
    ]


def _series(life: Life, name: str) -> _Points:
    pairs = [(float(sample.crawls), getattr(sample, name)) for sample in life.samples]
    return [(x, float(y)) for x, y in pairs if y is not None]


def _lags(life: Life, of: Callable[[list[float]], float]) -> _Points:
    return [(float(sample.crawls), of(sample.lags)) for sample in life.samples if sample.lags]


def _median(lags: list[float]) -> float:
    return sorted(lags)[len(lags) // 2]


def _draw(panel: Panel, top: float, right: float, starts: Sequence[float]) -> str:
    ys = [y for lives in panel.series.values() for points in lives for _, y in points]
    most = _rounded_up(max([*ys, panel.line or 0.0, 1e-9]))

    def at(x: float, y: float) -> str:
        return f"{LEFT + x / right * WIDTH:.1f},{top + HEIGHT - y / most * HEIGHT:.1f}"

    def stroke(points: _Points, colour: str, more: str = "") -> str:
        path = " ".join(at(x, y) for x, y in points)
        return f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" {more} points="{path}"/>'

    parts = [f'<text x="{LEFT}" y="{top - 6}" font-size="13">{escape(panel.title)}</text>', _frame(top, most, right)]
    parts += [stroke([(start, 0), (start, most)], "#bbb", 'stroke-dasharray="2 3"') for start in starts]
    if panel.line is not None:
        parts.append(stroke([(0, panel.line), (right, panel.line)], "#b00020", 'stroke-dasharray="6 4"'))
    for number, (name, lives) in enumerate(panel.series.items()):
        colour, x = _COLOURS[number], LEFT + WIDTH - 200 * (len(panel.series) - number)
        parts += [stroke(points, colour) for points in lives]
        parts.append(f'<text x="{x}" y="{top - 6}" font-size="12" style="fill:{colour}">{escape(name)}</text>')
    return "".join(parts)


def _rounded_up(most: float) -> float:
    """The next number whose quarters read well."""
    scale: float = 10.0 ** math.floor(math.log10(most))
    return next(step * scale for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10) if step * scale >= most)


def _frame(top: float, most: float, right: float) -> str:
    bottom = top + HEIGHT
    parts = [f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>']
    for quarter in range(5):
        y, x = bottom - quarter / 4 * HEIGHT, LEFT + quarter / 4 * WIDTH
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" font-size="11" text-anchor="end">{most * quarter / 4:.3g}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y}" y2="{y}" stroke="#eee"/>')
        parts.append(f'<text x="{x}" y="{bottom + 15}" font-size="11" text-anchor="middle">{right * quarter / 4:,.0f}</text>')
    below = f'<text x="{LEFT + WIDTH}" y="{bottom + 30}" font-size="11" text-anchor="end">'
    return "".join([*parts, below, "crawls; dotted: a new process</text>"])
