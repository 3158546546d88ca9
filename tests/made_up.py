"""A made-up run folder with real texts of the packs, as the pipeline leaves it: for tests that read runs."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alif import recipe as recipes
from alif import store
from alif.facts.data_facts import (
    BlendFacts,
    BlendPartFacts,
    CorpusFacts,
    CoverageFacts,
    CoverageGap,
    FilterFacts,
    FunnelCounts,
    FunnelFacts,
    GenerateFacts,
    NearDuplicateFacts,
    NearDuplicatePair,
    RepeatedPhrase,
    ReplayFacts,
    SeedsFacts,
    SourceFacts,
    TranslateFacts,
)
from alif.facts.evaluation_facts import BenchmarkFacts, EvaluateFacts, ReferenceCheck, SystemFacts
from alif.facts.release_facts import ExportFacts
from alif.facts.review_facts import ReviewFacts
from alif.facts.training_facts import BaseFacts, FinetuneFacts, MergeFacts, PretrainFacts
from alif.language import pack as packs
from alif.records import (
    STAGES,
    STEP_NAMES,
    Counts,
    Document,
    Dropped,
    Example,
    FrozenModel,
    Neighbour,
    Origin,
    Score,
)
from alif.runs import FORMAT, StepRecord

SECONDS = {"generate": 21.4, "base": 38.2, "pretrain": 41.9, "finetune": 44.5, "evaluate": 61.0}
LONG_SOURCE = "heldout/radio_talks_of_a_very_long_name_indeed.jsonl"
PACKAGES = {"numpy": "2.4.6", "torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2", "zipp": "3.1"}


def build(
    folder: Path,
    name: str = "demo",
    *,
    english_after: float = 2.31,
    until: str = "export",
    replay: int = 60,
    weights: Sequence[float] = (),
) -> Path:
    """Write a run under `folder` and return it; steps after `until` are missing."""
    root = folder / name
    root.mkdir(parents=True)
    shipped = recipes.shipped_recipes()["demo"]
    sets = [f'name="{name}"', f"replay.rows={replay}", f"merge.weights={list(weights)}"]
    recipe = recipes.load_recipe(shipped, sets)
    store.write_text(root / "recipe.toml", recipes.dump_recipe(recipe))
    lock = {"format": FORMAT, "machine": "Linux", "python": "3.11.2", "commit": "5b31c18"}
    store.write_json(root / "lock.json", lock | {"packages": PACKAGES})
    for step in STEP_NAMES[: STEP_NAMES.index(until) + 1]:
        _WRITERS.get(step, _write_stage)(root, step)
    if (root / "evaluate").is_dir():
        if weights:
            write_step(root, "merge", MergeFacts(weights=recipe.merge.pairs()))
        _write_scores(root, english_after, recipe.merge.pairs())
    return root


def write_step(
    root: Path,
    name: str,
    facts: FrozenModel | None,
    kept: int = 0,
    dropped: Mapping[str, int] | None = None,
    not_sampled: int = 0,
) -> None:
    """Write step.json of a finished step."""
    dropped = dict(sorted((dropped or {}).items()))
    counts = Counts(
        rows_in=kept + sum(dropped.values()) + not_sampled,
        kept=kept,
        dropped=dropped,
        not_sampled=not_sampled,
        facts=facts.model_dump(mode="json") if facts else {},
    )
    record = StepRecord(
        format=FORMAT,
        step=name,
        state="done",
        fingerprint=name,
        identity={"finetune.prompt_template": "auto"},
        counts=counts,
        cost_usd=0.0,
        seconds=SECONDS.get(name, 0.8),
    )
    store.write_json(root / name / "step.json", record.model_dump(mode="json"))


def _read_folder(folder: Path, pattern: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.glob(pattern)):
        for _, row in store.read_rows(path):
            yield path.stem, row


def _example(task: str, row: dict[str, Any], kind: str, language: str = "ur", **origin: Any) -> Example:
    origin = {"source": f"{language}/{task}", "licence": "MIT", "author": row.get("author", ""), **origin}
    texts = row["instruction"], row.get("input", ""), row["output"]
    return Example.make(language, task, *texts, Origin(kind=kind, **origin))


def _write_seeds(root: Path, name: str) -> None:
    found = _read_folder(packs.load_pack("ur").folder, "seeds/*.jsonl")
    rows = [_example(task, row, "seed") for task, row in found]
    store.write_rows(root / name / "examples.jsonl", rows)
    write_step(root, name, SeedsFacts(tasks=Counter(row.task for row in rows), reviewed=0), len(rows))


def _write_generate(root: Path, name: str) -> None:
    found = list(_read_folder(packs.load_pack("ur").folder, "demo/candidates/*.jsonl"))
    rows = [_example(task, row, "teacher", teacher="scripted", model="scripted") for task, row in found]
    kept = [row for index, row in enumerate(rows) if index % 4]
    neighbour = Neighbour(id=kept[0].id, text=kept[0].instruction, similarity=0.8125)
    reasons = ("near_duplicate", "target_reached", "wrong_language", "missing_field", "refusal", "too_long")
    dropped = [
        Dropped(row=row, reason=reasons[index % 6], nearest=neighbour if index % 6 == 0 else None)
        for index, row in enumerate(rows[::4])
    ]
    piece = "### Instruction: ایک کہانی لکھیں 2024-05-01 کو\nOutput"
    dropped += [Dropped(raw=piece, reason="truncated", evidence="finish: length")] * 3
    store.write_rows(root / name / "examples.jsonl", kept)
    store.write_rows(root / name / "dropped.jsonl", (row.record() for row in dropped))
    counts = Counter(row.reason for row in dropped)
    write_step(root, name, generate_facts(kept, dropped), len(kept), counts)


def funnel_counts(accepted: int, dropped: Mapping[str, int], requests: int, usd: float = 0.0) -> FunnelCounts:
    pieces = accepted + sum(dropped.values())
    return FunnelCounts(
        requests=requests,
        pieces=pieces,
        parsed=pieces - dropped.get("truncated", 0),
        accepted=accepted,
        tokens_in=900 * requests,
        tokens_out=400 * requests,
        dropped=dict(sorted(dropped.items())),
        usd=usd,
        usd_per_accepted=usd / accepted if accepted else None,
    )


def _add(parts: Iterable[FunnelCounts]) -> FunnelCounts:
    parts = list(parts)
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    accepted, requests = sum(part.accepted for part in parts), sum(part.requests for part in parts)
    return funnel_counts(accepted, dropped, requests, sum(part.usd for part in parts))


def generate_facts(kept: list[Example], dropped: list[Dropped]) -> GenerateFacts:
    """The truncated pieces are of the first task, every second task is the expensive teacher's."""
    by_task: dict[str, FunnelCounts] = {}
    for index, task in enumerate(dict.fromkeys(row.task for row in kept)):
        mine = [one for one in dropped if isinstance(one.row, Example) and one.row.task == task]
        mine += [one for one in dropped if one.row is None and index == 0]
        accepted = sum(row.task == task for row in kept)
        usd = 0.5 if index % 2 else 0.0
        by_task[task] = funnel_counts(accepted, Counter(one.reason for one in mine), 1, usd)
    every = list(by_task.values())
    return GenerateFacts(
        rounds=9,
        saturated=(),
        targets={task: counts.accepted for task, counts in by_task.items()},
        funnel=FunnelFacts(
            whole=_add(every),
            tasks=by_task,
            teachers={"scripted": _add(every[::2]), "dear": _add(every[1::2])},
            strategies={"plain": _add([*every[:3], *every[4:]]), "reverse": every[3]},
        ),
        format_deviations={"bold_keys": 5},
        prompts={},
        repeated_phrases={"translation": (RepeatedPhrase(words="انگریزی میں ترجمہ کریں", rows=61, of=90),)},
        near_duplicates=NearDuplicateFacts(
            method="cosine",
            rows=99,
            threshold=0.75,
            rows_with_a_near_duplicate=2,
            pairs=1,
            nearest=(
                NearDuplicatePair(
                    similarity=0.81,
                    ids=(kept[0].id, kept[1].id),
                    instructions=(kept[0].instruction, kept[1].instruction),
                ),
            ),
        ),
        coverage=CoverageFacts(
            topics={task: {"health": 3, "law": 0 if task == "qa" else 4, "other": 9} for task in by_task},
            difficulties={task: {"short": 10, "middle": 6, "long": 0} for task in by_task},
            registers={task: {"polite": 12, "other": 4} for task in by_task},
            rows=len(kept),
            cells=96,
            empty=70,
            gaps=(CoverageGap(task="qa", topic="law", rows=0, expected=4.4),),
        ),
    )


