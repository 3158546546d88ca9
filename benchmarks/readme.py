"""Write benchmarks/README.md from the results: what each benchmark measures, its command, its main numbers.

    python benchmarks/readme.py            after a benchmark was run

A benchmark is a script in this folder that imports measure.py; the first line of its docstring says what it
measures.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

HEAD = """# Benchmarks

Written by `python benchmarks/readme.py` from `results/*.json`; run it again after a benchmark. Each result
has the keys `name`, `machine`, `versions`, `command` and `measured` (`measure.py`) and holds more numbers
than this page. Public data is read from `../shared/data`. Scripts without a row (`processes.py`,
`teacher.py`, `clients/`, …) are used by the others.

| benchmark | what it measures | command | main numbers | machine |
|---|---|---|---|---|
"""


def answer_matching(found: Mapping[str, Any]) -> str:
    """Summarise how many pairs each rule judged correctly."""
    rules = {
        "Alif": "alif",
        "SQuAD's exact match": "squad_exact_match",
        "lm-eval's exact match": "lm_eval_exact_match",
    }
    parts = [
        f"{name}: {found[key]['equal_pairs']} equal pairs accepted, {found[key]['traps']} unequal pairs "
        "rejected"
        for name, key in rules.items()
    ]
    return "; ".join(parts) + ". The pairs were written in this project, so they are no held-out set"


def language_id(found: Mapping[str, Any]) -> str:
    """Summarise the accepted share of Urdu and of the worst other language, and the speed."""
    pair, every, typed = found["urdu_and_english"], found["every_pack"], found["urdu_typed_with_lookalikes"]
    worst, roman = pair["worst_other"], found["roman_urdu"]
    punjabi = found["shahmukhi_written_for_this_project"]
    own = ", ".join(f"{code} {one['own_accepted']:.1%}" for code, one in every["accepted"].items())
    return (
        f"Packs ur and en: {pair['own_accepted']:.1%} of the Urdu sentences accepted, at most "
        f"{worst['accepted']:.2%} of another language ({worst['language']}), {punjabi.get('ur', 0)} of "
        f"{sum(punjabi.values())} lines of Shahmukhi Punjabi written in this project; "
        f"{pair['sentences_per_cpu_second']:,} sentences per CPU second. All packs: {own} of their own "
        f"sentences accepted; {every['sentences_per_cpu_second']:,} sentences per CPU second. Urdu typed "
        f"with Arabic letters: {typed['recognised_with_wrong_letters'] / typed['sentences']:.1%} recognised. "
        f"Roman Urdu: {roman.get('ur-Latn', 0) / sum(roman.values()):.1%} recognised"
    )


def train_cpu(found: Mapping[str, Any]) -> str:
    """Summarise the useful tokens per CPU second and their ratios."""
    trainers = found["tokens_per_cpu_s"]
    rates = ", ".join(f"{name} {one['median']:,.0f}" for name, one in trainers.items())
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in found["ratios"].items())
    return (
        f"Useful tokens per CPU second, median of {len(trainers['ours']['turns'])} runs: {rates}; {ratios}. "
        f"A model of {found['model']['parameters']:,} parameters"
    )


def pool(found: Mapping[str, Any]) -> str:
    """Summarise microseconds per lookup at each size, and decisions that differ from brute force."""
    sizes = [
        f"{one['rows']:,} rows {one['ours_us_per_test']:,.0f} µs (rouge_score {one['times_rouge_score']:,} "
        f"×, RapidFuzz {one['times_rapidfuzz_cdist']:,} ×)"
        for one in found["sizes"]
    ]
    differing = sum(
        one["differing_decisions"] + one["grown"].get("differing_decisions", 0) for one in found["sizes"]
    )
    text = (
        f"CPU time of one lookup: {', '.join(sizes)}; rouge_score is scaled from a few rows. "
        f"{differing} decisions differ from brute force"
    )
    if found.get("minhash"):
        thresholds = {name: one for name, one in found["minhash"].items() if isinstance(one, dict)}
        recalls = ", ".join(f"{one['recall']:.0%} ({name})" for name, one in thresholds.items())
        text += f"; MinHash finds {recalls} of the near-duplicates"
    return text


def rehearsal(found: Mapping[str, Any]) -> str:
    """Summarise time and CPU of the whole rehearsal, and the clients side by side."""
    parts = []
    if "failed" in found:
        parts.append(f"whole rehearsal failed ({found['failed']})")
    elif "minutes" in found:
        own = found["own_cpu_ms_per_request_beyond_bare_without_pool"]
        parts.append(
            f"{found['accepted']:,} rows accepted in {found['minutes']} minutes, {found['memory_mb']:,} MB, "
            f"{found['cpu_ms_per_request']} ms CPU per request, {own} ms of it neither in the bare loop nor "
            "in near-duplicate search"
        )
    for name, one in found.get("side_by_side", {}).items():
        parts.append(
            f"{name}: failed"
            if "failed" in one
            else f"{name}: {one['rows_per_s']:,} rows/s, {one['cpu_ms_per_row']} ms CPU per row"
        )
    return "; ".join(parts)


def train_gpu(found: Mapping[str, Any]) -> str:
    """Summarise useful tokens per second of each case, and the cost of the paper's two stages."""
    rates = [
        f"{name} {one['useful_tokens_per_s']:,.0f} ({one['peak_memory_gb']} GB)"
        for name, one in found["cases"].items()
        if "useful_tokens_per_s" in one
    ]
    summary, shares = found["summary"], found["summary"]["share_of_the_product"]
    ours, paper, original = summary["ours"], summary["paper"], summary["the_original"]
    return (
        f"Llama-3.1-8B's shape, useful tokens per second and peak memory: {', '.join(rates)}. A matrix "
        f"product of 8192³ in bf16 reaches {found['cases']['product']['tflops']} TFLOP/s, ours 8K "
        f"{shares['ours 8K']:.0%} of that. The paper's two stages: ours {ours['hours']} hours, "
        f"${ours['usd'][0]:.0f} to {ours['usd'][1]:.0f}; its settings {paper['hours']} hours on this GPU; it "
        f"reports {original['hours']} hours on an {original['gpu']}. Steps differ (`how`); trl is not "
        "compiled; no Unsloth"
    )


