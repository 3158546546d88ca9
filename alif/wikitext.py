"""Turn wikitext into plain text: links, lists, tables and inline templates become what a reader sees.

    "'''لاہور''' [[پاکستان]] کا شہر ہے۔<ref>…</ref>"      → "لاہور پاکستان کا شہر ہے۔"
    "{{Infobox …}}", categories, files, references        → nothing
    "{{convert|5|km}}", "{{lang|ar|الحمراء}}" in a line   → "5 km", "الحمراء"

The names of namespaces come from the dump itself, so that nothing here knows a language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from typing import Any

__all__ = ["wikitext_to_text"]

DROPPED_TAGS = frozenset(("ref", "references", "gallery", "timeline", "score", "imagemap", "templatestyles"))
BLOCK_TAGS = frozenset(("p", "div", "blockquote", "center", "dl", "ul", "ol", "poem", "table", "tr"))
LINE_MARKS = {"br": "\n", "li": "- ", "dt": "", "dd": ""}
MOST_INLINE_PARAMETERS = 3
"""A template in a line with more parameters is a box, not words."""

HEADING = "\x02"
"""Stands as often before a heading as its level says; no text holds it."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,8})*")
_QUOTES = re.compile(r"'{2,5}")
_EMPTY = re.compile(r"[(（]\s*[\W_]*\s*[)）]|__[^\W\d_]+__")
"""Brackets around a template that is gone, and magic words."""
_SPACES, _LINES = re.compile(r"[ \t\xa0]+"), re.compile(r"\n{3,}")


def wikitext_to_text(source: str, namespaces: Collection[str]) -> str:
    """Return the text of a page; links into `namespaces` (lower case) are files and categories.

    Needs mwparserfromhell (extra "documents").
    """
    import mwparserfromhell  # noqa: PLC0415  (an extra)

    code = mwparserfromhell.parse(source, skip_style_tags=True)
    text = _QUOTES.sub("", _read_nodes(code.nodes, frozenset(namespaces)))
    lines = [_SPACES.sub(" ", _EMPTY.sub("", line)).strip(" ") for line in text.split("\n")]
    return _LINES.sub("\n\n", "\n".join(_without_lone_headings(lines))).strip()


def _read_nodes(nodes: Iterable[Any], namespaces: frozenset[str]) -> str:
    pieces: list[str] = []
    for node in nodes:
        kind = type(node).__name__
        if kind == "Text":
            pieces.append(str(node.value).replace(HEADING, ""))
        elif kind == "Template":
            at_line_start = not pieces or pieces[-1].endswith("\n")
            pieces.append("" if at_line_start else _read_template(node, namespaces))
        elif kind == "Wikilink":
            pieces.append(_read_link(node, namespaces))
        elif kind == "ExternalLink" and node.title:
            pieces.append(_read_nodes(node.title.nodes, namespaces))
        elif kind == "Heading":
            title = _read_nodes(node.title.nodes, namespaces).strip()
            pieces.append(f"\n{HEADING * node.level}{title}\n")
        elif kind == "HTMLEntity":
            pieces.append(node.normalize())
        elif kind == "Tag":
            pieces.append(_read_tag(node, namespaces))
    return "".join(pieces)


def _read_template(node: Any, namespaces: frozenset[str]) -> str:
    """Return the words of a template inside a line: its unnamed parameters, without a language's code."""
    if len(node.params) > MOST_INLINE_PARAMETERS or any(one.showkey for one in node.params):
        return ""
    words = [_read_nodes(one.value.nodes, namespaces).strip() for one in node.params]
    if len(words) > 1 and _LANGUAGE.fullmatch(words[0]):
        del words[0]
    return " ".join(filter(None, words))


def _read_link(node: Any, namespaces: frozenset[str]) -> str:
    """Return what a link shows; nothing for files, categories and the page in another language."""
    title = str(node.title)
    place, colon, _ = title.partition(":")
    if colon and (place.strip().lower() in namespaces or _LANGUAGE.fullmatch(place)):
        return ""
    shown = _read_nodes(node.text.nodes, namespaces) if node.text else ""
    return shown or title.strip().lstrip(":")


def _read_tag(node: Any, namespaces: frozenset[str]) -> str:
    name = str(node.tag).strip().lower()
    if name in DROPPED_TAGS:
        return ""
    if name in LINE_MARKS and (name == "br" or node.wiki_markup):  # of a list: at the beginning of a line
        return LINE_MARKS[name]
    inside = _read_nodes(node.contents.nodes, namespaces) if node.contents else ""
    if name in ("td", "th"):
        return f"{' '.join(inside.split())} | "
    if name == "table":
        inside = "\n".join(row.strip(" |") for row in inside.split("\n") if row.strip(" |"))
    elif name == "math":
        inside = f"${inside.strip()}$"
    return f"\n{inside}\n" if name in BLOCK_TAGS else inside


def _without_lone_headings(lines: list[str]) -> list[str]:
    """Return the lines without headings behind which no text follows, and without the marks of the others."""
    kept: list[str] = []
    below = 0.0  # text follows for headings of a higher level than this
    for line in reversed(lines):
        level = len(line) - len(line.lstrip(HEADING))
        if line and not level:
            below = math.inf
        if not level or level < below:
            kept.append(line[level:])
            below = level or below
    return kept[::-1]