def _write_replay(root: Path, name: str) -> None:
    found = _read_folder(packs.load_pack("en").folder, "demo/rows.jsonl")
    rows = [_example("replay", row, "replay", "en") for _, row in found][:60]
    store.write_rows(root / name / "examples.jsonl", rows)
    write_step(root, name, ReplayFacts(requested=60, available=70, strata={}), len(rows), not_sampled=10)


def _write_blend(root: Path, name: str) -> None:
    sizes = {"generate": 197, "translate": 64, "replay": 60}
    parts = {
        part: BlendPartFacts(requested=0, available=n + 2, dropped=2, drawn=n, validation=9)
        for part, n in sizes.items()
    }
    files = (root / part / "examples.jsonl" for part in ("generate", "replay"))
    store.write_rows(
        root / name / "examples.jsonl", (row for path in files for _, row in store.read_rows(path))
    )
    facts = BlendFacts(parts=parts, held_out=47, benchmark_prompts=84)
    write_step(root, name, facts, 321, {"contaminated": 4})


def _write_corpus(root: Path, name: str) -> None:
    articles = [
        Document.make(code, row["text"], title=row["title"], source=f"{code}/demo/articles", licence="MIT")
        for code in ("ur", "en")
        for _, row in _read_folder(packs.load_pack(code).folder, "demo/articles.jsonl")
    ]
    store.write_rows(root / name / "examples.jsonl", articles)
    source = SourceFacts(documents=51, characters=121_345, held_out=8, held_out_characters=9_000, truncated=0)
    facts = CorpusFacts(held_out=16, sources={"ur ur/demo/articles": source, "en en/demo/articles": source})
    write_step(root, name, facts, 104, {"duplicate": 2})


