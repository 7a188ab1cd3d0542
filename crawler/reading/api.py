"""A list in JSON, alone or inside an HTML page, becomes entries."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.article import DateOrigin, Entry, Precision, Published
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import charset, clocks, dates, gates, plain
from crawler.reading.listing import ListReading, list_of

if TYPE_CHECKING:
    from core.document import Document
    from core.source import ApiRules, Source

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d*)\]")
_FIELD = re.compile(r"\{([^{}]+)\}")


def read_api(document: Document, source: Source, now: datetime, max_items: int) -> ListReading:
    """The items of a JSON list as `source.api` describes it, at most `max_items`.

    Raises ReadingError: UNREADABLE if there is no JSON or no such list in it, BLOCKED if it is a challenge page, TOO_BIG if it
    is nested beyond reason.
    """
    rules = source.api
    if rules is None:
        raise ReadingError(Outcome.UNREADABLE, f"the source {source.key} has no `api:` rules")
    text = charset.decode(document.body, document.content_type, source.encoding).text
    try:
        value = _json(text, rules)
    except RecursionError as error:
        raise ReadingError(Outcome.TOO_BIG, "the JSON is nested too deeply") from error
    except ValueError as error:
        gates.refuse_list_gate(text, plain.from_html(text[:200_000]))
        raise ReadingError(Outcome.UNREADABLE, f"the answer holds no JSON list ({error})"[:200]) from error
    items = _listed(value, rules.items)
    if items is None:
        raise ReadingError(Outcome.UNREADABLE, f"the JSON has no list at `{rules.items}`")
    return list_of((_entry(item, source, document.url, now) for item in items if isinstance(item, dict)), max_items)


def _json(text: str, rules: ApiRules) -> Any:
    """The JSON value: the whole answer, or where the rules find it. Raises ValueError if there is none."""
    if rules.embedded_pattern:
        match = re.search(rules.embedded_pattern, text)
        if not match:
            raise ValueError("the pattern for the embedded JSON finds nothing")
        return _first_value(text, match.start(1) if match.re.groups else match.end())
    if rules.embedded_selector:
        tree = plain.parse_html(text)
        scripts = tree.cssselect(rules.embedded_selector) if tree is not None else []
        if not scripts:
            raise ValueError("the selector for the embedded JSON finds nothing")
        return _first_value(scripts[0].text or "", 0)
    return _first_value(text, 0)


def _first_value(text: str, start: int) -> Any:
    """The first JSON object or list from `start` on: what stands before it (a variable, a callback) and after it is code."""
    opening = re.compile(r"[\[{]").search(text, start)
    if not opening:
        raise ValueError("there is no JSON in it")
    return json.JSONDecoder(strict=False).raw_decode(text, opening.start())[0]


def _listed(value: Any, path: str) -> list[Any] | None:
    found = at_path(value, path) if path else value
    if isinstance(found, dict):
        found = list(found.values())
    return found if isinstance(found, list) else None


def at_path(value: Any, path: str) -> Any:
    """The value at a path of names, `[number]` and `[]` (each of a list, flattened), as in `data.list[0].title`; or None."""
    steps = list(_STEP.finditer(path))
    for place, step in enumerate(steps):
        if step[1] is not None:
            value = value.get(step[1]) if isinstance(value, dict) else None
        elif not isinstance(value, list):
            return None
        elif step[2]:
            index = int(step[2])
            value = value[index] if -len(value) <= index < len(value) else None
        else:
            rest = path[step.end() :].lstrip(".")
            found = [at_path(item, rest) if place + 1 < len(steps) else item for item in value]
            return [part for item in found if item is not None for part in (item if isinstance(item, list) else [item])]
    return value


def _field(item: dict[str, Any], path: str) -> str:
    """A field as text; a path with braces is a template over paths."""
    if "{" in path:
        return _FIELD.sub(lambda match: _text(at_path(item, match[1])), path).strip()
    return _text(at_path(item, path)) if path else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(part) for part in value[:20])))
    if isinstance(value, dict):
        return _text(value.get("name"))
    return "" if value is None or isinstance(value, bool) else str(value)


def _entry(item: dict[str, Any], source: Source, base: str, now: datetime) -> Entry | None:
    rules = source.api
    if rules is None:
        return None
    fields = rules.fields
    url = plain.http_url(_field(item, fields.url), base)
    if not url and rules.url_template and all(_text(at_path(item, name)) for name in _FIELD.findall(rules.url_template)):
        url = plain.http_url(_field(item, rules.url_template), base)
    if not url:
        return None
    return Entry(
        url=url,
        title=plain.title_text(_field(item, fields.title)),
        summary=plain.from_html(_field(item, fields.summary))[: plain.SUMMARY_CHARS],
        content=plain.from_html(_field(item, fields.content)),
        guid=plain.one_line(_field(item, fields.guid)),
        published=_published(_field(item, fields.published), rules, source, now),
        authors=plain.names(re.split(r"[,，、;]", _field(item, fields.author))),
        outlet=plain.title_text(_field(item, fields.outlet))[: plain.NAME_CHARS],
    )


def _published(text: str, rules: ApiRules, source: Source, now: datetime) -> Published | None:
    if re.fullmatch(r"\d{9,16}(?:\.\d+)?", text):
        divisor = 1000 if rules.time_unit == "milliseconds" else 1
        moment = dates.from_epoch(float(text) / divisor, source.tz)
        return moment.published(DateOrigin.LIST) if moment else None
    if rules.time_format:
        return _by_format(text, rules.time_format, source)
    moment = dates.parse_date(text, source.tz, now)
    return moment.published(DateOrigin.LIST) if moment else None


def _by_format(text: str, time_format: str, source: Source) -> Published | None:
    try:
        local = datetime.strptime(text, time_format)
    except ValueError:
        return None
    stated = local.tzinfo is not None
    at = (local if stated else local.replace(tzinfo=source.tz)).astimezone(UTC)
    precision = Precision.SECOND if "%S" in time_format else Precision.MINUTE if "%M" in time_format else Precision.DAY
    zone = clocks.offset_name(local) if stated else str(source.tz)
    return Published(at, precision, DateOrigin.LIST, zone, stated)
