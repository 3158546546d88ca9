"""Write benchmarks/README.md from the results: what each benchmark shows, its command, its main numbers.

    python benchmarks/readme.py            after a benchmark has been run

A benchmark is a script of this folder that writes through measure.py; the first line of its docstring says what it shows.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

HEAD = """# Benchmarks

Written by `python benchmarks/readme.py` from `results/*.json`; run it again after a benchmark. Each result has the form
`{"name", "machine", "versions", "command", "measured"}` (`measure.py`), and more is in it than stands here. Public data is
read from `../shared/data`. Scripts without a row (`processes.py`, `teacher.py`, `clients/`, …) are parts of those with one.

| benchmark | what it shows | command | main numbers | machine |
|---|---|---|---|---|
"""


def answer_matching(found: Mapping[str, Any]) -> str:
    """Tell pairs judged as a reader does."""
    ways = {
        "Alif": "alif",
        "SQuAD's exact match": "squad_exact_match",
        "lm-eval's exact match": "lm_eval_exact_match",
    }
    told = [
        f"{name}: {found[key]['equal_pairs']} equal pairs accepted, {found[key]['traps']} traps refused"
        for name, key in ways.items()
    ]
    return "; ".join(told) + ". The pairs were written with this project: no held-out set"


def language_id(found: Mapping[str, Any]) -> str:
    """Tell Urdu accepted, the worst other language, and speed."""
    pair, every, typed = found["urdu_and_english"], found["every_pack"], found["urdu_typed_with_lookalikes"]
    worst, roman = pair["worst_other"], found["roman_urdu"]
    near = found["shahmukhi_written_for_this_project"]
    own = ", ".join(f"{code} {one['own_accepted']:.1%}" for code, one in every["accepted"].items())
    return (
        f"Packs ur and en: {pair['own_accepted']:.1%} of Urdu accepted, of the sets' other languages at most "
        f"{worst['accepted']:.2%} ({worst['language']}), of Shahmukhi Punjabi {near.get('ur', 0)} of {sum(near.values())} "
        f"lines written for this; {pair['sentences_per_cpu_second']:,} sentences a CPU second. All packs: own accepted {own}; "
        f"{every['sentences_per_cpu_second']:,} a CPU second. Urdu in Arabic letters: "
        f"{typed['recognised_with_wrong_letters'] / typed['sentences']:.1%} recognised. Roman Urdu: "
        f"{roman.get('ur-Latn', 0) / sum(roman.values()):.1%} recognised"
    )


def train_cpu(found: Mapping[str, Any]) -> str:
    """Tell the ratios of useful tokens per CPU second."""
    ways = found["tokens_per_cpu_s"]
    rates = ", ".join(f"{name} {one['median']:,.0f}" for name, one in ways.items())
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in found["ratios"].items())
    return (
        f"Useful tokens a CPU second, median of {len(ways['ours']['turns'])} turns: {rates}; {ratios}. "
        f"A model of {found['model']['parameters']:,} parameters"
    )


def pool(found: Mapping[str, Any]) -> str:
    """Tell microseconds a test at each size, and decisions that differ from plain ones."""
    sizes = [
        f"{one['rows']:,} rows {one['ours_us_per_test']:,.0f} µs (rouge_score × {one['times_rouge_score']:,}, "
        f"RapidFuzz × {one['times_rapidfuzz_cdist']:,})"
        for one in found["sizes"]
    ]
    differing = sum(
        one["differing_decisions"] + one["grown"].get("differing_decisions", 0) for one in found["sizes"]
    )
    told = f"One test, CPU: {', '.join(sizes)}; rouge_score scaled from a few rows. {differing} decisions differ from plain ones"
    if found.get("minhash"):
        ways = {name: one for name, one in found["minhash"].items() if isinstance(one, dict)}
        told += "; MinHash finds " + ", ".join(f"{one['recall']:.0%} ({name})" for name, one in ways.items())
    return told


def rehearsal(found: Mapping[str, Any]) -> str:
    """Tell minutes and CPU of the whole rehearsal, and the clients side by side."""
    told = []
    if "failed" in found:
        told.append(f"whole rehearsal failed ({found['failed']})")
    elif "minutes" in found:
        told.append(
            f"{found['accepted']:,} rows accepted in {found['minutes']} minutes, {found['memory_mb']:,} MB, "
            f"{found['cpu_ms_per_request']} ms CPU a request, of it "
            f"{found['own_cpu_ms_per_request_beyond_bare_without_pool']} ms beyond the bare loop and without the pool"
        )
    for name, one in found.get("side_by_side", {}).items():
        told.append(
            f"{name}: failed"
            if "failed" in one
            else f"{name}: {one['rows_per_s']:,} rows/s, {one['cpu_ms_per_row']} ms CPU a row"
        )
    return "; ".join(told)


def train_gpu(found: Mapping[str, Any]) -> str:
    """Tell useful tokens a second of each case, and what the paper's two stages take."""
    rates = [
        f"{name} {one['useful_tokens_per_s']:,.0f} ({one['peak_memory_gb']} GB)"
        for name, one in found["cases"].items()
        if "useful_tokens_per_s" in one
    ]
    told, shares = found["summary"], found["summary"]["share_of_the_product"]
    ours, paper, original = told["ours"], told["paper"], told["the_original"]
    return (
        f"Llama-3.1-8B's shape, useful tokens a second and peak memory: {', '.join(rates)}. A product of 8192³ in bf16 reaches "
        f"{found['cases']['product']['tflops']} TFLOP/s, ours 8K {shares['ours 8K']:.0%} of that. The paper's two stages: ours "
        f"{ours['hours']} hours, ${ours['usd'][0]:.0f} to {ours['usd'][1]:.0f}; its settings {paper['hours']} hours here; "
        f"it told {original['hours']} on an {original['gpu']}. Steps differ (`how`); trl is not compiled; no Unsloth"
    )