STAGE: dict[str, Any] = {
    "trainable": 168_064, "parameters": 390_080, "trainable_percent": 43.08, "rows": 118, "fill": 0.97,
    "labelled": 26_133, "steps": 180, "tokens": 183_600, "first_loss": 6.9, "last_loss": 2.2,
}  # fmt: skip


def _write_stage(root: Path, name: str) -> None:
    base = {"base": "tiny", "revision": "", "parameters": 229_952, "digest": "9b1e0c"}
    facts = {
        "base": BaseFacts(**base, quantise="none", tokenizer={}, tokenizer_cost=None),
        "pretrain": PretrainFacts(**STAGE, replay_documents=26, replay_share=0.2),
        "finetune": FinetuneFacts(**STAGE, template="alpaca"),
        "export": ExportFacts(
            base="tiny", base_revision="", base_digest="9b1e0c", dtype="bfloat16", parameters=229_952,
            bytes=507_700, largest_logit=9.9, merging_moved_logits_by=5e-6, export_moved_logits_by=0.05,
            same_next_token=0.996,
        ),
    }  # fmt: skip
    write_step(root, name, facts.get(name), {"pretrain": 88, "finetune": 274}.get(name, 0))
    if name == "evaluate":
        write_step(root, name, _evaluate_facts(), 140)
    if name == "base":
        store.write_json(root / name / "base.json", base)
    if name in STAGES:
        store.write_rows(root / "runtime" / name / "curve.jsonl", _curve(name))


def _evaluate_facts() -> EvaluateFacts:
    common: dict[str, Any] = {"n": 84, "digest": "5e1f"}
    test = BenchmarkFacts(name="test", languages=("ur",), provenance="native", licence="MIT", **common)
    return EvaluateFacts(
        documents=16,
        held_out_rows=40,
        questions=84,
        choices=0,
        window=256,
        retention=(),
        gold=ReferenceCheck(right=84, n=84, wrong=(), faults={}),
        asked_in_training=0,
        systems=tuple(SystemFacts(name=stage, model="tiny", digest="9b1e0c") for stage in STAGES),
        benchmarks=(test,),
    )


def _curve(name: str) -> list[dict[str, Any]]:
    random.seed(name)
    curve: list[dict[str, Any]] = [
        {"step": n, "loss": 2.2 + 4.7 * math.exp(-n / 40) + random.uniform(-0.2, 0.2), "lr": 1e-3}
        for n in range(1, 181)
    ]
    for n, row in enumerate(curve, 1):
        row |= {"tokens": 1020 * n, "tokens_per_s": 9000 - 40 * (n % 7), "gradient_norm": 0.2 + 2 / n}
    if name != "base":
        (_, article), *_ = _read_folder(packs.load_pack("ur").folder, "demo/articles.jsonl")
        for at, row in enumerate(curve[59::60], 1):
            bits = {"ur": 3.1 - 0.3 * at, "en": 2.1 + 0.05 * at}
            sample = {"prompt": article["text"][:40], "text": article["text"][40 : 60 + 40 * at]}
            row |= {"bits_per_byte": bits, "samples": [sample]}
    return curve


