"""Prompt templates: text with three variables and includes; nothing else of Jinja is allowed to a stranger.

    Write {{ items }} questions in {{ language }} ({{ native_name }}).
    {% include "_format.jinja" %}

`load_prompt` parses a template, rejects every syntax node that is not on the allowlist, writes the includes
out, and checks the result once more, since an include's text can change how the text around it is parsed.
`render_prompt` also uses Jinja's sandbox: neither of the two relies on the other.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alif.errors import PackError
from alif.language.pack_files import MAX_PROMPT_BYTES, read_pack_text

__all__ = ["PROMPT_VARIABLES", "load_prompt", "render_prompt"]

PROMPT_VARIABLES = frozenset({"language", "native_name", "items"})
"""What a prompt template may use: the pack's name, its native name, the number of tasks wanted."""
MAX_INCLUDE_DEPTH = 8
"""Includes within includes. The shipped prompts have one."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=False
)
_INCLUDE = re.compile(r"""\{%\s*include\s+(['"])([\w.-]+\.jinja)\1\s*%\}\n?""")
_ALLOWED = (
    f"A prompt is text, {', '.join(f'{{{{ {name} }}}}' for name in sorted(PROMPT_VARIABLES))}, comments, "
    'raw blocks and {% include "_name.jinja" %} of a file beside it.'
)


def load_prompt(path: Path, folder: Path) -> str:
    """Return the Jinja source of a prompt of the pack in `folder`, with its includes written out.

    Raises:
        PackError: it uses more of Jinja, or an include cannot be read, is circular or grows too large.
    """
    source = _expand(path, folder, {}, ())
    _check(source, f"{path}: with its includes written out")
    return source


@functools.cache
def render_prompt(source: str, language: str, native_name: str, items: int) -> str:
    """Fill in a prompt that `load_prompt` returned."""
    return _ENVIRONMENT.from_string(source).render(language=language, native_name=native_name, items=items)


def _expand(path: Path, folder: Path, expanded: dict[Path, str], within: tuple[Path, ...]) -> str:
    """Return a checked template with its includes written out; each file is read once."""
    if path in within:
        message = f"{within[-1]}: includes lead in a circle, back to {path.name}"
        raise PackError(message, "Remove one of these includes.")
    if len(within) > MAX_INCLUDE_DEPTH:
        message = f"{path}: more than {MAX_INCLUDE_DEPTH} includes within each other"
        raise PackError(message, "Include the text directly.")
    if path not in expanded:
        source = read_pack_text(path, folder)
        _check(_INCLUDE.sub(lambda found: "\n" * found[0].count("\n"), source), str(path), numbered=True)
        parts: list[str] = []
        begin = size_bytes = 0
        for found in (*_INCLUDE.finditer(source), None):
            part = source[begin : found.start() if found else None]
            if found:
                part += _expand(path.parent / found[2], folder, expanded, (*within, path))
                begin = found.end()
            parts.append(part)
            size_bytes += len(part.encode())
            if size_bytes > MAX_PROMPT_BYTES:
                message = f"{path}: over {MAX_PROMPT_BYTES:,} bytes with its includes written out"
                raise PackError(message, "Shorten the prompt.")
        expanded[path] = "".join(parts)
    return expanded[path]


def _check(source: str, where: str, numbered: bool = False) -> None:
    """Reject what is more than text and variables; `numbered` adds the line to `where`."""
    try:
        template = _ENVIRONMENT.parse(source)
    except jinja2.TemplateSyntaxError as error:
        place = f"{where}:{error.lineno}" if numbered else where
        raise PackError(f"{place}: not a Jinja template ({error.message})", "Correct that line.") from error
    except (RecursionError, ValueError) as error:  # brackets in brackets, a number of thousands of digits
        raise PackError(f"{where}: not a Jinja template (it cannot be parsed)", _ALLOWED) from error
    for statement in template.body:
        for node in statement.nodes if isinstance(statement, nodes.Output) else (statement,):
            if isinstance(node, nodes.TemplateData):
                continue
            place = f"{where}:{node.lineno}" if numbered else where
            if isinstance(node, nodes.Include):
                raise PackError(f"{place}: an include that is not allowed", _ALLOWED)
            if not isinstance(node, nodes.Name):
                message = f"{place}: Jinja code that a prompt may not use ({type(node).__name__})"
                raise PackError(message, _ALLOWED)
            if node.name not in PROMPT_VARIABLES:
                raise PackError(f"{place}: no such variable: {node.name}", _ALLOWED)
