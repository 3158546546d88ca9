"""Find the lines of a text that are code, a query, a command or a formula: there is nothing to translate.

    def add(a, b):            certain by itself
        return a + b          code only beside a line that is
    The area = 3 * 4.         prose that holds a formula

Certain lines are few and strict: a line of prose that is taken for code must come back unchanged, and cannot.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re

__all__ = ["COMMAND", "find_code_lines", "is_markup"]

MAX_LINE_CHARS = 400
"""Of a line, to be judged by its end; only the beginning of a longer one is read."""

_NAME = r"[A-Za-z_$][\w$.]*"
_DECLARED = (
    r"(?:(?:public|private|protected|static|final|const|let|var|int|float|double|char|bool|void|String)\s+)"
)
_COLUMNS = r"[\w.*]+(?:\([^()]*\))?(?:,\s*[\w.*]+(?:\([^()]*\))?)*"
COMMAND = (
    r"(?:git\s(?:add|commit|push|pull|clone|checkout|merge|rebase|status|log|diff|branch|init|fetch|stash"
    r"|reset)"
    r"|(?:pip3?|npm|yarn|brew|conda|cargo|apt|apt-get|gem)\s(?:install|uninstall|run|upgrade|init|publish)"
    r"|docker\s(?:run|build|compose|pull|push|ps|exec|images)|kubectl\s(?:get|apply|delete|describe)"
    r"|sudo\s(?:apt|apt-get|yum|dnf|pip3?|rm|chmod|chown|nano|make|systemctl|docker|reboot))"
    r"(?![\w-])"
)
"""A program with its command, as people write it into a sentence."""
_SHELL = (
    r"(?:ls|rm|cp|mv|cd|cat|tar|grep|find|chmod|chown|mkdir|ssh|scp|curl|wget|python3?|node|make|gcc|echo)"
)
_CERTAIN = re.compile(
    rf"""
    (?:async\s+)?def\s+\w+\s*\(.*\)\s*(?:->.*)?: | class\s+\w+\(.*\):                     # Python
  | (?:(?:el)?if|while)\s(?=.*(?:[=!<>]=|\s[<>]\s|\w[(\[]|\bTrue\b|\bNone\b)).*:
  | for\s+\w+(?:,\s*\w+)*\s+in\s\S+:
  | except\s+\w+(?:\s+as\s+\w+)?: | with\s+.*\w\(.*\).*: | lambda\s[\w,\s]*:.* | \[.*\sfor\s\w+\sin\s.*\]
  | from\s+[\w.]+\s+import\s+[(\w*]\w*(?:,\s*\w+|\s+as\s+\w+)*[,)]?
  | import\s+(?:\w+\.\w+[\w.;*]* | \w+\s+as\s+\w+ | [a-z]\w*;?)
  | (?:{_DECLARED}|async\s+|export\s+)*function\s*\w*\s*\(.*\).*                        # C's family
  | {_DECLARED}+\w+\s*(?:[=(\[].*|;)
  | \#(?:include\s*[<"].* | define\s+[A-Z].* | ifn?def\s.* | !/.*) | <\?(?:php|xml).* | using\s+[\w.]+;
  | (?:public|private|fn|func)\s.*\{{ | .*(?:\w\(|[\w\])'"]\s*[-+*/]?=|->|::|\+\+|--|<<|\w\[).*[;{{]
  | (?:if|for|while|switch|else\s+if)\s*\(.*\)\s*\{{ | \}}?\s*else\s*\{{ | return\b[^.?!]*;
  | [a-z_$][\w$.]*\(.*\);? | {_NAME}\s*=\s*(?:{_NAME}\(.*|[\[{{"'].*|(?:lambda|new|await)\s.*);?     # calls
  | [.\#]?[a-z][\w-]*+(?:(?:\s*[,>]\s*|\s+)[.\#]?[a-z][\w-]*+)*+\s*\{{(?:.*:.*\}})?      # style sheets
  | \$\s+[a-z].* | {COMMAND}.*(?<![.?!:])
  | {_SHELL}\s+(?:.*\s)?(?:--?[A-Za-z]|[./~$]).*(?<![.?!:])  # a shell
  | SELECT\s+(?:.+\sFROM\s.+|{_COLUMNS}) | (?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+\s+SET)\s.*
  | (?:CREATE|ALTER|DROP)\s+(?:TABLE|VIEW|INDEX|DATABASE)\s.* | select\s.+\sfrom\s.+; | insert\s+into\s.+;
    """,
    re.VERBOSE,
)
_POSSIBLE = re.compile(
    rf"""
    [\s{{}})\]\[(;,]+ | (?:pass|break|continue|try|else|finally):?;? | @\w[\w.]*(?:\(.*\))?
  | (?:if|elif|while|for|with|except|case)\b.*:
  | (?:return|yield|raise|throw|del|echo|print|assert|end|fi|done|BEGIN|END)\b.*
  | {_NAME}(?:\[.*\])?\s*(?:[-+*/%|&]?=|:=|<-)\s*\S.* | (?:[\w.]+\s+)?{_NAME}\(.*
  | (?:FROM|WHERE|(?:GROUP|ORDER)\s+BY|HAVING|LIMIT|(?:LEFT|RIGHT|INNER)?\s*JOIN|ON|AND|OR|SET|VALUES)\b.*
  | [\w-]+\s*:\s*[^;]+; | "[^"]+"\s*:\s*.+ | \[.*\],? | ['"].*['"],? | >>>.* | .*[;{{]
    """,
    re.VERBOSE,
)
_LATIN = re.compile(r"[A-Za-z]")
"""What every line of code but JSON's has, and most texts in another script have not."""
_COMMENT = re.compile(r"\s*(?:#|//|--\s|/\*|\*(?:\s|/|$)|<!--|\"\"\"|''')")
_TRAILING_COMMENT = re.compile(r"(?<=\S)\s+(?:#\s|//).*$|(?<=\S)\s*/\*.*\*/\s*$|(?<=;)\s*--\s.*$")
_FORMULA = re.compile(
    r"(?=.*[=^≤≥≈*+])(?=.*[A-Za-z])"
    r"(?:(?<![A-Za-z])(?:[A-Za-z](?:[A-Za-z](?=[\^_*/)]))?|sin|cos|tan|log|ln|exp|sqrt|lim)(?![A-Za-z])"
    r"|\d++(?:[.,]\d++)?(?:[A-Za-z](?![A-Za-z]))?"
    r"|[\s\-=+*/^_<>≤≥≈≠±×÷·√∑∫∞π→²³()\[\]{}|!,.'%]++)+"
)
_MARKUP = re.compile(
    r"\s*(?:<!DOCTYPE\s[^<>]*>\s*)?<([A-Za-z][\w-]*)\b[^<>]*>.*(?:</[A-Za-z][\w-]*>|/>|<\1\b[^<>]*>)\s*",
    re.DOTALL,
)


def find_code_lines(text: str) -> tuple[list[str], list[str]]:
    """Return the lines that are code, without their comments, and all that belongs to code: comments too."""
    is_json = False
    if text.lstrip().startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            is_json = bool(json.loads(text))
    if not is_json and not _LATIN.search(text):
        return [], []
    lines = text.split("\n")
    certain = [is_json or bool(_CERTAIN.fullmatch(line.strip()[:MAX_LINE_CHARS])) for line in lines]
    kinds = [
        sure or bool(_FORMULA.fullmatch(line.strip()[:MAX_LINE_CHARS]))
        for sure, line in zip(certain, lines, strict=True)
    ]
    if not any(kinds):
        return [], []
    comments = [bool(_COMMENT.match(line)) and not sure for sure, line in zip(certain, lines, strict=True)]
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for order in (filled, filled[::-1]):  # code spreads to the lines below it, then to those above
        for before, here in itertools.pairwise(order):
            inside = order is filled and lines[here].startswith(("  ", "\t"))
            alike = inside or comments[here] or bool(_POSSIBLE.fullmatch(lines[here].strip()))
            kinds[here] |= kinds[before] and alike
    whole = [number for number in filled if kinds[number]]
    code = [_TRAILING_COMMENT.sub("", lines[number]).rstrip() for number in whole if not comments[number]]
    return code, [lines[number] for number in whole]


def is_markup(text: str) -> bool:
    """Tell whether a text is one piece of HTML or XML, from its first tag to its last."""
    return bool(_MARKUP.fullmatch(text))
