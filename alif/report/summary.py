"""What a run's numbers say: three headlines, a summary in plain sentences, and caveats."""

from __future__ import annotations

from dataclasses import dataclass

from alif.dedup.overlap_index import UNDETECTED
from alif.facts.data_facts import BlendFacts
from alif.facts.evaluation_facts import Comparison, EvaluateFacts
from alif.facts.training_facts import BaseFacts
from alif.formatting import MINUS, format_change
from alif.llm.endpoint import SCRIPTED
from alif.records import NOT_REVIEWED
from alif.report.snapshot import RunSnapshot

__all__ = [
    "ANSWERS", "BITS", "Headline", "base_name", "data_caveats", "headlines", "list_notices", "model_caveats",
    "retention_rows", "stage_verdicts", "summarise_run",
]  # fmt: skip

BITS, ANSWERS, ANSWER_BITS = "bits_per_byte", "answers", "answer_bits_per_byte"
"""Names of the evaluation's metrics and of its benchmark of held-out answers."""
WORST_FIRST = ("lost", "cannot tell", "retained", "not measurable")
"""Verdicts on what is left of the source language."""


@dataclass(frozen=True)
class Headline:
    """One of the three numbers of the first screen."""

    title: str
    change: str = "–"
    """In percent of the base's value."""
    values: str = "not measured yet"
    """From what to what, in the metric's unit."""
    interval: str = ""
    verdict: str = ""


def headlines(run: RunSnapshot) -> list[Headline]:
    """Return the change of target-language text and answers, and of source-language text, from the base."""
    target, source, last = run.target, run.source, run.last_stage
    return [
        _headline(run, f"{target.name} text, after stage 1", "pretrain", target.code),
        _headline(run, f"{target.name} answers, after {run.systems[last]}", last, target.code, ANSWERS),
        _headline(run, f"{source.name} text, after {run.systems[last]}", last, source.code),
    ]


def _headline(
    run: RunSnapshot, title: str, stage: str, language: str, benchmark: str = "heldout"
) -> Headline:
    """Return how bits per byte changed from the base to a stage."""
    metric = ANSWER_BITS if benchmark == ANSWERS else BITS
    old, new = (run.score(name, metric, language, benchmark) for name in ("base", stage))
    if old is None or new is None:
        return Headline(title)
    change = format_change(new.value - old.value, old.value)
    values = f"{old.value:.3f} → {new.value:.3f} bits per byte"
    found = run.difference(stage, metric, language, benchmark)
    if found is None:
        return Headline(title, change, values, f"n\u00a0=\u00a0{new.n}")
    low, high = (format_change(end, old.value) for end in (found.low, found.high))
    interval = f"95 % interval {low} to {high}, n\u00a0=\u00a0{found.n}"
    return Headline(title, change, values, interval, found.verdict)


def retention_rows(run: RunSnapshot) -> list[Comparison]:
    """Return the last stage's differences in the source language that have a margin, the worst first."""
    rows = [
        row
        for row in run.differences
        if (row.language, row.stage, row.against) == (run.source.code, run.last_stage, "base")
        and "/" not in row.benchmark
        and row.margin is not None
    ]
    return sorted(rows, key=lambda row: WORST_FIRST.index(row.verdict))


def stage_verdicts(run: RunSnapshot) -> dict[str, object]:
    """Return the verdicts of report.json: of each headline, and retention benchmark by benchmark."""
    text, answers, _ = headlines(run)
    kept = retention_rows(run)
    return {
        "taught_text": text.verdict or "not measured",
        "answers": answers.verdict or "not measured",
        "known_retention": kept[0].verdict if kept else "not measured",
        "known_retention_of": [
            {"benchmark": row.benchmark, "metric": row.metric, "verdict": row.verdict} for row in kept
        ],
    }


def data_caveats(run: RunSnapshot) -> list[str]:
    """Return what a reader must know before trusting the rows."""
    caveats = []
    if run.seeds and not any(row.origin.reviewed_by for row in run.seeds):
        caveats.append(f"The {run.target.name} seeds are {NOT_REVIEWED}.")
    review = run.recipe.review
    if "generate" in run.steps and not (review.share or review.lot_rows):
        caveats.append("No person has read the rows that a model wrote.")
    if (blend := run.facts("blend", BlendFacts)) and blend.benchmark_prompts:
        leaks = sum(blend.contaminated.values())
        caveats.append(
            f"Rows were compared with {blend.benchmark_prompts:,} questions of benchmarks; {leaks:,} that "
            f"give one away were left out. {UNDETECTED}"
        )
    if any(teacher.base_url == SCRIPTED for teacher in run.recipe.teacher.values()):
        caveats.append(
            "The teacher is scripted: its rows are the pack's own demo texts, no language model was asked."
        )
    return caveats


