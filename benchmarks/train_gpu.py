"""Useful tokens per second of both stages on one GPU: ours, the paper's settings, TRL and Unsloth.

    python benchmarks/train_gpu.py                 repeat the call until it prints "nothing is left"
    python benchmarks/train_gpu.py --shape tiny    the same on a CPU in minutes: tests the script only

Llama-3.1-8B's shape with random weights, rank 128, trained embeddings and head; texts of random tokens with
sampled lengths. It needs no network, only torch, transformers, peft and alif with its small dependencies
(pydantic, tomli-w, rich, jinja2, regex). Each case runs in a process of its own and its result is written at
once, so calls of ten minutes (--minutes) are enough and a kill loses one case at most. A result is the median
of the steps after the warm-up.

    product          a matrix product of 8192³ in bf16: what the chip reaches, the reference for the others
    ours …           Alif's trainer: packed rows, variable-length attention where it is proven, loss on labels
    paper …          the original's settings: 8 texts padded to the longest, cut at 2,048 tokens, loss on all
                     tokens, bf16 copies, gradient checkpointing; but AdamW in full precision, not 8 bits, and
                     steps of 16 texts, not 64
    trl, unsloth     the same shape and lengths, where they can be imported (--trl-python: an interpreter)
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import measure
import numpy as np
import torch
import train_gpu_peers as peers
from train_gpu_case import LENGTHS, Case, rates, texts, wait
from transformers import AutoModelForCausalLM, LlamaConfig

HERE = Path(__file__).resolve().parent
LLAMA = {
    "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
}  # fmt: skip
"""Source: meta-llama/Llama-3.1-8B, config.json."""
TINY = LLAMA | {
    "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
}  # fmt: skip
SHAPES = {"8b": LLAMA, "tiny": TINY}
TOKENS = {"pretrain": 144e6, "finetune": 56e6}
"""Of the paper's two stages, two epochs of the second, without truncation. Estimated: 130 to 165 and 41 to 71
million."""
USD_AN_HOUR = (2.0, 4.0)
ORIGINAL = {"hours": 39, "usd": 100, "gpu": "A100"}
"""Source: arXiv 2510.09051."""
GOAL_TOKENS_PER_S = (11_000, 13_000)
"""For ours on an H200: the goal, and an excellent result."""

OURS = Case("ours 8K")
PAPER = Case(
    "paper",
    length=2048,
    rows_at_once=8,
    rows_per_step=16,
    copies="bfloat16",
    layout="padded",
    loss="all",
    recompute=True,
)
CASES = (
    Case("product", "product"),
    OURS,
    replace(OURS, name="ours 8K, stage 2", stage="finetune"),
    replace(PAPER, name="paper, stage 1"),
    replace(PAPER, name="paper, stage 2", stage="finetune"),
    Case("trl", "trl", stage="finetune", rows_per_step=2),
    replace(OURS, name="ours 8K, not compiled", compile=False, rows_per_step=2),
    replace(OURS, name="ours 16K", length=16384, rows_per_step=2),
    replace(OURS, name="ours 8K, recompute", recompute=True, rows_per_step=2),
    replace(OURS, name="ours 8K, rank 16", rank=16, rows_per_step=2),
    replace(OURS, name="ours 8K, embeddings frozen", embeddings=False, rows_per_step=2),
    replace(OURS, name="ours 8K, sdpa", attention="sdpa", rows_per_step=2),
    replace(PAPER, name="paper, stage 1, not compiled", compile=False),
    Case("unsloth", "unsloth", stage="finetune"),
)


def product(size: int) -> dict[str, Any]:
    """Measure one large matrix product in bf16 of random numbers."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    a, b = (torch.randn(size, size, device=device).to(torch.bfloat16) for _ in range(2))

    def seconds(times: int) -> float:
        wait()
        began = time.perf_counter()
        for _ in range(times):
            a @ b
        wait()
        return (time.perf_counter() - began) / times

    seconds(3)
    found = sorted(seconds(10) for _ in range(5))
    return {"size": size, "tflops": round(2 * size**3 / statistics.median(found) / 1e12, 1)}


