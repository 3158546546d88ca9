"""The forms of a run's model side by side: size, tokens per second, peak memory, same greedy tokens.

The reference is the run's adapter on its base, merged, in float32: 50 questions, 20 tokens each. Every form
reads a question with the reference's answer and is asked at each of the 1,000 steps for its likeliest token.
Each form runs in a process of its own, on one thread; of llama.cpp in the environment that --llama-python
names. Speed is tokens per second of CPU time, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import measure

QUESTIONS, STEPS, TIMED = 50, 20, 64
THREADS = 1
KINDS = ("gguf", "model", "adapter", "bnb4")
PACKAGES = ("alif-llm", "torch", "transformers", "peft", "bitsandbytes", "gguf")


def main() -> None:
    """Measure every form of each run."""
    parser = measure.arguments(__doc__, "export_forms")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders with forms of their model")
    parser.add_argument("--llama-python", default=sys.executable, help="a Python with llama-cpp-python")
    parser.add_argument("--keep", action="store_true", help="keep what the result file has; do the rest")
    given = parser.parse_args()
    kept = given.keep and given.json.is_file()
    measured: dict[str, Any] = json.loads(given.json.read_text("utf-8"))["measured"] if kept else {}
    for run in given.runs:
        cases = run / "runtime" / "export_forms.json"
        if not (given.keep and cases.is_file()):
            rows = run / "blend" / "examples.jsonl"
            ask(sys.executable, "reference", run / "export" / "model", cases, rows)
        folders = [path for path in (run / "export").iterdir() if path.name.partition("-")[0] in KINDS]
        for folder in sorted(folders, key=lambda path: (not path.name.startswith("gguf"), path.name)):
            kind = folder.name.partition("-")[0]
            name = f"{run.name}/{'merged' if kind == 'model' else folder.name}"
            if name not in measured:
                python = given.llama_python if kind == "gguf" else sys.executable
                measured[name] = ask(python, kind, folder, cases)
                measure.write(given.json, measure.result("export_forms", measured, PACKAGES))


def ask(python: str, *arguments: str | Path) -> dict[str, Any]:
    """Run a worker; return what it writes."""
    command = [python, __file__, "--worker", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "HF_HUB_OFFLINE": "1"}
    asked = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    print(arguments[0], arguments[1], found, file=sys.stderr)
    return found


def work(kind: str, folder: str, cases: str, rows: str = "") -> None:
    """Measure one form, or write the cases."""
    if kind == "reference":
        return write_cases(folder, cases, rows)
    given = json.loads(Path(cases).read_text(encoding="utf-8"))
    began = time.perf_counter()
    predict, generate = (open_gguf if kind == "gguf" else open_transformers)(kind, Path(folder))
    opened = time.perf_counter() - began
    same = sum(
        ours == theirs
        for case in given
        for ours, theirs in zip(predict(case["prompt"], case["answer"]), case["answer"], strict=True)
    )
    generate(given[0]["prompt"], 4)
    began = time.process_time()
    made = generate(given[0]["prompt"], TIMED)
    seconds = time.process_time() - began
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    steps = sum(len(case["answer"]) for case in given)
    row = {
        "size_mb": round(size / 1e6, 2),
        "start_s": round(opened, 1),
        "tokens_per_s": round(made / seconds, 1),
        "peak_mb": round(peak / 1e6),
        "same_greedy_tokens": round(same / steps, 4),
        "steps": steps,
    }
    print(json.dumps(row))
    return None


def write_cases(folder: str, cases: str, rows: str) -> None:
    """Write questions and the greedy answers of the merged model in float32; an end does not end them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(THREADS)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for line in Path(rows).read_text(encoding="utf-8").splitlines()[:QUESTIONS]:
        messages = [{"role": "user", "content": json.loads(line)["instruction"]}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        prompt = tokenizer(text, add_special_tokens=False)["input_ids"][-256:]
        answer: list[int] = []
        tokens, past = torch.tensor([prompt]), None
        with torch.inference_mode():  # no generate(): its settings may leave out the likeliest token
            for _ in range(STEPS):
                out = model(tokens, past_key_values=past, use_cache=True)
                tokens, past = out.logits[:, -1:].argmax(-1), out.past_key_values
                answer.append(int(tokens))
        found.append({"prompt": prompt, "answer": answer})
    Path(cases).write_text(json.dumps(found), encoding="utf-8")
    print("{}")


def open_transformers(kind: str, folder: Path) -> tuple[Any, Any]:
    """Return how to predict and to generate by a merged model, in four bits, or an adapter on its base."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(THREADS)
    place = folder / "base" if kind == "adapter" else folder
    model: Any = AutoModelForCausalLM.from_pretrained(place, dtype=torch.bfloat16)
    if kind == "adapter":
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(folder))
    model.eval()

    @torch.inference_mode()
    def predict(prompt: list[int], answer: list[int]) -> list[int]:
        logits = model(torch.tensor([prompt + answer])).logits[0]
        return [int(token) for token in logits[len(prompt) - 1 : -1].argmax(-1)]

    def generate(prompt: list[int], n: int) -> int:
        model.generate(
            input_ids=torch.tensor([prompt]),
            max_new_tokens=n,
            do_sample=False,
            eos_token_id=-1,
            pad_token_id=0,
        )
        return n

    return predict, generate


def open_gguf(kind: str, folder: Path) -> tuple[Any, Any]:
    """Return how to predict and to generate by llama.cpp."""
    import llama_cpp
    import numpy as np

    (path,) = folder.glob("*.gguf")
    model = llama_cpp.Llama(str(path), n_ctx=512, n_threads=THREADS, logits_all=True, verbose=False)

    def predict(prompt: list[int], answer: list[int]) -> list[int]:
        model.reset()
        model.eval(prompt + answer)
        rows = model.scores[len(prompt) - 1 : len(prompt) + len(answer) - 1]
        return [int(row) for row in np.argmax(rows, axis=-1)]

    def generate(prompt: list[int], n: int) -> int:
        made = 0
        for _ in model.generate(prompt, temp=0.0):
            made += 1
            if made == n:
                break
        return made

    return predict, generate


if __name__ == "__main__":
    work(*sys.argv[2:]) if sys.argv[1:2] == ["--worker"] else main()