def model_caveats(run: RunSnapshot) -> list[str]:
    """Return what a reader must know before trusting the model and its scores."""
    caveats = []
    if run.recipe.student.base == "tiny":
        caveats.append(
            "The base is a tiny model made in this run: it shows the method, not how a real model answers."
        )
    facts = run.facts("base", BaseFacts)
    if facts and facts.gguf:
        source = facts.gguf
        rounded = f"weights were rounded to {source.rounded_to} in the file" if source.rounded_to else ""
        licence = f"licence {source.licence}" if source.licence else "no licence stated in it"
        parts = "; ".join(filter(None, (rounded, licence, f"SHA-256 {source.digest}")))
        caveats.append(f"The base was read from the GGUF file {source.file}: {parts}.")
    if evaluated := run.facts("evaluate", EvaluateFacts):
        caveats += [one.sentence for one in evaluated.in_context]
    if run.scores:
        caveats.append("Intervals cover the choice of test items, not the spread between training seeds.")
    return caveats


def list_notices(run: RunSnapshot) -> list[str]:
    """Return all caveats, and which steps are missing."""
    missing = [step for step in ("generate", "pretrain", "finetune", "evaluate") if step not in run.steps]
    unfinished = [f"The run is not finished: {', '.join(missing)} not done."] if missing else []
    return [*data_caveats(run), *model_caveats(run), *unfinished]


def base_name(run: RunSnapshot, name: str) -> str:
    """Return how the base is called in a sentence, with its size; `name` is that of a published one."""
    facts = run.facts("base", BaseFacts)
    size = f" ({facts.parameters:,} parameters)" if facts else ""
    return f"{'A tiny model made in this run' if run.recipe.student.base == 'tiny' else name}{size}"


def summarise_run(run: RunSnapshot) -> list[str]:
    """Return the run in a few plain sentences."""
    text, answers, source = headlines(run)
    name, replay = run.source.name, "with replay" if run.recipe.replay.rows else "without replay"
    retention = {
        "retained": f"{name} was kept, {replay}: its bits per byte moved by {source.change}, in the margin.",
        "lost": f"Some {name} was lost, {replay}: its bits per byte moved by {source.change}.",
        "not measurable": f"Retention of {name} cannot be measured: the base was at chance.",
        "cannot tell": f"Whether {name} was kept, {replay}, cannot be told: its bits per byte moved by "
        f"{source.change}, and the interval crosses the margin.",
    }
    stages = []
    if "pretrain" in run.steps:
        stages.append(f"read {run.steps['pretrain'].counts.kept:,} documents (stage 1)")
    if "finetune" in run.steps:
        stages.append(f"was tuned on {run.steps['finetune'].counts.kept:,} instructions (stage 2)")
    pairs = run.steps["prefer"].counts.kept if "prefer" in run.steps else 0
    if pairs:
        stages.append(f"learned from {pairs:,} pairs of answers (stage 3)")
    did = " and then ".join(stages) or f"is to learn {run.target.name}"
    sentences = [
        f"{base_name(run, run.recipe.student.base)} {did}.",
        _describe_gain(f"reading {run.target.name}", text, "stage 1"),
        _describe_gain(
            f"writing {run.target.name} answers", answers, "all stages" if pairs else "both stages"
        ),
        retention.get(source.verdict, ""),
    ]
    return [sentence for sentence in sentences if sentence]


def _describe_gain(what: str, number: Headline, stage: str) -> str:
    share = number.change.lstrip(f"+{MINUS}")
    if number.verdict == "better":
        return f"It got better at {what}: {stage} took {share} off the bits that it needs for each byte."
    if number.verdict == "worse":
        return f"It got worse at {what}: it needs {share} more bits for each byte after {stage}."
    if number.verdict:
        return f"Whether it got better at {what} cannot be told from so few items ({number.change})."
    return ""
