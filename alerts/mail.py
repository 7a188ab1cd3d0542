"""A letter becomes a message: headers, a text part and an HTML part that say and link the same.

The HTML stays under 100 KB, since mail programs clip what is longer. Nothing in it is fetched from anywhere.
"""

from __future__ import annotations

import hashlib
import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from alerts.plain import cut, one_line
from alerts.times import day
from alerts.wording import WORDING
from lexicon.snippet import columns

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.letter import Item, Letter
    from core.config import MailConfig, Reader

MAX_HTML_BYTES = 100_000
SUBJECT_COLUMNS = 78
_TITLE_LEAST = 30
# A Han character with the marks that may not begin a line, a word with the space behind it, or other space.
_WORD = re.compile(r"[\u2e80-\U0003ffff][，。、；：！？…”’）》」』】]*|[^\s\u2e80-\U0003ffff]+\s*|\s+")
_GLOSSES_IN_SUBJECT = 2


_IDENTIFIERS = {"In-Reply-To", "References", "List-Id", "List-Unsubscribe"}


class _Policy(EmailPolicy):
    """The standard library's way of writing headers, but for those its newer folding harms (seen with Python 3.11).

    It doubles a space in subjects where encoded words meet plain ones; its older way (email.header) does not. And it
    encodes an identifier that is longer than a line, by which no program would know it again; these are left as they are.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "Subject":
            header = Header(str(value), "us-ascii" if value.isascii() else "utf-8", maxlinelen=76, header_name=name)
            return f"{name}: {header.encode(linesep=self.linesep)}{self.linesep}".encode("ascii")
        if name in _IDENTIFIERS:
            return f"{name}: {value.replace(' ', self.linesep + ' ')}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")


def render(letter: Letter, mail: MailConfig, address: str, operator: str = "") -> EmailMessage:
    """The message that carries `letter` to one of the reader's addresses. To `operator`, if named, go wishes for no more mails.

    The letter has at least one story. What does not fit in MAX_HTML_BYTES is left out of both parts and counted.
    """
    letter, html = _fitting(letter)
    domain = mail.sender.rpartition("@")[2]
    number = message_id(letter, address, domain)
    message = addressed(mail, letter.reader, address, subject=subject(letter), created=letter.created, number=number)
    _classify(message, letter, mail)
    if operator:
        wish = quote(f"jingbao: no more mails to {address}", safe="")
        message["List-Unsubscribe"] = f"<mailto:{operator}?subject={wish}>"  # RFC 2369, 3.2
    set_parts(message, _template("mail.txt.j2", letter), html)
    return message


def _fitting(letter: Letter) -> tuple[Letter, str]:
    html = _template("mail.html.j2", letter)
    while len(html.encode()) > MAX_HTML_BYTES and len(letter.items) > 1:
        letter = letter.first(max(len(letter.items) * 9 // 10, 1))
        html = _template("mail.html.j2", letter)
    return letter, html


def addressed(
    mail: MailConfig, reader: Reader, address: str, *, subject: str, created: datetime, number: str
) -> EmailMessage:
    """An empty message to one of a reader's addresses, with the headers every mail has.

    `number` is its Message-ID, `subject` one clean line.
    """
    message = EmailMessage(policy=_POLICY)
    local, _, domain = mail.sender.rpartition("@")
    message["From"] = Address(one_line(mail.sender_name), local, domain)
    local, _, to_domain = address.rpartition("@")
    message["To"] = Address(one_line(reader.name), local, to_domain)
    message["Subject"] = subject
    message["Date"] = created.astimezone(reader.tz)
    message["Message-ID"] = number
    message["Auto-Submitted"] = "auto-generated"  # keeps answering machines quiet (RFC 3834)
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _classify(message: EmailMessage, letter: Letter, mail: MailConfig) -> None:
    """What filters (RFC 2919) and mail programs' threads go by."""
    domain = mail.sender.rpartition("@")[2]
    if letter.kind == "now":
        threads = [f"<story.{story}.{letter.reader.key}@{domain}>" for story in letter.story_ids[:5]]
        message["In-Reply-To"] = threads[0]
        message["References"] = " ".join(threads)
    rules = [section.rule for section in letter.sections]
    listed = rules[0] if len(rules) == 1 else "digest"
    message["List-Id"] = f"<{listed}.jingbao.{domain}>"
    message["X-Jingbao-Rule"] = ", ".join(rules)
    message["X-Jingbao-Source"] = ", ".join(sorted({item.source for item in letter.items}))


