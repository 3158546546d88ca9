"""The data card: what a user of a run's rows must know, from the run's own records (data_card.md.jinja).

Language and script, licence, seeds and who wrote them, teachers and their terms, prompts by hash, the funnel,
cost, limits. The ledger and people's names are never part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from alif.facts.data_facts import GenerateFacts, TranslateFacts
from alif.llm.endpoint import SCRIPTED, hostname
from alif.records import FUNNEL_GROUPS
from alif.report.card_template import author_kind, common_values, public_name, render_card
from alif.report.snapshot import RunSnapshot
from alif.report.summary import data_caveats

__all__ = ["REVERSE", "data_card", "data_card_values"]

REVERSE = "reverse"
"""The strategy of a row whose instruction alone was written by a model. Source: `Origin.strategy`."""


def data_card(run: RunSnapshot) -> str:
    """Return the card of the run's rows and documents in Markdown."""
    return render_card("data_card.md.jinja", **data_card_values(run))


def data_card_values(run: RunSnapshot) -> Mapping[str, object]:
    """Return what the template prints."""
    generate, translate = run.facts("generate", GenerateFacts), run.facts("translate", TranslateFacts)
    seeds: Counter[tuple[str, str, str, str]] = Counter()
    for seed in run.seeds:
        origin, file = seed.origin, seed.origin.source.partition("#")[0]
        author = author_kind(origin.author) if origin.author else ""
        read = "by a reviewer" if origin.reviewed_by else "by nobody"
        seeds[file.rpartition("/")[0] or file, origin.licence, author, read] += 1
    models: dict[str, set[str]] = {}
    rows: Counter[str] = Counter()
    for step in ("generate", "translate"):
        for row in run.read_examples(step):
            models.setdefault(row.origin.teacher, set()).add(public_name(row.origin.model))
            rows[row.origin.teacher] += 1
    funnel = generate.funnel.teachers if generate else {}
    teachers = [
        {
            "name": name,
            "models": ", ".join(sorted(models.get(name, {public_name(teacher.model)}))),
            "host": "" if teacher.base_url == SCRIPTED else hostname(teacher.base_url),
            "rows": rows[name],
            "usd_per_row": funnel[name].usd_per_accepted if name in funnel else None,
        }
        for name, teacher in run.recipe.teacher.items()
    ]
    return {
        **common_values(run),
        "generate": generate,
        "funnel_groups": FUNNEL_GROUPS,
        "prompts": {**(generate.prompts if generate else {}), **(translate.prompts if translate else {})},
        "seeds": seeds,
        "teachers": teachers,
        "reverse": any(row.origin.strategy == REVERSE for row in run.read_examples("generate")),
        "caveats": data_caveats(run),
    }
