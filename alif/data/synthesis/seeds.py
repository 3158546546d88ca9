"""Read and check the human seeds, and play them through the pool.

    packs/ur/seeds/qa.jsonl:7   {"instruction": "…", "output": "…", "author": "…", "reviewed_by": ""}

A seed that says nothing, or belongs to no task of the pack, is refused with its line. A near-duplicate of an
earlier seed is dropped: it would be shown to the teacher twice as often. In files of Self-Instruct's format
the task is `name`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alif import settings, sources
from alif.data.normalise_example import normalise_example
from alif.data.synthesis.example_pool import ExamplePool
from alif.errors import DataError
from alif.facts.data_facts import SeedsFacts
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.sources import PackFiles

__all__ = ["load_seeds", "read_seeds"]


def load_seeds(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    seeds: settings.Seeds,
    pool: settings.Pool,
) -> SeedsFacts:
    """Keep the seeds that the pool accepts, in their order.

    Raises:
        DataError: a row that is no seed, with path:line, or no seed at all.
    """
    pack, output = packs.load_pack(language.pack), context.output
    accepted = ExamplePool(pack, pool)
    tasks: Counter[str] = Counter()
    reviewed = 0
    output.require("examples.jsonl", "dropped.jsonl")
    for row in output.read(read_seeds(pack, sources.folder, seeds.source)):
        if nearest := accepted.nearest(row):
            output.drop(Dropped(row=row, reason="near_duplicate", nearest=nearest))
            continue
        accepted.add(row)
        output.keep(row)
        tasks[row.task] += 1
        reviewed += bool(row.origin.reviewed_by)
    if seeds.source and "pack" not in seeds.source and not tasks:
        hint = 'Write some, or name "pack", the pack\'s own.'
        raise DataError(f"seeds.source: no seed in {', '.join(seeds.source)}", hint)
    return SeedsFacts(tasks={name: tasks[name] for name in pack.tasks}, reviewed=reviewed)


def read_seeds(pack: Pack, folder: str = "", source: tuple[str, ...] = ("pack",)) -> Iterator[Example]:
    """Yield the seeds of `source`; the pack's own come task by task, in the pack's order.

    Raises:
        DataError: what is wrong with a row, with path:line.
    """
    files = PackFiles(pack, tuple(f"seeds/{task}.jsonl" for task in pack.tasks))
    for row in sources.read_rows(source, folder, files):
        if isinstance(row, Dropped):
            raise DataError(row.evidence, "Each line is one JSON object; correct or remove that line.")
        task = row.name if row.pack else str(row.values.get("task") or row.values.get("name") or "")
        found = sources.to_example(row, pack.code, task, "seed")
        if isinstance(found, Dropped):
            raise DataError(found.evidence, "Write both, or remove that line.")
        if found.task not in pack.tasks:
            hint = f"Tasks: {', '.join(pack.tasks)}."
            raise DataError(f"{row.where}: {found.task!r} is no task of the pack {pack.code}", hint)
        name = f"{pack.code}/seeds/{row.name}" if row.pack else row.name
        origin = found.origin.model_copy(update={"source": f"{name}#{row.id}"})
        seed = normalise_example(found.model_copy(update={"language": pack.code, "origin": origin}), pack)
        if not text.split_words(seed.instruction, pack) or not seed.output:
            key = "output" if text.split_words(seed.instruction, pack) else "instruction"
            raise DataError(f'{row.where}: "{key}" is empty', "Write it, or remove that line.")
        yield seed