def small_paper(found: Mapping[str, Any]) -> str:
    """Summarise useful tokens per CPU second and the bits per byte that each variant reached."""
    base = ", ".join(f"{code} {bits:.3f}" for code, bits in found["base"]["bits_per_byte"].items())
    variants = [
        f"{name}: {one['tokens_per_cpu_s']:,} useful tokens per CPU second, "
        + ", ".join(f"{code} {bits:.3f}" for code, bits in one["bits_per_byte"].items())
        for name, one in found["ways"].items()
    ]
    return (
        f"Stage 1 for about {found['seconds']:.0f} CPU seconds, held-out bits per byte (base: {base}): "
        + "; ".join(variants)
    )


def power_cut(found: Mapping[str, Any]) -> str:
    """Summarise what was on the disk after each power cut, and whether the same command resumed."""
    return (
        f"{found['moments']} power cuts on {found['file_system'].partition(',')[0]}: "
        f"{found['with_a_damaged_step']} damaged a file of a finished step, {found['with_a_lost_step']} lost "
        f"a step that was reported as done; after {found['went_on_to_equal_bytes']} the same command ended "
        "with the same bytes as an undisturbed run"
    )


def byte_comparison(found: Mapping[str, Any]) -> str:
    """Summarise how many files are equal and which are not."""
    runs = [f"{run['run']} {run['equal']} of {run['files']}" for run in found["runs"]]
    different = dict.fromkeys(name for run in found["runs"] for name in run["different"])
    return f"Equal files: {', '.join(runs)}; different: {', '.join(different) or 'none'}"


def corpus_memory(found: Mapping[str, Any]) -> str:
    """Summarise peak memory and CPU time."""
    cases = [
        f"{name}: {one['peak_mb']} MB peak, {one['cpu_s']} CPU seconds"
        for name, one in found["cases"].items()
    ]
    return f"{found['lines']:,} lines; {'; '.join(cases)}"


def fuzz(found: Mapping[str, Any]) -> str:
    """Summarise tracebacks and hangs."""
    return (
        f"{found['files']:,} files and {found['replies']:,} replies: {found['tracebacks']} tracebacks, "
        f"{found['hangs']} hangs in {found['seconds']:.0f} s"
    )


def export_forms(found: Mapping[str, Any]) -> str:
    """Describe each form of an exported model."""
    return "; ".join(
        f"{form}: {one['size_mb']:,} MB, {one['tokens_per_s']:,} tokens per CPU second, peak "
        f"{one['peak_mb']:,} MB, greedy token the same at {one['same_greedy_tokens']:.1%} of {one['steps']:,}"
        for form, one in found.items()
    )


def house(found: Mapping[str, Any]) -> str:
    """Summarise size and style of the package."""
    return (
        f"{found['lines']:,} lines in {found['files']} files, {found['files_over_300']} of them over 300 "
        f"lines; one-word function names {found['one_word_share']:.0%}, private functions used once "
        f"{found['private_once_share']:.0%}, untyped dictionaries {found['any_blobs']}, wide lines "
        f"{found['wide_lines']}"
    )