def small_paper(found: Mapping[str, Any]) -> str:
    """Tell useful tokens a CPU second and the bits per byte that each way reached."""
    base = ", ".join(f"{code} {bits:.3f}" for code, bits in found["base"]["bits_per_byte"].items())
    ways = [
        f"{name}: {one['tokens_per_cpu_s']:,} useful tokens a CPU second, "
        + ", ".join(f"{code} {bits:.3f}" for code, bits in one["bits_per_byte"].items())
        for name, one in found["ways"].items()
    ]
    return f"Stage 1 for about {found['seconds']:.0f} CPU seconds, held-out bits per byte (base: {base}): {'; '.join(ways)}"


def power_cut(found: Mapping[str, Any]) -> str:
    """Tell what the disk held at each moment, and what the same command made of it."""
    return (
        f"{found['moments']} power cuts on {found['file_system'].partition(',')[0]}: {found['with_a_damaged_step']} leave a "
        f"finished step with a damaged file, {found['with_a_lost_step']} lack a step that was told to be done; after "
        f"{found['went_on_to_equal_bytes']} the same command ends with the bytes of an undisturbed run"
    )


def real_server(found: Mapping[str, Any]) -> str:
    """Tell what was asked of the foreign server, what became of it, and what held."""
    dropped = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found["dropped"].items())
    books, failed = found["books"], [name for name, holds in found.items() if holds is False]
    held = "a second run asks nothing and has the same bytes; the server ends with alif"
    held = f"did not hold: {', '.join(failed)}" if failed else held
    return (
        f"{found['server']}, a model of {found['parameters']:,} parameters: {found['requests']} requests in "
        f"{found['generate_s']} s ({found['requests_a_second']} a second), {found['rows_in']} pieces, {found['kept']} kept, "
        f"dropped: {dropped}; {found['saturated']} of {found['tasks']} tasks given up as saturated; books: {books['attempts']} "
        f"attempts, {books['replies']} replies, {books['tokens_in']:,} + {books['tokens_out']:,} tokens, ${books['usd']:g}; "
        f"{held}. Of the kept rows {found['learnt_by_heart']} are word for word what the model has learnt: the server and the "
        "text that is read are real, the rows are worth nothing"
    )


NUMBERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "answer_matching": answer_matching,
    "language_id": language_id,
    "pool": pool,
    "power_cut": power_cut,
    "real_server": real_server,
    "rehearsal": rehearsal,
    "small_paper": small_paper,
    "train_cpu": train_cpu,
    "train_gpu": train_gpu,
}


def row(script: Path) -> str:
    """Return one row of the table."""
    name = script.stem
    about = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    path = HERE / "results" / f"{name}.json"
    if not path.is_file():
        return f"| `{name}` | {about} | `python benchmarks/{script.name}` | not run | |"
    found = json.loads(path.read_text(encoding="utf-8"))
    numbers = NUMBERS[name](found["measured"]) if name in NUMBERS else "see its result"
    machine = found["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores" + (
        f", {machine['gpu']['name']}" if "gpu" in machine else ""
    )
    return f"| [`{name}`](results/{path.name}) | {about} | `{found['command']}` | {numbers} | {where} |"


def is_benchmark(script: Path) -> bool:
    """Tell whether a script writes a result: it imports measure."""
    every = list(ast.walk(ast.parse(script.read_text(encoding="utf-8"))))
    whole = {name.name for one in every if isinstance(one, ast.Import) for name in one.names}
    return "measure" in whole | {one.module for one in every if isinstance(one, ast.ImportFrom)}


def main() -> None:
    """Write the page."""
    rows = [row(script) for script in sorted(HERE.glob("*.py")) if is_benchmark(script)]
    (HERE / "README.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
