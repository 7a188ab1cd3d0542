"""Snippets: passages of an article around what was found, cut where sentences and words end, in both scripts.

Marks are spans, never markup: whoever shows a snippet escapes its text and marks in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lexicon.expression import Field

if TYPE_CHECKING:
    from lexicon.matcher import Hit
    from lexicon.subject import Subject

ELLIPSIS = "…"
# A sentence with the marks that end it and the closing quotes behind; a full stop ends one only before a space.
_SENTENCE = re.compile(r"\s*(?:[^.。！？!?；…\n]|\.(?!\s|$))*(?:[.。！？!?；…]+[”’」』）)\"']*|\n|$)")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage on one line; `marks` are (start, end) of what was found in it, in order, not overlapping."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int

    def holds(self, hit: Hit) -> bool:
        return self.start <= hit.start and hit.end <= self.end


@dataclass(frozen=True, slots=True)
class _Window(_Span):
    """A passage; `cut_before` and `cut_after` say whether it leaves out a part of a sentence there."""

    cut_before: bool = False
    cut_after: bool = False


def snippets(hits: Sequence[Hit], subject: Subject, width: int, most: int = 2) -> list[Snippet]:
    """At most `most` passages of the subject's text with its hits marked, in the order of the text, none without a hit.

    Chosen are those that show the most different terms, then the earlier ones. `width` is in columns, of which a Han character
    takes two and others one; passages are whole sentences if one fits, and end in … where they are cut.
    """
    found = [hit for hit in hits if hit.field is Field.TEXT]
    chosen = _most_telling(_windows(subject.text, found, width), found, most)
    return [_snippet(subject.text, window, found) for window in chosen]


def marked_title(hits: Iterable[Hit], subject: Subject) -> Snippet:
    """The whole title with its hits marked."""
    marks = [_Span(hit.start, hit.end) for hit in hits if hit.field is Field.TITLE]
    return Snippet(_one_line(subject.title), _merged(marks))


def lead(text: str, width: int) -> Snippet:
    """The beginning of a text in at most `width` columns: what to show where nothing in it was found."""
    return _snippet(text, _window(text, _sentences(text), _Span(0, 0), width), [])


def columns(text: str) -> int:
    """How wide a text is: two for a Han character (and all else from U+2E80 on), one for others."""
    return sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    return 2 if char >= "\u2e80" else 1


def _sentences(text: str) -> list[_Span]:
    return [_Span(*found.span()) for found in _SENTENCE.finditer(text) if found[0]]


def _windows(text: str, hits: Sequence[Hit], width: int) -> list[_Window]:
    """A window for each hit that the one before does not hold."""
    sentences = _sentences(text)
    windows: list[_Window] = []
    for hit in hits:
        if not (windows and windows[-1].holds(hit)):
            windows.append(_window(text, sentences, _Span(hit.start, hit.end), width))
    return windows


def _window(text: str, sentences: Sequence[_Span], hit: _Span, width: int) -> _Window:
    """The sentence a hit begins in and as many after it as fit; a part of it if it is too wide itself."""
    i = next((i for i, sentence in enumerate(sentences) if hit.start < sentence.end), None)
    if i is None:
        return _Window(hit.start, hit.end)
    start, end = sentences[i].start, max(sentences[i].end, hit.end)
    room = width - columns(text[start:end].strip())
    if room < 0:
        return _cut(text, _Span(start, end), hit, width)
    for following in sentences[i + 1 :]:
        room -= columns(text[following.start : following.end])
        if room < 0:
            break
        end = following.end
    return _Window(start, end)


def _cut(text: str, sentence: _Span, hit: _Span, width: int) -> _Window:
    """A part of a sentence around a hit, a third of the room before it, no word divided."""
    room = max(width - columns(text[hit.start : hit.end]) - 2 * len(ELLIPSIS), 0)
    start = _reach(text, hit.start, sentence.start, room // 3)
    end = _reach(text, hit.end, sentence.end, room - columns(text[start : hit.start]))
    start = _reach(text, hit.start, sentence.start, room - columns(text[hit.end : end]))
    while start < hit.start and _inside_word(text, start):
        start += 1
    while end > hit.end and _inside_word(text, end):
        end -= 1
    return _Window(start, end, cut_before=start > sentence.start, cut_after=end < sentence.end)


def _reach(text: str, place: int, bound: int, room: int) -> int:
    """How far from `place` towards `bound` one gets in `room` columns."""
    step = 1 if bound > place else -1
    while place != bound:
        room -= _columns_of(text[place if step > 0 else place - 1])
        if room < 0:
            break
        place += step
    return place


def _inside_word(text: str, place: int) -> bool:
    """Whether a cut before the character at `place` would divide a word, or part it from its comma, where words are spaced."""
    around = text[place - 1 : place + 1]
    return place > 0 and len(around) == 2 and all(not char.isspace() and _columns_of(char) == 1 for char in around)


def _most_telling(windows: Sequence[_Window], hits: Sequence[Hit], most: int) -> list[_Window]:
    """Windows that do not overlap, chosen one by one for the terms not yet shown."""
    terms = {window: {hit.term for hit in hits if window.holds(hit)} for window in windows}
    shown: set[str] = set()
    chosen: list[_Window] = []
    left = list(windows)
    while left and len(chosen) < most:
        best = max(left, key=lambda window: len(terms[window] - shown))
        shown |= terms[best]
        chosen.append(best)
        left = [window for window in left if window.end <= best.start or window.start >= best.end]
    return sorted(chosen, key=lambda window: window.start)


def _snippet(text: str, window: _Window, hits: Iterable[Hit]) -> Snippet:
    whole = text[window.start : window.end]
    passage = whole.strip()
    start = window.start + len(whole) - len(whole.lstrip())
    end = start + len(passage)
    before, after = ELLIPSIS * window.cut_before, ELLIPSIS * window.cut_after
    shift = len(before) - start
    inside = [hit for hit in hits if hit.start < end and hit.end > start]
    marks = [_Span(max(hit.start, start) + shift, min(hit.end, end) + shift) for hit in inside]
    return Snippet(_one_line(before + passage + after), _merged(marks))


def _merged(spans: Iterable[_Span]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], span.end))
        else:
            merged.append((span.start, span.end))
    return tuple(merged)


def _one_line(text: str) -> str:
    """Every space and line break as a plain space, so that places stay true."""
    return "".join(" " if char.isspace() else char for char in text)
