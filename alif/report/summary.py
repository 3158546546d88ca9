"""What a run's numbers say: three key numbers, a summary in plain words, and what a reader must know before trusting them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alif.records import NOT_REVIEWED
from alif.report.snapshot import RunSnapshot

__all__ = [
    "BITS",
    "Headline",
    "format_percent",
    "headlines",
    "list_notices",
    "retention_rows",
    "stage_verdicts",
    "summarise_run",
]

BITS, ANSWERS, ANSWER_BITS = "bits_per_byte", "answers", "answer_bits_per_byte"
"""Names of the evaluation's metrics and of its benchmark of held-out answers."""

Tone = Literal["good", "bad", "open"]
TONES: Mapping[str, Tone] = {"better": "good", "retained": "good", "worse": "bad", "lost": "bad"}


@dataclass(frozen=True)
class Headline:
    """One of the three numbers of the first screen."""

    title: str
    number: str
    change: str
    """From what to what, in the metric's unit."""
    interval: str
    verdict: str
    tone: Tone


def format_percent(part: float, whole: float) -> str:
    """Return part / whole as a signed percentage with as many digits as it needs: `−24.8 %`, `+0.4 %`."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:+.1f} %".replace("-", "\u2212")


def _key(run: RunSnapshot, title: str, after: str, language: str, benchmark: str = "heldout") -> Headline:
    """Return how bits per byte moved from the base to a stage."""
    metric = ANSWER_BITS if benchmark == ANSWERS else BITS
    old, new = (run.score(stage, metric, language, benchmark) for stage in ("base", after))
    if old is None or new is None:
        return Headline(title, "–", "not measured yet", "", "", "open")
    change = f"{old.value:.3f} → {new.value:.3f} bits per byte"
    found = run.difference(after, metric, language, benchmark)
    number = format_percent(new.value - old.value, old.value)
    if found is None:
        return Headline(title, number, change, f"n\u00a0=\u00a0{new.n}", "", "open")
    low, high = (format_percent(found[end], old.value) for end in ("low", "high"))
    interval = f"95 % interval {low} to {high}, n\u00a0=\u00a0{found['n']}"
    return Headline(title, number, change, interval, found["verdict"], TONES.get(found["verdict"], "open"))


def headlines(run: RunSnapshot) -> list[Headline]:
    """Return what stage 1 did to the taught language, both stages to answers, and what is left of the known language."""
    taught, known = run.taught, run.known
    return [
        _key(run, f"{taught.name} text, after stage 1", "pretrain", taught.code),
        _key(run, f"{taught.name} answers, after stage 2", "finetune", taught.code, ANSWERS),
        _key(run, f"{known.name} text, after stage 2", "finetune", known.code),
    ]


def retention_rows(run: RunSnapshot) -> dict[str, Any]:
    """Return what is left of the known language, the worst first: the last stage's differences that have a margin."""
    found = [
        dict(row)
        for row in run.differences
        if row["language"] == run.known.code
        and row["stage"] == "finetune"
        and row.get("against", "base") == "base"
        and "/" not in row["benchmark"]
        and row.get("margin") is not None
    ]
    order = ("lost", "cannot tell", "retained", "not measurable")
    found.sort(key=lambda row: order.index(row["verdict"]))
    told = {row["verdict"] for row in found}
    overall = next((verdict for verdict in order if verdict in told), "not measured")
    return {"verdict": overall, "rows": found}


def stage_verdicts(run: RunSnapshot) -> dict[str, Any]:
    """Return the verdicts of report.json: of each key number, and retention benchmark by benchmark."""
    taught_text, answers, _ = headlines(run)
    kept = retention_rows(run)
    return {
        "taught_text": taught_text.verdict or "not measured",
        "answers": answers.verdict or "not measured",
        "known_retention": kept["verdict"],
        "known_retention_of": [
            {key: row[key] for key in ("benchmark", "metric", "verdict")} for row in kept["rows"]
        ],
    }


def list_notices(run: RunSnapshot) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    found = []
    if run.unreviewed:
        found.append(f"The {run.taught.name} seeds are {NOT_REVIEWED}.")
    if any(teacher.base_url == "scripted" for teacher in run.recipe.teacher.values()):
        found.append(
            "The teacher is scripted: its rows come from the pack's demo folder, no language model was asked."
        )
    if run.recipe.student.base == "tiny":
        found.append(
            "The base is a tiny model made in this run: it shows the method at work, not how well a real model answers."
        )
    if run.scores:
        found.append("Intervals cover the choice of test items, not the spread between training seeds.")
    done = {step["name"] for step in run.steps}
    missing = [step for step in ("generate", "pretrain", "finetune", "evaluate") if step not in done]
    if missing:
        found.append(f"The run is not finished: {', '.join(missing)} not done.")
    return found


def summarise_run(run: RunSnapshot) -> list[str]:
    """Return the run in a few plain sentences."""
    text, answers, known = headlines(run)
    return [
        sentence
        for sentence in (
            _built(run),
            _moved(f"reading {run.taught.name}", text, "stage 1"),
            _moved(f"writing {run.taught.name} answers", answers, "both stages"),
            _kept(run, known),
        )
        if sentence
    ]


def _built(run: RunSnapshot) -> str:
    parameters = run.facts.get("base", {}).get("parameters")
    kept = {step["name"]: step["kept"] for step in run.steps}
    name = "A tiny model made in this run" if run.recipe.student.base == "tiny" else run.recipe.student.base
    size = f" ({parameters:,} parameters)" if isinstance(parameters, int) else ""
    steps = []
    if "pretrain" in kept:
        steps.append(f"read {kept['pretrain']:,} documents (stage 1)")
    if "finetune" in kept:
        steps.append(f"was tuned on {kept['finetune']:,} instructions (stage 2)")
    return (
        f"{name}{size} {' and then '.join(steps)}."
        if steps
        else f"{name}{size} is to learn {run.taught.name}."
    )


def _moved(what: str, number: Headline, stage: str) -> str:
    """Say in plain words what a key number says."""
    share = number.number.lstrip("+\u2212")
    if number.verdict == "better":
        return f"It got better at {what}: {stage} took {share} off the bits that it needs for each byte."
    if number.verdict == "worse":
        return f"It got worse at {what}: it needs {share} more bits for each byte after {stage}."
    if number.verdict:
        return f"Whether it got better at {what} cannot be told from so few items ({number.number})."
    return ""


def _kept(run: RunSnapshot, number: Headline) -> str:
    name = run.known.name
    if not number.verdict:
        return ""
    replayed = ", with replay" if run.recipe.replay.rows else ", without replay"
    share = number.number.lstrip("+\u2212")
    told = {
        "retained": f"{name} was kept{replayed}: its bits per byte moved by {number.number}, within the margin.",
        "lost": f"Some {name} was lost{replayed}: it needs {share} more bits for each byte than the base did.",
        "not measurable": f"What became of {name} cannot be measured: the base was at chance.",
    }
    return told.get(
        number.verdict,
        f"Whether {name} was kept{replayed}, cannot be told: it moved by {number.number}, and the interval crosses the margin.",
    )
