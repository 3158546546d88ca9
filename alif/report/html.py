"""Jinja environment of the pages: texts in their own direction, readable numbers, style and fonts inside.

A text's block runs as its language does, each paragraph as most of its letters do, and every sum, date or
Latin run inside a right-to-left paragraph is isolated (`<bdi>`). Everything is escaped: on the page a row is
only ever text. The one script filters what is there already; the policy of the page lets no other run.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from pydantic import JsonValue

from alif import formatting
from alif.language.bidi import split_runs, text_direction
from alif.language.marked_text import has_hidden
from alif.report.snapshot import LanguageInfo

__all__ = [
    "Mark", "embedded_fonts", "format_number", "inline_text", "jinja_environment", "name_letters",
    "page_style", "text_block",
]  # fmt: skip

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
"""LANGUAGE.css and the fonts that it names, where a language needs another than the system's."""
Mark = tuple[int, int, str]
"""A stretch of a text that is highlighted, from and to, and what is said of it."""
MOST_CHARS = 3000
"""Of a text that are shown."""
HIDDEN = '<bdi dir="ltr" class="hidden" title="{}">{}</bdi>'


def jinja_environment() -> jinja2.Environment:
    """Return the environment of the templates: everything escaped, nothing undefined."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "text": text_block,
        "number": format_number,
        "duration": formatting.format_duration,
        "usd": formatting.format_usd,
        "fact": format_fact,
        "words": lambda name: str(name).replace("_", " "),
        "pair": lambda name: (name, str(name).replace("_", " ")),
        "inline": inline_text,
    }
    environment.tests["tabular"] = is_tabular
    script = (HERE / "answer_filters.js.jinja").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals |= {"script": Markup(script), "script_hash": f"sha256-{digest}"}
    return environment


def text_block(text: str, language: LanguageInfo, marks: Iterable[Mark] = ()) -> Markup:
    """Return a human or model text as a block of paragraphs, the stretches of `marks` highlighted.

    Hidden characters are shown by their numbers, and what is longer than a page can hold is left out.
    """
    paragraphs, at = [], 0
    for line in text[:MOST_CHARS].split("\n"):
        if line.strip():
            direction = text_direction(line, language.direction)
            body = _mark_line(line.removesuffix("\r"), direction, at, marks)
            paragraphs.append(Markup('<p dir="{}">{}</p>').format(direction, body))
        at += len(line) + 1
    if not paragraphs:
        paragraphs.append(Markup('<p dir="{}">–</p>').format(language.direction))
    if len(text) > MOST_CHARS:
        more = Markup('<p class="more" lang="en" dir="ltr">… {:,} more characters in the run</p>')
        paragraphs.append(more.format(len(text) - MOST_CHARS))
    block = Markup('<div class="text" lang="{}" dir="{}">{}</div>')
    return block.format(language.code, language.direction, Markup("").join(paragraphs))


def inline_text(text: str, language: LanguageInfo) -> Markup:
    """Return a short text as part of a sentence: an isolate in the direction of its letters."""
    direction = text_direction(text, "ltr")
    code = language.code if direction == language.direction else ""  # unknown
    return Markup('<bdi lang="{}" dir="{}">{}</bdi>').format(code, direction, _mark_line(text, direction))


def _mark_line(line: str, direction: str, start: int = 0, marks: Iterable[Mark] = ()) -> Markup:
    """Return a paragraph, which begins at `start` of its text: runs isolated, `marks` highlighted."""
    shown = Markup("")
    for piece, isolated in split_runs(line) if direction == "rtl" else [(line, False)]:
        body = Markup("").join(_mark_piece(piece, start, marks))
        shown += Markup('<bdi dir="ltr">{}</bdi>').format(body) if isolated else body
        start += len(piece)
    return shown


def _mark_piece(piece: str, start: int, marks: Iterable[Mark]) -> Iterator[Markup]:
    """Yield a piece of a text, which begins at `start` of it, cut where highlights begin and end."""
    inside = [(a - start, b - start, title) for a, b, title in marks if a < start + len(piece) and b > start]
    cuts = {0, len(piece), *(min(max(end, 0), len(piece)) for mark in inside for end in mark[:2])}
    for a, b in itertools.pairwise(sorted(cuts)):
        shown = Markup("").join(
            Markup("").join(Markup(HIDDEN).format(name_letters(one), f"U+{ord(one):04X}") for one in letters)
            if hidden
            else escape("".join(letters))
            for hidden, letters in itertools.groupby(piece[a:b], has_hidden)
        )
        titles = dict.fromkeys(title for x, y, title in inside if x <= a and b <= y)
        marked = Markup('<mark title="{}">{}</mark>').format("; ".join(titles), shown)
        yield marked if titles else shown


def name_letters(text: str) -> str:
    """Return each character of a text once, by number and name: "U+064A ARABIC LETTER YEH"."""
    named = (f"U+{ord(one):04X} {unicodedata.name(one, 'control character')}" for one in dict.fromkeys(text))
    return ", ".join(named)


def page_style(languages: Iterable[str]) -> Markup:
    """Return the page's style sheet with the fonts of these languages inside."""

    def embed(match: re.Match[str]) -> str:
        data = base64.b64encode((FONTS / match[1]).read_bytes()).decode()
        return f'url("data:font/woff2;base64,{data}")'

    sheets = [re.sub(r'url\("([\w.-]+)"\)', embed, sheet) for sheet in _font_sheets(languages)]
    return Markup("\n".join([(HERE / "report.css").read_text(encoding="utf-8"), *sheets]))


def embedded_fonts(languages: Iterable[str]) -> str:
    """Return the names of the fonts inside the page, as the first line of each sheet has them."""
    return ", ".join(sheet.removeprefix("/* ").partition(",")[0] for sheet in _font_sheets(languages))


def _font_sheets(languages: Iterable[str]) -> list[str]:
    paths = (FONTS / f"{Path(language).name}.css" for language in languages)
    return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


def format_number(value: float | None, sign: str = "") -> str:
    """Return a number with a true minus and thousands: a fraction with three digits, from ten on with one."""
    if value is None:
        return "–"
    form = f"{sign},d" if isinstance(value, int) else f"{sign},.{3 if abs(value) < 10 else 1}f"
    return format(value, form).replace("-", formatting.MINUS)


def is_tabular(value: JsonValue) -> bool:
    """Tell whether a fact is a table: rows by name, all with the same scalar columns."""
    rows = list(value.values()) if isinstance(value, Mapping) else []
    first = rows[0] if rows else None
    return isinstance(first, Mapping) and all(
        isinstance(row, Mapping)
        and row.keys() == first.keys()
        and not any(isinstance(cell, Mapping | list) for cell in row.values())
        for row in rows
    )


def format_fact(value: JsonValue) -> str:
    """Return a scalar of a step's facts as text."""
    if isinstance(value, float):
        return f"{value:,.4g}".replace("-", formatting.MINUS)
    if isinstance(value, int) and not isinstance(value, bool):
        return format_number(value)
    return "–" if value is None else str(value)
