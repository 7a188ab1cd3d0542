"""A log line is one line, whatever a title holds."""

from __future__ import annotations

import io
import logging

from hypothesis import given
from hypothesis import strategies as st

from core.log import LineFormatter, log_to, values


def record(**fields) -> logging.LogRecord:
    made = logging.LogRecord("jingbao", logging.INFO, "", 0, "collected", (), None)
    made.__dict__.update(values(**fields))
    return made


@given(st.text())
def test_no_value_can_start_a_new_line(title: str) -> None:
    line = LineFormatter().format(record(title=title))

    assert len(line.splitlines()) == 1


def test_values_follow_the_event_with_their_names() -> None:
    line = LineFormatter().format(record(source="qbitai", new=3, title="two words", empty=""))

    assert line.endswith('INFO collected source=qbitai new=3 title="two words"')


def test_only_warnings_of_libraries_are_shown() -> None:
    root, jingbao = logging.getLogger(), logging.getLogger("jingbao")
    kept = (root.handlers[:], root.level, jingbao.level)
    stream = io.StringIO()
    try:
        log_to(stream)
        logging.getLogger("scrapy").info("chatter")
        logging.getLogger("jingbao.crawler").info("collected")
    finally:
        root.handlers[:], root.level, jingbao.level = kept[0], kept[1], kept[2]

    assert "collected" in stream.getvalue()
    assert "chatter" not in stream.getvalue()
