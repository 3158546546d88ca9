"""Read, check and number the human seeds, and play them through the pool.

    packs/ur/seeds/qa.jsonl:7   {"instruction": "…", "input": "", "output": "…", "author": "…", "reviewed_by": ""}

A seed that says nothing, or belongs to no task of the pack, is refused with its line. A seed too near to an earlier one is
dropped with its neighbour: it would be shown to the teacher twice as often. Files in Self-Instruct's format work too; there
the task is `name`, as in the original's 102 seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alif import recipe, sources, store
from alif.data.synthesis.example_pool import ExamplePool
from alif.errors import DataError
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext

__all__ = ["load_seeds", "read_pack_seeds"]


def load_seeds(
    context: StepContext,
    language: recipe.Language,
    sources: recipe.Sources,
    seeds: recipe.Seeds,
    pool: recipe.Pool,
) -> Counts:
    """Write the seeds that the pool accepts in their order; needs `instruction`, `output` and a task of the pack in each row.

    Raises:
        DataError: a row that is no seed, with path:line.
    """
    pack = packs.load_pack(language.pack)
    crowd = ExamplePool(pack, pool)
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for row in _rows(pack, sources.folder, seeds.source):
        nearest = crowd.nearest(row)
        if nearest is None:
            crowd.add(row)
            kept.append(row)
        else:
            dropped.append(Dropped(row=row, reason="near_duplicate", nearest=nearest))
    store.write_rows(context.folder / "examples.jsonl", kept)
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    if seeds.source and "pack" not in seeds.source and not kept:
        raise DataError(
            f"seeds.source: no seed in {', '.join(seeds.source)}",
            'Write some, or name "pack", the pack\'s own.',
        )
    tasks = Counter(row.task for row in kept)
    return Counts.of(
        len(kept),
        dropped,
        tasks={name: tasks[name] for name in pack.tasks},
        reviewed=sum(bool(row.origin.reviewed_by) for row in kept),
    )


def read_pack_seeds(pack: Pack) -> Iterator[Example]:
    """Yield the pack's own seeds, task by task in the pack's order."""
    for task in pack.tasks:
        for row in sources.read_rows((f"seeds/{task}.jsonl",), str(pack.folder)):
            yield _seed(row, pack, task, f"{pack.code}/seeds/{task}", pack.licence)


def _rows(pack: Pack, folder: str, source: tuple[str, ...]) -> Iterator[Example]:
    if "pack" in source:
        yield from read_pack_seeds(pack)
    for row in sources.read_rows(source, folder):
        yield _seed(row, pack, "", "" if isinstance(row, Dropped) else row.name)


def _seed(row: sources.Row | Dropped, pack: Pack, task: str, name: str, licence: str = "") -> Example:
    """Return one row as a seed.

    Raises:
        DataError: what is wrong with it, with path:line.
    """
    if isinstance(row, Dropped):
        raise DataError(row.evidence, "Each line is one JSON object; mend or remove that line.")
    task = task or str(row.values.get("task") or row.values.get("name") or "")
    found = sources.to_example(row, pack.code, task, "seed", licence)
    if isinstance(found, Dropped):
        raise DataError(found.evidence, "Write both, or remove that line.")
    if found.task not in pack.tasks:
        raise DataError(
            f"{row.where}: {found.task!r} is no task of the pack {pack.code}",
            f"Tasks: {', '.join(pack.tasks)}.",
        )
    texts = {
        key: text.normalise_text(getattr(found, key), pack).strip()
        for key in ("instruction", "input", "output")
    }
    for key in ("instruction", "output"):
        if not texts[key] or (key == "instruction" and not text.split_words(texts[key], pack)):
            raise DataError(f'{row.where}: "{key}" is empty', "Write it, or remove that line.")
    origin = found.origin.model_copy(update={"source": f"{name}#{row.id}"})
    return Example.make(pack.code, found.task, **texts, origin=origin)
