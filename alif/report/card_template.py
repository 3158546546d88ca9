"""The Jinja environment of the cards, and what both cards count.

Cards are Markdown templates (`*.md.jinja`). Every value that a template prints is escaped, so text of a pack,
recipe or row adds no link, no HTML, no table cell and, with the filter `yaml`, no key to the front matter.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path, PureWindowsPath

import jinja2
from markupsafe import Markup

from alif.formatting import format_duration, format_usd
from alif.language.marked_text import has_hidden
from alif.records import NOT_REVIEWED, STEP_NAMES, PreferencePair
from alif.report.snapshot import RunSnapshot

__all__ = ["author_kind", "common_values", "escape_markdown", "public_name", "render_card", "yaml_text"]

MODEL_AUTHOR = "language model"
"""How a pack marks a text that a model wrote. Source: `Origin.author`."""
MARKUP = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)")


def render_card(template: str, **values: object) -> str:
    """Return a card in Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=escape_markdown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "counts": lambda counts: ", ".join(f"{count} {name}" for name, count in counts.items()),
        "duration": format_duration,
        "public": public_name,
        "usd": lambda usd: "" if usd is None else format_usd(usd),
        "yaml": yaml_text,
    }
    environment.filters |= filters
    text = environment.get_template(template).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escape_markdown(value: object) -> Markup:
    """Return a value as one line of inert Markdown."""
    if isinstance(value, Markup | jinja2.Undefined):
        return Markup(value)
    line = " ".join(str(value).splitlines())
    shown = "".join(f"U+{ord(one):04X}" if has_hidden(one) else one for one in line)
    return Markup(MARKUP.sub(r"\\\g<0>", shown))


def yaml_text(text: str) -> Markup:
    """Return a text as a quoted YAML string of one line, so that `no` is no boolean."""
    return Markup(json.dumps(" ".join(text.splitlines()), ensure_ascii=False))


def public_name(model: str) -> str:
    """Return a model's name for publication: of a folder the last part, since a path may name a person."""
    local = model.startswith(("/", "~", ".")) or PureWindowsPath(model).is_absolute()
    return PureWindowsPath(model).name if local else model


def author_kind(author: str, model: str = "") -> str:
    """Return whether a person or a model wrote a text: people are never named."""
    return "a language model" if author in (MODEL_AUTHOR, model) else "a person"


FOREIGN = ("replay", "source", "translated")
"""Kinds of rows whose source others have published."""


def common_values(run: RunSnapshot) -> Mapping[str, object]:
    """Return what both cards print: who wrote the seeds, and rows and documents by origin and licence."""
    authors = Counter(author_kind(seed.origin.author).replace("a person", "people") for seed in run.seeds)
    written = " and ".join(f"{count} written by {kind}" for kind, count in sorted(authors.items()))
    reviewed = sum(bool(seed.origin.reviewed_by) for seed in run.seeds)
    read = (
        f"{reviewed} of them were read and accepted by a reviewer" if reviewed else f"they are {NOT_REVIEWED}"
    )
    origins: Counter[tuple[str, str, str]] = Counter()
    for row in (*run.read_examples("blend"), *run.read_pairs()):
        strategy = row.origin.strategy.removeprefix("plain").removeprefix(", ")
        pair = "pair of answers" if isinstance(row, PreferencePair) else ""
        source = row.origin.source.partition("#")[0] if row.origin.kind in FOREIGN else ""
        model, source = public_name(row.origin.model), source and f"source {source}"
        parts = (row.origin.kind, pair, strategy, model, source)
        origins[row.language, ", ".join(filter(None, parts)), row.origin.licence] += 1
    for document in run.read_documents():
        origins[document.language, f"text, {document.source}", document.licence] += 1
    return {
        "run": run,
        "seeds_sentence": f"{len(run.seeds)} seeds, {written}; {read}." if run.seeds else "",
        "origins": origins,
        "row_steps": STEP_NAMES[: STEP_NAMES.index("base")],
    }
