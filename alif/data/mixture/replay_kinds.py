"""What kind of row a replayed one is: code, mathematics or text.

    {"category": "coding", …}              code: a column says so
    {"output": "```python …"}              code: there is a fence, or half of its lines are code
    {"output": "$x^2 = 9$, so x = ±3"}     mathematics: there are formulas, or several equations

What is neither is text.
"""

from __future__ import annotations

from typing import Literal

import regex

from alif.language.code_lines import find_code_lines
from alif.records import Example
from alif.sources import Row

__all__ = ["find_kind"]

Kind = Literal["code", "mathematics", ""]
NAMES: dict[str, Kind] = {
    **dict.fromkeys(("code", "coding", "programming", "python", "sql"), "code"),
    **dict.fromkeys(("math", "maths", "mathematics", "arithmetic", "gsm8k", "algebra"), "mathematics"),
}
"""What data sets call them, in the columns `kind`, `category`, `domain` and `task`."""
MIN_EQUATIONS = 2
_FORMULA = regex.compile(
    r"\$\$.+?\$\$|\$[^$\n]*[\\^_=][^$\n]*\$|\\\(.+?\\\)|\\\[.+?\\\]|\\frac|\\sqrt", regex.S
)
_EQUATION = regex.compile(r"\d\s*[-+*/×÷^]\s*\(?\d[^=\n]{0,40}=\s*[-$£€]?\d|<<[^<>]+=[^<>]+>>")
_WORD = regex.compile(r"\p{L}+")


def find_kind(row: Row, example: Example) -> Kind:
    """Return the kind of a row; "" is text."""
    named = " ".join(str(row.values.get(key) or "") for key in ("kind", "category", "domain", "task"))
    for word in _WORD.findall(named.casefold()):
        if word in NAMES:
            return NAMES[word]
    whole = f"{example.instruction}\n{example.input}\n{example.output}"
    filled = sum(1 for line in example.output.split("\n") if line.strip())
    if "```" in whole or 2 * len(find_code_lines(example.output)[1]) > filled:
        return "code"
    formulas = len(_FORMULA.findall(whole)) + len(_EQUATION.findall(whole)) // MIN_EQUATIONS
    return "mathematics" if formulas else ""
