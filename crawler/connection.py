"""Is it the source that fails, or our own line? When all that was sound falls silent at once, no source is to blame.

A line is one way out: the direct one, or a proxy. It is judged down by silence alone: no name found, no connection, no answer.
Any answer, also a refusal, shows that it works. While it is down a source or two is asked now and then; all others wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.errors import FetchError, JingbaoError
from core.outcomes import Outcome

WITNESSES = 5
"""So many hosts that answered before must fall silent, with no answer of any in between; all of them where there are fewer."""
FEWEST_WITNESSES = 3
"""With fewer hosts a dead line cannot be told from dead sources; then their reasons name the fault."""
AT_ONCE = timedelta(minutes=30)
LONGEST_AT_ONCE = timedelta(hours=6)
"""Where sources are asked less often than every half hour, it takes as long as their intervals until all have been."""
_GATEWAYS_WORD = frozenset({0, 502, 503, 504})
PROBE_GAPS = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300))
PROBES_AT_ONCE = 2
"""So that one source which died meanwhile does not keep the line down."""


def is_silence(error: JingbaoError, *, by_gateway: bool = False) -> bool:
    """Whether nothing was heard at all.

    `by_gateway`: an http proxy asked for us, whose own word for that is 502, 503 or 504 (RFC 9110, 15.6).
    """
    if not isinstance(error, FetchError) or error.outcome not in {Outcome.FAILED, Outcome.TOO_SLOW}:
        return False
    unheard = _GATEWAYS_WORD if by_gateway else {0}
    return error.status in unheard and error.retry_after_seconds is None


def is_answer(error: JingbaoError) -> bool:
    """Whether the host was heard just now. What is remembered (robots.txt, a pause it asked for) tells nothing of the line."""
    if not isinstance(error, FetchError):
        return True
    return bool(error.status) or error.outcome is Outcome.TOO_BIG


@dataclass(frozen=True, slots=True)
class _Silence:
    at: datetime
    host: str
    was_sound: bool


@dataclass(slots=True)
class Line:
    """What is known of one line."""

    down_since: datetime | None = None
    probes: int = 0
    next_probe: datetime = datetime.min
    silent: dict[str, _Silence] = field(default_factory=dict)  # by source, since the last answer


class Connection:
    """What is known of each line; times are aware UTC. Restarted, it goes on with `down`: since when which lines are down."""

    def __init__(self, down: Mapping[str, datetime] | None = None) -> None:
        self._lines = {name: Line(down_since=since, next_probe=since) for name, since in (down or {}).items()}

    @property
    def down(self) -> dict[str, datetime]:
        """The lines that are down, and since when."""
        return {name: line.down_since for name, line in self._lines.items() if line.down_since}

    def heard(self, name: str) -> bool:
        """Something was heard over a line; gives whether it was down till now."""
        line = self._lines.pop(name, None)
        return line is not None and line.down_since is not None

    def silent(
        self, name: str, key: str, host: str, now: datetime, *, was_sound: bool, hosts: int, within: timedelta = AT_ONCE
    ) -> set[str]:
        """The source `key` was not heard; gives the sources to forgive if by this the line is judged down, else none.

        `was_sound`: its last run was good, or it had none. `hosts` is how many are asked over this line,
        `within` the time in which all of them are asked.
        """
        line = self._lines.setdefault(name, Line())
        line.silent[key] = _Silence(now, host, was_sound)
        if line.down_since:
            return set()
        line.silent = {key: each for key, each in line.silent.items() if now - each.at <= within}
        witnesses = {each.host for each in line.silent.values() if each.was_sound}
        if len(witnesses) < max(min(WITNESSES, hosts), FEWEST_WITNESSES):
            return set()
        line.down_since = min(each.at for each in line.silent.values() if each.was_sound)
        line.next_probe = now + PROBE_GAPS[0]
        return set(line.silent)

    def line(self, name: str) -> Line | None:
        """All that is known of a line, to be given back to `take_back`."""
        return deepcopy(self._lines.get(name))

    def take_back(self, name: str, line: Line | None) -> None:
        """Know of a line what was known before: what was judged since could not be kept."""
        if line is None:
            self._lines.pop(name, None)
        else:
            self._lines[name] = line

    def is_down(self, name: str) -> bool:
        """Whether a line is judged down."""
        line = self._lines.get(name)
        return line is not None and line.down_since is not None

    def keep_only(self, names: Collection[str]) -> bool:
        """Forget the lines that nobody goes over any more; gives whether one of them was down."""
        gone = self._lines.keys() - set(names)
        were_down = any(self.is_down(name) for name in gone)
        for name in gone:
            del self._lines[name]
        return were_down

    def may_probe(self, name: str, now: datetime) -> bool:
        """Whether a line that is down is to be probed at `now`."""
        return not now < self._lines[name].next_probe <= now + PROBE_GAPS[-1]  # further ahead: the clock was put back

    def probed(self, name: str, now: datetime) -> None:
        """A probe was given out at `now`: the next has its turn after a longer gap. Nothing if the line is back meanwhile."""
        if (line := self._lines.get(name)) is not None:
            line.next_probe = now + PROBE_GAPS[min(line.probes, len(PROBE_GAPS) - 1)]
            line.probes += 1
