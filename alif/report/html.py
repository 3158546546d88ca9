"""From records to the page: texts in their own direction, numbers as people read them, styles and fonts inside the page.

A text's block runs as its language does, each paragraph as most of its letters do, and every sum, date or Latin run inside a
right-to-left paragraph stands in an isolate of its own. Whatever a row holds is escaped: on the page it is only ever text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from alif import formatting
from alif.language.bidi import split_runs, text_direction
from alif.report.snapshot import LanguageInfo

__all__ = ["embedded_fonts", "format_number", "jinja_environment", "page_style", "text_block"]

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
"""LANGUAGE.css and the fonts that it names, where a language needs another than the system's."""
MINUS = "\u2212"


def jinja_environment() -> jinja2.Environment:
    """Return the templates, with everything escaped and nothing undefined."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "said": text_block,
        "number": format_number,
        "duration": formatting.format_duration,
        "dollars": formatting.format_usd,
        "plain": plain_text,
        "without": without_keys,
    }
    found.tests["tabular"] = is_tabular
    return found


def text_block(text: str, tongue: LanguageInfo) -> Markup:
    """Return a human or model text as a block of paragraphs."""
    lines = [line for line in text.split("\n") if line.strip()] or ["–"]
    body = Markup("").join(_paragraph(line, tongue) for line in lines)
    return Markup('<div class="said" lang="{}" dir="{}">{}</div>').format(tongue.code, tongue.direction, body)


def _paragraph(line: str, tongue: LanguageInfo) -> Markup:
    way = text_direction(line, tongue.direction)
    if way == "ltr":
        return Markup('<p dir="ltr">{}</p>').format(line)
    parts = (
        Markup('<bdi dir="ltr">{}</bdi>').format(piece) if alone else escape(piece)
        for piece, alone in split_runs(line)
    )
    return Markup('<p dir="rtl">{}</p>').format(Markup("").join(parts))


def page_style(languages: Iterable[str]) -> Markup:
    """Return the page's style sheet with the fonts of these languages inside."""
    sheets = [(HERE / "report.css").read_text(encoding="utf-8")]
    for language in languages:
        sheet = FONTS / f"{Path(language).name}.css"
        if sheet.is_file():
            sheets.append(re.sub(r'url\("([\w.-]+)"\)', _inside, sheet.read_text(encoding="utf-8")))
    return Markup("\n".join(sheets))


def embedded_fonts(languages: Iterable[str]) -> str:
    """Return the names of the fonts inside the page, as the first line of each sheet has them."""
    sheets = [FONTS / f"{Path(language).name}.css" for language in languages]
    told = [
        sheet.read_text(encoding="utf-8").removeprefix("/* ").partition(",")[0]
        for sheet in sheets
        if sheet.is_file()
    ]
    return ", ".join(told)


def _inside(found: re.Match[str]) -> str:
    data = base64.b64encode((FONTS / found[1]).read_bytes()).decode()
    return f'url("data:font/woff2;base64,{data}")'


def format_number(value: float | None, sign: str = "") -> str:
    """Return a number with a true minus and thousands: others than whole ones with three digits, from ten on with one."""
    if value is None:
        return "–"
    form = f"{sign},d" if isinstance(value, int) else f"{sign},.{3 if abs(value) < 10 else 1}f"
    return format(value, form).replace("-", MINUS)


def without_keys(facts: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return facts but those that stand elsewhere on the page."""
    return {name: value for name, value in facts.items() if name not in names}


def is_tabular(value: Any) -> bool:
    """Tell whether a fact is a table: rows by name, all with the same plain columns."""
    rows = list(value.values()) if isinstance(value, Mapping) else []
    return bool(rows) and all(
        isinstance(row, Mapping)
        and row.keys() == rows[0].keys()
        and not any(isinstance(cell, Mapping | list | tuple) for cell in row.values())
        for row in rows
    )


def plain_text(value: Any) -> str:
    """Return a fact of a step as text."""
    if isinstance(value, float):
        return f"{value:,.4g}".replace("-", MINUS)
    if isinstance(value, int) and not isinstance(value, bool):
        return format_number(value)
    return "–" if value is None else str(value)
