"""Tasks of lm-eval on a local model folder: its own prompts and numbers, our intervals and readers.

    arc_easy, hellaswag, mmlu …       lm-eval's own (from the hub, or its cache)
    --include FOLDER                  task files of your own, as `alif benchmark translate` writes them

lm-eval's cache of answers is never used: it is not keyed by the model. Its values are reported to the last
digit; beside them, for answers that are text, whether the pack's readers find the right number or words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alif.errors import DataError, MissingExtra, ModelError
from alif.evaluate import metrics, stats
from alif.evaluate.stats import Bootstrap, Items
from alif.language.answers.answer_key import AnswerKey
from alif.language.pack import Pack
from alif.records import FrozenModel

__all__ = ["TaskScore", "run_tasks"]

BOOTSTRAP = Bootstrap(1000, 3407)
READERS = ("number", "number_read", "accepted")
"""Our metrics of a written answer, beside lm-eval's own."""


class TaskScore(FrozenModel):
    """One metric of one task."""

    task: str
    metric: str
    """lm-eval's name, or "alif:number" and the like for our reading of the same answers."""
    value: float
    low: float
    high: float
    n: int
    shots: int
    signature: str


def run_tasks(
    model: Path,
    tasks: Sequence[str],
    pack: Pack,
    *,
    include: Path | None = None,
    limit: int = 0,
    device: str = "cpu",
    dtype: str = "float32",
    batch_size: int = 8,
) -> list[TaskScore]:
    """Run tasks of lm-eval on a model folder.

    Raises:
        MissingExtra: lm-eval is not installed.
        ModelError: no such model folder.
        DataError: a task that lm-eval does not know.
    """
    try:
        import lm_eval  # noqa: PLC0415  (an extra)
        from lm_eval.tasks import TaskManager  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("alif benchmark lm-eval", "lm-eval") from error
    if not (model / "config.json").is_file():
        raise ModelError(f"{model}: no model folder", "Name a folder with config.json, such as export/model.")
    manager = TaskManager(include_path=str(include) if include else None, include_defaults=True)
    if unknown := [task for task in tasks if task not in manager.all_tasks]:
        raise DataError(
            f"{unknown[0]}: lm-eval has no such task", "lm-eval ls tasks; --include adds your own."
        )
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(model), "dtype": dtype},
        tasks=list(tasks),
        task_manager=manager,
        device=device,
        batch_size=batch_size,
        limit=limit or None,
        use_cache=None,
        bootstrap_iters=0,
    )
    version = f"lm-eval {lm_eval.__version__}"
    return [
        score
        for task, samples in found["samples"].items()
        for score in _score_task(task, samples, found, version, pack)
    ]


def _score_task(
    task: str, samples: Sequence[Mapping[str, Any]], found: Mapping[str, Any], version: str, pack: Pack
) -> Iterator[TaskScore]:
    """Yield lm-eval's metrics with our intervals, then ours where answers are text."""
    shots = int(found["n-shot"].get(task) or 0)
    signature = f"{version}|task version {found['versions'].get(task)}|{shots} shots"
    told = {name.partition(",")[0]: value for name, value in found["results"][task].items()}
    for metric in samples[0]["metrics"]:
        each = [float(sample[metric]) for sample in samples if isinstance(sample[metric], int | float | bool)]
        if len(each) == len(samples):
            yield _score(task, metric, each, shots, signature, told.get(metric))
    if found["configs"][task].get("output_type") == "generate_until":
        read = [_read_answer(sample, pack) for sample in samples]
        for name in READERS:
            values = [float(value) for one in read if (value := one[name]) is not None]
            if len(values) == len(read):
                how = metrics.metric_signatures()[name]
                yield _score(task, f"alif:{name}", values, shots, f"{signature}|{how}", None)


def _read_answer(sample: Mapping[str, Any], pack: Pack) -> dict[str, bool | None]:
    target = str(sample["target"])
    answer = sample["resps"][0][0]
    scores = metrics.AnswerScores(str(answer), target, None, pack, AnswerKey(accept=(target,)))
    return {name: getattr(scores, name) for name in READERS}


def _score(
    task: str, metric: str, each: Sequence[float], shots: int, signature: str, told: float | None
) -> TaskScore:
    items = Items.of(each)
    is_share = set(each) <= {0.0, 1.0}
    interval = stats.wilson_interval(items) if is_share else stats.bootstrap_interval(items, BOOTSTRAP)
    value = interval.value if told is None else float(told)
    return TaskScore(
        task=task,
        metric=metric,
        value=value,
        low=interval.low,
        high=interval.high,
        n=len(each),
        shots=shots,
        signature=f"{signature}|interval:95 % {'Wilson' if is_share else 'bootstrap'}",
    )