def real_server(found: Mapping[str, Any]) -> str:
    """Summarise requests, rows and ledger, and the properties that were checked."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in found["dropped"].items())
    ledger, failed = found["ledger"], [name for name, holds in found.items() if holds is False]
    checks = "a second run sends no request and has the same bytes; the server ends when alif ends"
    checks = f"failed checks: {', '.join(failed)}" if failed else checks
    return (
        f"{found['server']}, a model of {found['parameters']:,} parameters: {found['requests']} requests in "
        f"{found['generate_s']} s ({found['requests_per_s']} per second), {found['rows_in']} rows parsed, "
        f"{found['kept']} kept, dropped: {dropped}; {found['saturated']} of {found['tasks']} tasks stopped "
        f"as saturated; ledger: {ledger['attempts']} attempts, {ledger['replies']} replies, "
        f"{ledger['tokens_in']:,} + {ledger['tokens_out']:,} tokens, ${ledger['usd']:g}; {checks}. "
        f"{found['memorised']} of the kept rows are copies of the model's training rows: the server and the "
        "parsed text are real, the rows are useless"
    )


def interval_coverage(found: Mapping[str, Any]) -> str:
    """Summarise what the intervals cover, and what a biased judge says of equal systems."""
    covers = [one["covers"] for one in found["coverage"]]
    equal = found["win_rate_of_equal_models"]
    return (
        f"{len(covers)} pairs of interval and population, {found['runs']:,} samples: 95 % intervals cover "
        f"{min(covers):.1%} to {max(covers):.1%}; {len(found['outside_93_to_97'])} below 93 %, or above 97 % "
        f"from 100 items on. A biased judge gives two equal systems {equal['one_order']:.1f} % in one order, "
        f"{equal['both_orders']:.1f} % in both, {equal['controlled']:.1f} % with length controlled"
    )


def desk_load(found: Mapping[str, Any]) -> str:
    """Summarise the verdicts of each database, and how long the slowest took."""
    return "; ".join(
        f"{name}: {one['annotators']} annotators, {one['items']:,} items, {one['verdicts']:,} verdicts, "
        f"{one['lost']} lost, {one['doubled']} doubled, p50 {one['p50_ms']:.0f} ms, "
        f"p99 {one['p99_ms']:,.0f} ms"
        for name, one in found.items()
    )


def decontaminate(found: Mapping[str, Any]) -> str:
    """Summarise the seconds, the planted leaks found and the false alarms, beside lm-eval's."""

    def describe(one: Mapping[str, Any]) -> str:
        planted = f"verbatim {one['verbatim_found']:.1%}, edited {one['light_edits_found']:.1%}"
        return f"{one['seconds']:.0f} s, {planted}, false alarms {one['false_alarms']:.4%}"

    peer = f"; lm-eval in one process: {describe(found['lm_eval'])}" if found["lm_eval"] else ""
    rows = f"{found['rows']:,} rows, {found['items']:,} questions"
    return f"{rows}, the slower of two processes: {describe(found)}{peer}"


def metrics_speed(found: Mapping[str, Any]) -> str:
    """Summarise the seconds of all metrics beside lm-eval's, and which equal answers each accepts."""
    accepted = found["accepted_of_300"]
    peer = found["lm_eval_seconds"]
    return (
        f"{found['answers']:,} answers: {found['seconds']:.0f} s of the slower of two processes"
        + (f" (lm-eval's fewer metrics: {peer:.0f} s)" if peer else "")
        + f"; of 300 equal Urdu answers accepted: {accepted}"
    )


def translation_faults(found: Mapping[str, Any]) -> str:
    """Summarise the faults caught and the right rows lost, in each language."""
    languages = {found["language"]: found, **found["other_languages"]}
    return "; ".join(
        f"{code}: {one['caught']} of {one['faults_injected']} faults caught, "
        f"{one['right_rows_lost']} of {one['right_rows']} right rows lost"
        for code, one in languages.items()
    )


RESULTS = {"interval_coverage": "statistics"}
"""The name of a result that is not its script's."""
SUMMARIES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "answer_matching": answer_matching,
    "byte_comparison": byte_comparison,
    "corpus_memory": corpus_memory,
    "decontaminate": decontaminate,
    "desk_load": desk_load,
    "fuzz": fuzz,
    "export_forms": export_forms,
    "house": house,
    "interval_coverage": interval_coverage,
    "language_id": language_id,
    "metrics_speed": metrics_speed,
    "pool": pool,
    "power_cut": power_cut,
    "real_server": real_server,
    "rehearsal": rehearsal,
    "small_paper": small_paper,
    "train_cpu": train_cpu,
    "train_gpu": train_gpu,
    "translation_faults": translation_faults,
}


def row(script: Path) -> str:
    """Return the table row of one benchmark."""
    name = script.stem
    about = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    path = HERE / "results" / f"{RESULTS.get(name, name)}.json"
    if not path.is_file():
        return f"| `{name}` | {about} | `python benchmarks/{script.name}` | not run | |"
    found = json.loads(path.read_text(encoding="utf-8"))
    numbers = SUMMARIES[name](found["measured"]) if name in SUMMARIES else "see its result"
    machine = found["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores" + (
        f", {machine['gpu']['name']}" if "gpu" in machine else ""
    )
    return f"| [`{name}`](results/{path.name}) | {about} | `{found['command']}` | {numbers} | {where} |"


def is_benchmark(script: Path) -> bool:
    """Return whether a script writes a result: it imports measure."""
    nodes = list(ast.walk(ast.parse(script.read_text(encoding="utf-8"))))
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return "measure" in imported | {node.module for node in nodes if isinstance(node, ast.ImportFrom)}


def main() -> None:
    """Write benchmarks/README.md."""
    rows = [row(script) for script in sorted(HERE.glob("*.py")) if is_benchmark(script)]
    (HERE / "README.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
