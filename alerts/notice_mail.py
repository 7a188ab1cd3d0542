"""A notice as a mail in two parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from alerts.mail import SUBJECT_COLUMNS, addressed, set_parts, templates, verbatim
from alerts.notice_wording import NOTICE_WORDS, NoticeWords
from alerts.plain import cut, one_line
from alerts.times import day
from alerts.wording import WORDING
from storage.outbox import NewMessage

if TYPE_CHECKING:
    from alerts.notices import Point
    from core.config import MailConfig, Reader

KIND = "notice"
SHOWN = 40
_REASON_COLUMNS = 300


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A point as a mail shows it: headline, times, what is the matter, what to do, where more is told (empty: nothing)."""

    headline: str
    times: str
    text: str
    advice: str
    command: str


def message_for(
    points: Sequence[Point], operator: Reader, mail: MailConfig, address: str, now: datetime, reader: str
) -> NewMessage:
    """The mail that tells these points (at least one), ready for the outbox under the name `reader`, to one address."""
    domain = mail.sender.rpartition("@")[2]
    token = hashlib.sha256(f"{address} {now.isoformat()}".encode()).hexdigest()[:16]
    number, subject = f"<{KIND}.{token}@{domain}>", subject_of(points, operator)
    message = addressed(mail, operator, address, subject=subject, created=now, number=number)
    message["List-Id"] = f"<operator.jingbao.{domain}>"
    parts = (_filled(name, points, operator, now) for name in ("notice.txt.j2", "notice.html.j2"))
    set_parts(message, *parts)
    return NewMessage(reader, address, KIND, f"{KIND} {now.isoformat()}", number, subject, message.as_bytes())


def subject_of(points: Sequence[Point], operator: Reader) -> str:
    """The first point's headline, those that need a look before those that are over, and how many more there are."""
    words = NOTICE_WORDS[operator.language]
    lead = min(points, key=lambda point: point.is_over)
    others = words.others.format(count=len(points) - 1) if len(points) > 1 else ""
    return cut(f"jingbao{words.colon}{verbatim(_headline(lead, words))}", SUBJECT_COLUMNS - len(others) * 2) + others


def _headline(point: Point, words: NoticeWords) -> str:
    name = one_line(point.subject, 60)
    if point.is_over:
        return f"{name}{words.colon}{words.well_again}"
    return f"{name}{words.colon}{words.sources[point.standing][0]}" if point.standing else name


def _filled(template: str, points: Sequence[Point], operator: Reader, now: datetime) -> str:
    words, mail_words = NOTICE_WORDS[operator.language], WORDING[operator.language]
    shown = sorted(points, key=lambda point: point.is_over)[:SHOWN]
    sections = [
        (title, [_paragraph(point, operator, words) for point in shown if point.is_over is over])
        for title, over in ((words.begun, False), (words.over, True))
    ]
    name = one_line(operator.name) or operator.addresses[0]
    footer = [words.why, mail_words.zone.format(zone=operator.zone), words.change]
    return templates().get_template(template).render(
        words=mail_words,
        notice=words,
        subject=subject_of(points, operator),
        occasion=words.occasion,
        day=day(now.astimezone(operator.tz), operator.language),
        sections=[section for section in sections if section[1]],
        more=words.more.format(count=len(points) - SHOWN, command="jingbao status") if len(points) > SHOWN else "",
        footer=[*footer, mail_words.sent_by.format(version=version("jingbao"), name=name)],
    )  # fmt: skip


def _paragraph(point: Point, operator: Reader, words: NoticeWords) -> _Paragraph:
    shape = words.from_to if point.is_over and not point.source else words.since
    times = shape.format(since=_moment(point.since, operator), until=_moment(point.until or point.since, operator))
    text = point.zh if point.zh and operator.language == "zh" else point.text
    command = words.look.format(command=f"jingbao sources {point.source}") if point.source else ""
    advice = words.sources[point.standing][1] if point.standing and not point.is_over else ""
    return _Paragraph(_headline(point, words), times, one_line(text, _REASON_COLUMNS), advice, command)


def _moment(at: datetime, operator: Reader) -> str:
    return f"{at.astimezone(operator.tz):%Y-%m-%d %H:%M}"
