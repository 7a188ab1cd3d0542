"""Bytes become text: BOM, then the HTTP header, then what the document declares, then what its bytes look like.

Labels are read as browsers read them (WHATWG Encoding Standard): gb2312 and gbk as gb18030, iso-8859-1 as windows-1252. A label
is a claim, not a proof: a decoding that leaves U+FFFD behind yields to the next claim that leaves fewer.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import charset_normalizer

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLACEMENT = "\ufffd"
_HEAD_BYTES = 4096  # browsers look for a meta declaration in the first 1,024; Chinese CMS put scripts before it
_PASSABLE_DAMAGE = 0.02  # a byte broken here and there does not refute a label
_LAST_RESORT = "cp1252"  # reads nearly any bytes
_SAMPLE_BYTES = 32_768  # what the detector sees: enough for any encoding, and its time grows with length
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_WIDE_OPENINGS = (
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
    (b"{\0\0\0", "utf-32-le"), (b"\0\0\0{", "utf-32-be"), (b"{\0", "utf-16-le"), (b"\0{", "utf-16-be"),
)  # fmt: skip
_LABELS = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "big5hkscs": "big5hkscs",
    "iso8859-1": "cp1252", "ascii": "cp1252", "shift_jis": "cp932", "euc_kr": "cp949", "johab": "cp949",
    "iso8859-9": "cp1254", "tis-620": "cp874", "iso8859-11": "cp874",
}  # fmt: skip
_UNSAFE = {"utf_7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "rot13", "mbcs", "oem"}
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_IN_PROLOG = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]+)", re.IGNORECASE)
_IN_META = re.compile(rb"<meta\s[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_UTF8_RUN = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
# Some of the commonest characters of Chinese prose, in both scripts: of any real text more than three in twenty are among them.
_COMMON_HAN = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "這個國時來們對會發動過說產種後學經電業開機"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text without a BOM; `encoding` is Python's name, `how` the reason it was chosen, in a few words."""

    text: str
    encoding: str
    how: str

    @property
    def damaged(self) -> int:
        """How many characters could not be decoded (U+FFFD)."""
        return self.text.count(REPLACEMENT)


def decode(body: bytes, content_type: str = "", declared: str = "") -> Decoded:
    """Decode a document; never raises.

    `content_type` is the HTTP header, `declared` the source's own `encoding`, which goes before all else.
    """
    attempts: dict[str, Decoded] = {}
    for encoding, how in _claims(body, content_type, declared):
        attempt = attempts.setdefault(encoding, Decoded(_decoded(body, encoding), encoding, how))
        if _damage(attempt) <= _PASSABLE_DAMAGE:
            return attempt
    return min(attempts.values(), key=_damage)


def _damage(attempt: Decoded) -> float:
    """The share of undecodable characters among those that are not ASCII; more for what was only assumed and reads anything."""
    assumed = 0.3 if attempt.how == "assumed" and attempt.encoding == _LAST_RESORT else 0.0
    return assumed + (attempt.damaged / len(_FOREIGN.findall(attempt.text)) if attempt.damaged else 0.0)


def python_name(label: str) -> str:
    """The codec that reads what a label claims, or empty if the label names none that is safe."""
    try:
        name = codecs.lookup(label.strip().lower().removeprefix("x-")).name
    except (LookupError, ValueError):
        return ""
    name = _LABELS.get(name, name)
    return "" if name.replace("-", "_") in _UNSAFE or not _is_text_codec(name) else name


def _is_text_codec(name: str) -> bool:
    return bool(getattr(codecs.lookup(name), "_is_text_encoding", True))


def _decoded(body: bytes, encoding: str) -> str:
    return body.decode(encoding, errors="replace").lstrip("\ufeff")


def _claims(body: bytes, content_type: str, declared: str) -> Iterator[tuple[str, str]]:
    """Encodings to try, most trusted first, with the reason for each."""
    if name := python_name(declared):
        yield name, "declared by the source"
    for bom, name in _BOMS:
        if body.startswith(bom):
            yield name, "byte order mark"
    if name := _wide(body):
        yield name, "markup begins so in it"
    if _plainly_utf8(body):
        yield "utf-8", "its bytes are valid UTF-8"
    yield from _labels(body, content_type)
    yield from _detected(body)


def _labels(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    head = body[:_HEAD_BYTES]
    found = (
        (_IN_HEADER.search(content_type), "HTTP header"),
        (_IN_PROLOG.search(head), "XML declaration"),
        (_IN_META.search(head), "meta element"),
    )
    for match, how in found:
        label = match[1] if match else ""
        name = python_name(label.decode("ascii", "ignore") if isinstance(label, bytes) else label)
        # A meta element that could be read as ASCII cannot be in UTF-16, whatever it claims (HTML standard, 13.2.3.2).
        if not name or (name.startswith(("utf-16", "utf-32")) and how != "HTTP header"):
            continue
        # Servers send iso-8859-1 by default, with Chinese pages too; it would read them without complaint.
        if name != _LAST_RESORT or not _chinese(body[:_SAMPLE_BYTES]):
            yield name, how


def _wide(body: bytes) -> str:
    """UTF-16 or UTF-32 without a BOM, told by how markup or JSON begins in it (XML 1.0, appendix F)."""
    return next((name for opening, name in _WIDE_OPENINGS if body.startswith(opening)), "")


def _plainly_utf8(body: bytes) -> bool:
    """Whether the bytes are valid UTF-8 with enough multi-byte characters that chance is out of the question.

    A wrong label is common (pages moved to UTF-8 under an old header), and gb18030 or windows-1252 decode almost anything.
    """
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(1 for _ in zip(_UTF8_RUN.finditer(body), range(3), strict=False)) == 3


def _detected(body: bytes) -> Iterator[tuple[str, str]]:
    yield "utf-8", "assumed"
    sample = body[:_SAMPLE_BYTES]
    if name := _chinese(sample):
        yield name, "detected"
    guess = charset_normalizer.from_bytes(sample, steps=3).best()
    if guess and (name := python_name(guess.encoding)):
        yield name, "detected"
    yield _LAST_RESORT, "assumed"


def _chinese(sample: bytes) -> str:
    """The Chinese encoding in which the bytes make running text, or empty."""
    best = max(("gb18030", "big5hkscs"), key=lambda name: _chinese_likeness(sample, name))
    return best if _chinese_likeness(sample, best) > 0.15 else ""


def _chinese_likeness(sample: bytes, encoding: str) -> float:
    """The share of the commonest Chinese characters among all that are not ASCII, if `sample` is read in `encoding`."""
    foreign = [char for char in sample.decode(encoding, errors="replace") if char > "\x7f"]
    common = sum(char in _COMMON_HAN for char in foreign)
    return common / len(foreign) if foreign else 0.0