def _write_scores(
    root: Path, english_after: float, merged: Mapping[str, tuple[float, float]] | None = None
) -> None:
    """Merged models lose the source language faster than they gain the other."""
    stages = {
        "base": (3.02, 2.11, 3.61, 0.02),
        "pretrain": (2.21, 2.29, 2.71, 0.04),
        "finetune": (2.24, english_after, 2.05, 0.13),
    }
    for name, (weight, _) in (merged or {}).items():
        ends = list(zip(stages["base"], stages["finetune"], strict=True))
        urdu, english, *rest = [low + weight * (high - low) for low, high in ends]
        stages[name] = (urdu - 0.3 * weight * (1 - weight), english, *rest)
    scores: list[Score] = []
    for stage, (urdu, english, answers, right) in stages.items():
        rows = [
            ("heldout", "bits_per_byte", "ur", urdu, 0.06, 8),
            ("heldout/ur/demo/articles", "bits_per_byte", "ur", urdu, 0.06, 8),
            (LONG_SOURCE, "bits_per_byte", "ur", urdu + 0.4, 0.11, 5),
            ("heldout", "bits_per_byte", "en", english, 0.05, 8),
            ("heldout/en/demo/articles", "bits_per_byte", "en", english, 0.05, 8),
            ("answers", "answer_bits_per_byte", "ur", answers, 0.2, 40),
            ("answers", "answer_bits_per_byte", "en", answers - 0.9, 0.2, 9),
            ("test", "chrf++", "ur", 100 * right, 2.0, 84),
            ("test/sentiment", "exact_match", "ur", right, 0.02, 12),
            ("fidelity", "lookalike_letters", "ur", 0.3 - right, 0.08, 84),
            ("arc_easy", "accuracy", "en", 0.27, 0.07, 150),
        ]  # fmt: skip
        for benchmark, metric, language, value, half, n in rows:
            key = {"stage": stage, "benchmark": benchmark, "metric": metric, "language": language}
            interval = {"value": value, "low": value - half, "high": value + half, "n": n}
            scores.append(Score.model_validate(key | interval | {"signature": f"{metric}|bootstrap 1000"}))
    store.write_rows(root / "evaluate" / "scores.jsonl", scores)
    store.write_rows(root / "evaluate" / "differences.jsonl", _differences(scores))
    _write_answers(root)


def _differences(scores: list[Score]) -> list[dict[str, Any]]:
    base = {(s.benchmark, s.metric, s.language): s for s in scores if s.stage == "base"}
    rows = []
    for score in (s for s in scores if s.stage != "base"):
        change = score.value - base[score.benchmark, score.metric, score.language].value
        known = score.language == "en" and score.benchmark == "heldout"
        verdict = "cannot tell"
        if score.metric == "accuracy":
            verdict = "not measurable"
        elif abs(change) > 0.1:
            verdict = ("lost" if change > 0 else "cannot tell") if known else "better"
        row = {name: getattr(score, name) for name in ("stage", "benchmark", "metric", "language", "n")}
        row |= {"difference": change, "low": change - 0.04, "high": change + 0.04}
        row |= {"p": 0.001, "p_holm": 0.004, "detectable": 0.05, "against": "base", "verdict": verdict}
        rows.append(row | {"margin": 0.0422 if known else 0.01 if score.metric == "accuracy" else None})
    return rows


def _write_answers(root: Path) -> None:
    said = {"base": "the the of and to the river 1350 the", "pretrain": "کتاب 120 - 45 = 75 کی کی ہے۔ اور"}
    tests = list(_read_folder(packs.load_pack("ur").folder, "test.jsonl"))
    mark = {
        "accepted": None,
        "exact_match": False,
        "chrf++": 4.25,
        "faults": ["repetition"],
        "finished": True,
    }
    rows = []
    for index, (_, row) in enumerate(tests[::14]):
        answers = {**said, "finetune": row["output"][:120]}
        texts = {key: row[key] for key in ("task", "instruction", "input")} | {"reference": row["output"]}
        key = {"id": f"t{index}", "language": "ur", "sample": index < 6}
        rows.append(key | texts | {"answers": answers, "marks": dict.fromkeys(answers, mark)})
    store.write_rows(root / "evaluate" / "answers.jsonl", rows)


_ROW_FACTS: dict[str, FrozenModel] = {
    "translate": TranslateFacts(requested=70, available=70, sentences=0, prompts={}),
    "filter": FilterFacts(tasks={}),
    "review": ReviewFacts(read=0, unread=264, approve=0, edit=0, reject=0),
}
_WRITERS = {
    "seeds": _write_seeds,
    "generate": _write_generate,
    "replay": _write_replay,
    "blend": _write_blend,
    "corpus": _write_corpus,
    **dict.fromkeys(
        _ROW_FACTS, lambda root, name: write_step(root, name, _ROW_FACTS[name], 264, {"refusal": 3})
    ),
}