def ours(case: Case, config: dict[str, Any], steps: int, warm_up: int) -> dict[str, Any]:
    """Train with Alif's stage trainer and the settings of the case."""
    from alif.runs import Run, make_context
    from alif.settings import Adapter, Finetune, Runtime
    from alif.student import adapter as adapters
    from alif.student import attention
    from alif.student.device import setup_torch
    from alif.train import stage_trainer, trainer
    from alif.train.packing import Segment, split_segments
    from alif.train.stage import pack_rows

    runtime = Runtime(
        checkpoint_steps=10**9, gradient_checkpointing=case.recompute, torch_compile=case.compile
    )
    device = setup_torch(runtime)
    if case.attention:
        attention.choose_attention = lambda *context: case.attention
    useful = case.length if case.layout == "packed" else LENGTHS[case.stage][0]
    made = texts(case, config, round(1.1 * steps * case.rows_per_step * useful))
    pieces = [
        piece
        for number, (tokens, prompt) in enumerate(made)
        for piece in (
            split_segments(str(number), tokens, case.length)
            if case.stage == "pretrain" and case.layout == "packed"
            else [Segment(str(number), tuple(tokens), ((prompt, len(tokens)),))]
        )
    ]
    stage = Finetune(
        max_seq_length=case.length,
        batch_size=case.rows_per_step,
        micro_batch_size=case.rows_at_once,
        packing="padded" if case.layout == "padded" else "packed",
    )
    packs = pack_rows(pieces, stage, 1)
    stage = stage.model_copy(update={"epochs": steps * case.rows_per_step / len(packs)})
    with device.device:
        model = AutoModelForCausalLM.from_config(
            LlamaConfig(**config), dtype=device.dtype, attn_implementation="sdpa"
        )
    targets = ("attention", "mlp", "embeddings") if case.embeddings else ("attention", "mlp")
    rank = min(case.rank, config["hidden_size"] // 8)
    settings = {"rank": rank, "targets": targets, "embedding_dtype": case.copies}
    wrapped = adapters.add_adapter(model, Adapter.model_validate(settings))
    # nothing is resumed, so a checkpoint would only cost time
    stage_trainer.StageTrainer._save_checkpoint = lambda *context: None  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        context = make_context(Run(Path(folder)), case.stage, runtime)
        trainer.fit_model(wrapped, packs, stage, context, device=device, key="benchmark")
        curve = [json.loads(line) for line in (context.scratch / "curve.jsonl").read_text().splitlines()]
    share = adapters.count_parameters(wrapped)
    return {
        **rates(curve, warm_up),
        "attention": attention.choose_attention(model.config, device.device, device.dtype),
        "numbers": str(device.dtype).removeprefix("torch."),
        "trained_percent": round(share.percent, 2),
        "fill": round(packs.fill, 4),
        "labelled_share": round(packs.labelled / float(packs.used.sum()), 3),
        "mean_text": round(float(np.mean([len(piece.tokens) for piece in pieces]))),
        "gflop_per_token": gflop_per_token(case, config, packs.labelled / float(packs.used.sum())),
    }


def gflop_per_token(case: Case, config: dict[str, Any], labelled: float) -> float:
    """Return the GFLOPs of one token, forward and backward; `labelled` is the share of tokens with loss."""
    from alif.cost.architecture import ModelShape
    from alif.cost.flops import flops_per_token, sizes_of
    from alif.settings import Adapter

    targets = ("attention", "mlp", "embeddings") if case.embeddings else ("attention", "mlp")
    head_dim = config["hidden_size"] // config["num_attention_heads"]
    known = {key: value for key, value in config.items() if key in ModelShape.model_fields}
    adapter = Adapter.model_validate({"rank": min(case.rank, config["hidden_size"] // 8), "targets": targets})
    sizes = sizes_of(ModelShape(**known, head_dim=head_dim), adapter)
    return round(flops_per_token(sizes, labelled, LENGTHS[case.stage][0]) / 1e9, 4)


def run(case: Case, shape: str, steps: int, warm_up: int) -> dict[str, Any]:
    """Measure one case in this process."""
    torch.manual_seed(0)
    config = SHAPES[shape]
    if case.kind == "product":
        return product(8192 if shape == "8b" else 256)
    if shape == "tiny":
        case = replace(case, length=case.length // 16, rows_per_step=min(case.rows_per_step, 8))
    trainers = {"ours": ours, "trl": peers.trl, "unsloth": peers.unsloth}
    return trainers[case.kind](case, config, steps + warm_up, warm_up)


def summary(shape: str, cases: dict[str, Any]) -> dict[str, Any]:
    """Return shares of the matrix product's speed, and hours and dollars of the paper's two stages."""
    if shape != "8b":
        return {"note": "the tiny shape tests the script; its rates say nothing about a GPU"}
    found: dict[str, Any] = {"note": "hours and dollars are for one GPU, both stages, without truncation"}
    rates = {
        name: case["useful_tokens_per_s"] for name, case in cases.items() if "useful_tokens_per_s" in case
    }
    if "tflops" in cases.get("product", {}):
        peak = cases["product"]["tflops"] * 1e12
        flops = {
            name: case["gflop_per_token"] * 1e9 for name, case in cases.items() if "gflop_per_token" in case
        }
        found["share_of_the_product"] = {name: round(rates[name] * flops[name] / peak, 4) for name in flops}
    for who, names in (
        ("ours", ("ours 8K", "ours 8K, stage 2")),
        ("paper", ("paper, stage 1", "paper, stage 2")),
    ):
        if all(name in rates for name in names):
            hours = sum(TOKENS[stage] / rates[name] / 3600 for stage, name in zip(TOKENS, names, strict=True))
            found[who] = {"hours": round(hours, 2), "usd": [round(hours * price, 2) for price in USD_AN_HOUR]}
    found["the_original"] = ORIGINAL
    if "ours 8K" in rates:
        found["goal_tokens_per_s"] = {
            "goal": GOAL_TOKENS_PER_S[0],
            "excellent": GOAL_TOKENS_PER_S[1],
            "is": rates["ours 8K"],
        }
    return found


def run_in_child(case: Case, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Measure one case in a process of its own; a failure is a result too."""
    peer = case.kind in ("trl", "unsloth") and options.trl_python
    command = [str(options.trl_python if peer else sys.executable), str(Path(__file__).resolve())]
    command += ["--shape", options.shape, "--case", case.name]
    command += ["--steps", str(options.steps), "--warm-up", str(options.warm_up)]
    paths = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH", "")]))
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env={**os.environ, "PYTHONPATH": paths},
        )
    except subprocess.TimeoutExpired:
        return {"unfinished": f"not finished in {seconds:.0f} s; the next call repeats it"}
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
    return {"failed": last[0][:300] if last else f"exit code {done.returncode}"}


def main() -> None:
    """Measure the cases that have no result yet, until the time is over."""
    parser = measure.arguments(__doc__, "train_gpu")
    parser.add_argument("--shape", choices=SHAPES, default="8b")
    parser.add_argument(
        "--minutes", type=float, default=9.5, help="when to stop, in the middle of a case too"
    )
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--trl-python", type=Path, help="python of an environment that holds trl")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    named = {case.name: case for case in CASES}
    if options.case:
        print(json.dumps(run(named[options.case], options.shape, options.steps, options.warm_up)))
        return
    if options.shape == "8b" and not torch.cuda.is_available():
        raise SystemExit("no GPU found; --shape tiny tests the script on a CPU")
    ends = time.monotonic() + 60 * options.minutes
    done: dict[str, Any] = (
        json.loads(options.json.read_text())["measured"]["cases"] if options.json.is_file() else {}
    )
    wanted = [case for case in CASES if not options.only or case.name in options.only]
    left = [case for case in wanted if "unfinished" in done.get(case.name, {"unfinished": ""})]
    while left and ends - time.monotonic() > 5:
        case = left.pop(0)
        done[case.name] = run_in_child(case, options, ends - time.monotonic())
        measured = {
            "shape": options.shape,
            "config": SHAPES[options.shape],
            "summary": summary(options.shape, done),
            "cases": done,
        }
        measure.write(options.json, measure.result("train_gpu", measured))
        print(f"{case.name}: {json.dumps(done[case.name])}", flush=True)
    again = [case.name for case in wanted if "unfinished" in done.get(case.name, {"unfinished": ""})]
    print(f"left for another call: {', '.join(again)}" if again else "nothing is left")


if __name__ == "__main__":
    main()
