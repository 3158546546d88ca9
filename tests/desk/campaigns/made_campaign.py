"""A campaign on made answers: the sources have names that a search finds wherever they leak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alif.desk.campaigns.campaign_store import freeze_campaign, list_campaigns, start_campaign
from alif.desk.office import Office

SOURCES = ("zebra-teacher", "okapi-teacher", "ibex-teacher")
TASKS = ("qa", "reasoning")


def answer_lines(prompts: int, sources: tuple[str, ...] = SOURCES) -> list[dict[str, Any]]:
    """Answers of all sources; a text says in hidden words what it is, so that scripted judges can tell."""
    return [
        {
            "prompt": f"p{number}",
            "source": source,
            "language": "ur",
            "task": TASKS[number % 2],
            "instruction": f"سوال نمبر {number} کا جواب دیں۔",
            "output": f"جواب {number} · {number * 7 % 97} " + "لفظ " * (1 + place),
            "usd": 0.001 * (place + 1),
        }
        for number in range(prompts)
        for place, source in enumerate(sources)
    ]


def write_plan(folder: Path, lines: list[dict[str, Any]] | None = None, **plan: Any) -> Path:
    """Write answers and a plan beside them."""
    answers = folder / "answers.jsonl"
    if lines is not None or not answers.exists():
        found = answer_lines(12) if lines is None else lines
        answers.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    kept = {
        "kind": "audit",
        "name": "first",
        "title": "کون سے جواب قابلِ قبول ہیں؟",
        "sources": list(SOURCES),
        "answers": str(answers),
        "n": 12,
        "k": 1,
    } | plan
    path = folder / "plan.toml"
    path.write_text(
        "".join(f"{key} = {json.dumps(value)}\n" for key, value in kept.items()), encoding="utf-8"
    )
    return path


def begin(office: Office, folder: Path, lines: list[dict[str, Any]] | None = None, **plan: Any) -> str:
    """Freeze and start a campaign; return its id."""
    freeze_campaign(office.db, office.folder, office.recipe, write_plan(folder, lines, **plan))
    campaign_id = list_campaigns(office.db)[0].id
    start_campaign(office.db, campaign_id)
    return campaign_id


RATED = {"ratings": {"language": 5, "culture": 4, "fact": None}}


def said(**more: Any) -> dict[str, Any]:
    """A judgement of one answer."""
    return {"grade": "accept", **RATED, "dwell_ms": 5000, **more}
