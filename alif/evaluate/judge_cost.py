"""How many judgements a recipe asks for, and what they can cost at most: for `alif check` and `alif plan`.

questions × pairs × 2 orders + questions with a rubric × systems, for each judge
"""

from __future__ import annotations

from collections.abc import Mapping

from alif.evaluate.judge_prompts import MOST_CHARS
from alif.evaluate.judge_requests import judge_endpoints, list_pairs
from alif.facts.judge_facts import JudgeBound
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.llm.budget import price_of
from alif.records import Dropped
from alif.settings import Recipe
from alif.sources import PackFiles, read_rows

__all__ = ["bound_judging", "describe_bounds"]

BYTES_PER_TOKEN = 16
"""Most bytes of an answer for each token that it may have: a long word of a Latin or an Indic script."""
BYTES_PER_CHAR = 4
PROMPT_BYTES = 4000
"""More than a prompt in any shipped language has."""


def bound_judging(recipe: Recipe) -> dict[str, JudgeBound]:
    """Return how many judgements each judge gives, and what they cost at most, stored ones not subtracted.

    A judgement that cannot be read is asked for once more; the cap of the run holds in any case.
    """
    if not recipe.judge:
        return {}
    own = packs.load_pack(recipe.language.pack)
    rows = read_rows(recipe.benchmarks.test, recipe.sources.folder, PackFiles(own, ("test.jsonl",)))
    values = [row.values for row in rows if not isinstance(row, Dropped)]
    wanted = [count for count in (recipe.evaluate.questions, recipe.judging.questions) if count]
    asked = min([len(values), *wanted])
    pairs = list_pairs(recipe.judging.pairs, recipe.systems())
    systems = len({name for pair in pairs for name in pair})
    with_rubric = sum(bool(row.get("rubric")) for row in values) if recipe.judging.rubric else 0
    calls = 2 * asked * len(pairs) + min(asked, with_rubric) * systems
    answer = min(recipe.evaluate.max_new_tokens * BYTES_PER_TOKEN, MOST_CHARS * BYTES_PER_CHAR)
    sizes = sorted((sum(len(str(value).encode()) for value in row.values()) for row in values), reverse=True)
    shown = sum(sizes[:asked]) // max(asked, 1)
    found = {}
    for name, one in judge_endpoints(recipe.judge).items():
        most = price_of(f"judge.{name}", one).upper_usd(PROMPT_BYTES + shown + 2 * answer, one.max_tokens)
        found[name] = JudgeBound(calls=calls, usd=round(calls * most, 6))
    return found


def describe_bounds(bounds: Mapping[str, JudgeBound], max_cost_usd: float) -> list[str]:
    """Return a sentence for each judge, and one where all of them could pass the cap."""
    found = [
        f"judge.{name}: {one.calls:,} judgements, {format_usd(one.usd)} at most if every reply can be read"
        for name, one in bounds.items()
    ]
    if (most := sum(one.usd for one in bounds.values())) > max_cost_usd:
        cap = f"runtime.max_cost_usd = {max_cost_usd:g}"
        found.append(f"The judges' {format_usd(most)} are above {cap}: there the run would stop and say so.")
    return found