def subject(letter: Letter) -> str:
    """What the mail tells, in at most 78 columns: `Export controls: Nvidia H20 sales halted (+2)`.

    A title in a foreign language is followed by what its first names mean.
    """
    words = WORDING[letter.reader.language]
    head = letter.sections[0].title
    if letter.kind == "digest":
        head = words.digest_subject.format(rhythm=words.rhythms[letter.rhythm], day=_day_of(letter))
    others = len(letter.items) + letter.more - 1
    start, end = f"{cut(verbatim(head), 32)}: ", f" (+{others})" if others else ""
    room = SUBJECT_COLUMNS - columns(start) - columns(end)
    return f"{start}{_headline(letter.lead, head, room)}{end}"


def _headline(item: Item, head: str, room: int) -> str:
    """The title, and behind a foreign one as many of its names' meanings as leave room for it."""
    title = verbatim(item.title_text)
    meanings = [gloss.meaning for gloss in item.glosses if gloss.meaning.casefold() != head.casefold()]
    glosses = meanings[:_GLOSSES_IN_SUBJECT]
    while glosses:
        behind = f" [{verbatim(', '.join(glosses))}]"
        if room - columns(behind) >= min(_TITLE_LEAST, columns(title)):
            return cut(title, room - columns(behind)) + behind
        glosses.pop()
    return cut(title, room)


def verbatim(text: str) -> str:
    """`text` as one line in which nothing can be taken for an encoded word (RFC 2047), and so be decoded to something else."""
    return one_line(text).replace("=?", "= ?")


def message_id(letter: Letter, address: str, domain: str) -> str:
    """The header's value: the same for the same letter, and no other mail's, even of an archive begun anew."""
    told = f"{letter.reader.key} {address} {letter.period_key} {letter.created.isoformat()}"
    token = hashlib.sha256(told.encode()).hexdigest()[:24]  # short: a folded header is read in more than one way
    return f"<{letter.kind}.{token}@{domain}>"


def set_parts(message: EmailMessage, text: str, html: str) -> None:
    """Fill a message: its text, and the HTML that says the same."""
    _set_part(message, text, "plain")
    _set_part(message, html, "html")


def _set_part(message: EmailMessage, text: str, subtype: str) -> None:
    """Add a part, encoded so that every server carries it: base64 where most of it is not ASCII, else quoted-printable."""
    foreign = sum(not char.isascii() for char in text)
    encoding = "base64" if foreign * 6 > len(text) else "quoted-printable"
    if subtype == "plain":
        message.set_content(text, subtype="plain", charset="utf-8", cte=encoding)
    else:
        message.add_alternative(text, subtype=subtype, charset="utf-8", cte=encoding)


def _template(name: str, letter: Letter) -> str:
    words = WORDING[letter.reader.language]
    return templates().get_template(name).render(
        letter=letter,
        words=words,
        day=_day_of(letter),
        occasion=words.rhythms[letter.rhythm],
        subject=subject(letter),
        footer=_footer(letter),
    )


def _day_of(letter: Letter) -> str:
    return day(letter.created.astimezone(letter.reader.tz), letter.reader.language)


def _footer(letter: Letter) -> list[str]:
    words, reader = WORDING[letter.reader.language], letter.reader
    here, copies = len(letter.items), sum(item.copies for item in letter.items)
    lines = [words.counts.format(seen=here + copies + letter.more, here=here, copies=copies)]
    if letter.more:
        lines.append(words.not_shown.format(more=letter.more))
    if letter.held_over:
        lines.append(words.held_over.format(count=letter.held_over, limit=reader.mails_per_day))
    rules = words.comma.join(section.rule for section in letter.sections)
    lines += [
        words.zone.format(zone=reader.zone),
        words.change.format(rules=rules),
        words.sent_by.format(version=version("jingbao"), name=one_line(reader.name) or reader.key),
    ]
    return lines


@cache
def templates() -> Environment:
    """The templates of all mails; those whose names end in html.j2 escape what is put into them."""
    environment = Environment(
        loader=PackageLoader("alerts"),
        autoescape=select_autoescape(("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = wrapped
    environment.globals["columns"] = columns
    return environment


def wrapped(text: str, indent: int = 3, width: int = 76) -> str:
    """`text` in lines of at most `width` columns, the following ones indented; Chinese may break anywhere, words not."""
    lines, line = [], ""
    for word in _WORD.findall(text):
        if line and columns(line + word.rstrip()) > width - indent:
            lines.append(line.rstrip())
            line = ""
        line += word
    lines.append(line.rstrip())
    return ("\n" + " " * indent).join(lines)
