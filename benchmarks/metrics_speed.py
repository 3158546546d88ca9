"""Every text metric and failure signature on 50,000 answers: seconds, and equal answers that are accepted.

    python benchmarks/metrics_speed.py --peer ENV/bin/python     writes benchmarks/results/metrics_speed.json

ENV holds lm-eval 0.4.13 (`pip install lm-eval==0.4.13`); without it the peer's numbers are null, and nothing
is restated in its place. Answers are made of the Urdu test set's references: whole, cut, joined, typed with
Arabic letters or other digits. Every metric is computed for every answer, also those that the evaluation
leaves out for a question of that kind. Two processes, each for half of the answers, as two systems are scored
side by side. `seconds` is the processor time of the slower one, which is the time on two free cores;
`wall_seconds` is the clock's, on a machine that may do other work (`load`). lm-eval computes what it has of
these, in one process and `lm_eval_seconds` of processor time: exact match of each answer, corpus BLEU, chrF
and chrF++.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import measure
from answer_matching import BATCHES, read_pairs

from alif import settings
from alif.evaluate import metrics, output_checks, testset
from alif.evaluate.benchmark import ItemResult
from alif.language.answers.match import compare_answers
from alif.language.pack import load_pack
from alif.language.text import final_answer
from alif.runs import StepOutput

ANSWERS, EQUAL, PROCESSES = 50_000, 300, 2
PEER = Path(__file__).with_name("metrics_speed_peer.py")


def read_questions() -> list[testset.TestQuestion]:
    """Return the test set of the Urdu pack."""
    with TemporaryDirectory() as folder, StepOutput(Path(folder)) as output:
        return testset.read_test_questions(
            output, load_pack("ur"), "", settings.Benchmarks(), settings.Evaluate()
        )


def make_answers(questions: list[testset.TestQuestion], count: int) -> list[tuple[int, str]]:
    """Return (number of the question, an answer to it), the same each time."""
    rng, arabic = random.Random(0), str.maketrans("یکہ0123456789", "يكه۰۱۲۳۴۵۶۷۸۹")
    found = []
    for number in range(count):
        place = number % len(questions)
        own, other = questions[place].output, rng.choice(questions).output
        words = own.split()
        found.append(
            (
                place,
                rng.choice(
                    (
                        own,
                        other,
                        own.translate(arabic),
                        " ".join(words[: rng.randint(1, len(words))]),
                        f"{own} {other}",
                        " ".join(rng.sample(words, len(words))),
                    )
                ),
            )
        )
    return found


def score_part(answers: list[tuple[int, str]]) -> tuple[float, float]:
    """Score and check some answers; return seconds of the wall clock and of the processor, imports apart."""
    own, known, questions = load_pack("ur"), load_pack("en"), read_questions()
    asked = [questions[place] for place, _ in answers]
    results = [ItemResult(id=str(number), text=text) for number, (_, text) in enumerate(answers)]
    began, used = time.perf_counter(), time.process_time()
    scored = testset.score_answers(asked, results, own, known)
    for one in scored:
        for name in metrics.METRICS.values():
            getattr(one.scores, name)
    testset.measure_testset(scored, own.code)
    testset.corpus_scores(scored)
    return time.perf_counter() - began, time.process_time() - used


def accepted_answers(pairs: list[dict[str, Any]]) -> int:
    """Return how many answers that a reader calls equal are accepted."""
    pack = load_pack("ur")
    return sum(
        compare_answers(
            final_answer(row["answer"], pack.tasks["reasoning"], pack), row["reference"], pack
        ).equal
        for row in pairs
    )


def ask_peer(python: str, answers: list[dict[str, str]], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what lm-eval's own functions say, run by its own Python."""
    if not python:
        return {}
    request = json.dumps({"answers": answers, "pairs": pairs})
    asked = subprocess.run(
        [python, "-I", str(PEER)], input=request, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        sys.exit(f"lm-eval's functions failed:\n{asked.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure both and write the result."""
    parser = measure.arguments(__doc__, "metrics_speed")
    parser.add_argument("--peer", default="", help="the Python of an environment with lm-eval")
    parser.add_argument("--answers", type=int, default=ANSWERS)
    options = parser.parse_args()
    questions = read_questions()
    answers = make_answers(questions, options.answers)
    equal = [row for batch in ("answers", *BATCHES) for row in read_pairs("ur", batch) if row["equal"]]
    pairs = random.Random(0).sample(equal, EQUAL)
    parts = [answers[start::PROCESSES] for start in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        times = list(pool.map(score_part, parts))
    rows = [{"answer": text, "reference": questions[place].output} for place, text in answers]
    peer = ask_peer(options.peer, rows, pairs)
    measured = {
        "answers": len(answers),
        "mean_characters": round(sum(len(text) for _, text in answers) / len(answers), 1),
        "metrics": [*metrics.METRICS, "corpus chrf++", "corpus bleu"],
        "signatures": list(output_checks.SIGNATURES),
        "processes": PROCESSES,
        "seconds": round(max(cpu for _, cpu in times), 1),
        "wall_seconds": round(max(wall for wall, _ in times), 1),
        "load": round(os.getloadavg()[0], 1),
        "lm_eval_seconds": peer.get("seconds"),
        "lm_eval_by_metric": peer.get("by_metric"),
        "lm_eval_version": peer.get("version"),
        "equal_answers": EQUAL,
        "accepted_of_300": {"alif": accepted_answers(pairs), "lm_eval": peer.get("accepted")},
    }
    measure.write(options.json, measure.result("metrics_speed", measured, ("alif-llm", "sacrebleu", "regex")))
    print(json.dumps(measured, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
