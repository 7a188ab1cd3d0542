"""First light as a mail in two parts, and as the text a terminal shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from alerts.first_light_wording import FIRST_WORDS, FirstWords
from alerts.mail import addressed, set_parts, templates
from alerts.plain import one_line
from alerts.times import day
from alerts.wording import WORDING
from storage.outbox import NewMessage

if TYPE_CHECKING:
    from alerts.first_light import Covered, FirstLight, Outlook, Silence
    from core.config import MailConfig

KIND = "first-light"
NAMES_SHOWN = 12
_ANY_CONCEPT = ("deepseek", "DeepSeek")


def message_for(light: FirstLight, mail: MailConfig, address: str) -> NewMessage:
    """The mail that tells it, ready for the outbox, to one of the reader's addresses."""
    domain = mail.sender.rpartition("@")[2]
    token = hashlib.sha256(f"{light.reader.key} {address} {light.created.isoformat()}".encode()).hexdigest()[:16]
    number = f"<{KIND}.{light.reader.key}.{token}@{domain}>"
    subject = subject_of(light)
    message = addressed(mail, light.reader, address, subject=subject, created=light.created, number=number)
    message["List-Id"] = f"<{KIND}.jingbao.{domain}>"
    set_parts(message, text_of(light), _filled("first_light.html.j2", light))
    return NewMessage(light.reader.key, address, KIND, KIND, number, subject, message.as_bytes())


def subject_of(light: FirstLight) -> str:
    """What it says in one line."""
    words, round_ = FIRST_WORDS[light.reader.language], light.round
    return words.subject.format(answered=round_.answered, asked=round_.asked, articles=f"{light.total:,}")


def text_of(light: FirstLight) -> str:
    """The text part of the mail."""
    return _filled("first_light.txt.j2", light)


def shown_on_terminal(light: FirstLight) -> str:
    """The same for a terminal: without what is said of the mail itself, behind the signature's mark (RFC 3676, 4.3)."""
    return text_of(light).partition("\n-- \n")[0]


def _filled(template: str, light: FirstLight) -> str:
    words = FIRST_WORDS[light.reader.language]
    mail_words = WORDING[light.reader.language]
    most = max((covered.total for covered in light.covered), default=1)
    return templates().get_template(template).render(
        light=light,
        words=mail_words,
        first=words,
        subject=subject_of(light),
        occasion=words.occasion,
        day=day(light.created.astimezone(light.reader.tz), light.reader.language),
        summary=_summary(light, words),
        bars=[_bar(covered, most, words) for covered in light.covered],
        found=[_found(outlook, words) for outlook in light.outlooks],
        when=[_when(outlook, words) for outlook in light.outlooks],
        commands=_commands(light, words),
        reason=lambda silence: _reason(silence, words),
        coded=_coded,
        names=lambda names: _names(names, words, mail_words.comma),
        footer=_footer(light, words),
    )  # fmt: skip


def _summary(light: FirstLight, words: FirstWords) -> tuple[str, str]:
    """Two sentences: how many sources have answered, how many articles there are in which language."""
    round_, comma = light.round, WORDING[light.reader.language].comma
    shape = words.all_answered if round_.answered == round_.asked else words.sources
    kinds = WORDING[light.reader.language].languages
    parts = [words.by_language.format(language=kinds[name], count=f"{count:,}") for name, count in light.articles.items()]
    held = words.articles.format(count=f"{light.total:,}")
    return (
        shape.format(answered=round_.answered, asked=round_.asked) + words.stop,
        held + (words.colon + comma.join(parts) if parts else "") + words.stop,
    )


def _bar(covered: Covered, most: int, words: FirstWords) -> dict[str, Any]:
    """A subject's line: its share in Chinese and in English of the longest bar (percent), and the numbers in words."""
    counts = {"zh": 0, "en": 0, "other": 0}
    for language, count in covered.articles.items():
        counts[language.press if language.press in counts else "other"] += count
    told = [_counted(words.count_articles, covered.total), _counted(words.count_outlets, covered.outlets)]
    by_language = [f"{words.language_marks[press]} {count}" for press, count in counts.items() if count]
    zh, en = (round(100 * counts[press] / most) for press in ("zh", "en"))
    return {"name": covered.name, "zh": zh, "en": en, "told": told, "languages": by_language}


def _found(outlook: Outlook, words: FirstWords) -> str:
    """`12 matches waiting, not mailed: baseline; 2 matches mailed`."""
    stories = outlook.stories.items()
    parts = [_counted(words.count_matches, count, state=words.states[state]) for state, count in stories]
    return words.semicolon.join(parts) or words.nothing_found


def _counted(phrases: tuple[str, str], count: int, **more: str) -> str:
    return phrases[count != 1].format(count=f"{count:,}", **more)


def _when(outlook: Outlook, words: FirstWords) -> str:
    return words.next_at.format(when=outlook.next) if outlook.next else words.at_once


def _names(names: Sequence[str], words: FirstWords, comma: str) -> str:
    shown = list(names[:NAMES_SHOWN])
    if len(names) > NAMES_SHOWN:
        shown.append(words.and_more.format(count=len(names) - NAMES_SHOWN))
    return comma.join(shown)


def _reason(silence: Silence, words: FirstWords) -> str:
    """What was said of the first of them, which is in English; the kind has told the same in the reader's language."""
    return words.reason.format(reason=one_line(silence.reason, words.reason_length)) if silence.reason else ""


def _coded(text: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it stood between backticks."""
    return [(piece, bool(number % 2)) for number, piece in enumerate(text.split("`")) if piece]


def _commands(light: FirstLight, words: FirstWords) -> list[tuple[str, str]]:
    """Things to try next; the search is for what is covered most."""
    concept, name = (light.covered[0].entity, light.covered[0].name) if light.covered else _ANY_CONCEPT
    return [(command.format(concept=concept, name=name), told.format(name=name)) for command, told in words.commands]


def _footer(light: FirstLight, words: FirstWords) -> list[str]:
    reader, mail_words = light.reader, WORDING[light.reader.language]
    name = one_line(reader.name) or reader.key
    sent_by = mail_words.sent_by.format(version=version("jingbao"), name=name)
    return [words.why, mail_words.zone.format(zone=reader.zone), words.change, sent_by]
