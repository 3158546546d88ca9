"""Jinja environment of the pages: texts in their own direction, readable numbers, style and fonts inside.

A text's block runs as its language does, each paragraph as most of its letters do, and every sum, date or
Latin run inside a right-to-left paragraph is isolated (`<bdi>`). Everything is escaped: on the page a row is
only ever text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup, escape
from pydantic import JsonValue

from alif import formatting
from alif.language.bidi import split_runs, text_direction
from alif.report.snapshot import LanguageInfo

__all__ = ["embedded_fonts", "format_number", "jinja_environment", "page_style", "text_block"]

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
"""LANGUAGE.css and the fonts that it names, where a language needs another than the system's."""


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
    }
    environment.tests["tabular"] = is_tabular
    return environment


def text_block(text: str, language: LanguageInfo) -> Markup:
    """Return a human or model text as a block of paragraphs."""
    paragraphs = []
    for line in [line for line in text.split("\n") if line.strip()] or ["–"]:
        direction = text_direction(line, language.direction)
        if direction == "rtl":
            runs = split_runs(line)
            body = Markup("").join(
                Markup('<bdi dir="ltr">{}</bdi>').format(run) if isolated else escape(run)
                for run, isolated in runs
            )
        else:
            body = escape(line)
        paragraphs.append(Markup('<p dir="{}">{}</p>').format(direction, body))
    block = Markup('<div class="text" lang="{}" dir="{}">{}</div>')
    return block.format(language.code, language.direction, Markup("").join(paragraphs))


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
