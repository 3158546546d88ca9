"""The rows that a run has made, as a data set in the Hub's layout, ready to upload.

    runs/demo/dataset/
      README.md                                 the data card, with the front matter that hubs read
      data/train-00000-of-00001.parquet         what the Hub loads; validation likewise
      jsonl/train.jsonl                         the same rows, one JSON object a line

Rows of the mixture that the run's teachers wrote or translated; replayed rows are other people's and are not
in it. Never part of it: the ledger, the seeds, names of people. Who wrote or read a row appears as "a model",
"a person", yes or no; where a model wrote the question to a passage, "a model, its output the source".
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from alif import store
from alif.errors import DataError, MissingExtra
from alif.records import Example
from alif.report.card_template import author_kind, public_name, render_card
from alif.report.data_card import REVERSE, data_card_values
from alif.report.snapshot import read_run
from alif.runs.splits import heldout_rows, training_rows

__all__ = ["COLUMNS", "read_made_rows", "write_dataset"]

MADE = ("teacher", "translated")
"""Kinds of rows that the run has made."""
TEXTS = ("id", "language", "task", "instruction", "input", "output", "turns")
"""`turns`: system prompt and earlier turns, as role and content."""
ORIGIN = ("kind", "strategy", "source", "licence", "model")
COLUMNS = (*TEXTS, *ORIGIN, "written_by", "reviewed", "review")
"""`review`: "reviewed"; of a row that nobody read "accepted by lot (…)" or "not reviewed"."""
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
"""The Hub's names for the number of rows, by what it is below."""


def write_dataset(root: Path) -> Path:
    """Write the data set of a run and return its folder.

    Raises:
        DataError: the mixture is not made yet, or holds no row that the run has made.
        MissingExtra: pyarrow is not installed.
    """
    run, splits = read_run(root), read_made_rows(root)
    folder = root / "dataset"
    for part in ("jsonl", "data"):  # a split that is gone leaves no file behind
        shutil.rmtree(folder / part, ignore_errors=True)
    for name, rows in splits.items():
        if rows:
            public = [_public_row(row) for row in rows]
            store.write_rows(folder / "jsonl" / f"{name}.jsonl", public)
            _write_parquet(folder / "data" / f"{name}-00000-of-00001.parquet", public)
    made = [row for rows in splits.values() for row in rows]
    licences = {row.origin.licence.lower() for row in made}
    card = render_card(
        "dataset_card.md.jinja",
        **data_card_values(run),
        splits=splits,
        languages=sorted({row.language for row in made}),
        licence=licences.pop() if len(licences) == 1 else "",
        size=next((name for most, name in SIZES.items() if len(made) < most), "n>1M"),
        tasks=Counter(row.task for row in made),
    )
    store.write_text(folder / "README.md", card)
    return folder


def read_made_rows(root: Path) -> dict[str, list[Example]]:
    """Return the rows of a run's mixture that the run has made, by split, each once.

    Raises:
        DataError: the mixture is not made yet, or holds none.
    """
    if not (root / "blend" / "step.json").is_file():
        raise DataError(f"{root}: the step blend is not done", f"alif run {root.name} --until blend")
    parts = {"train": training_rows, "validation": heldout_rows}
    splits = {}
    for name, read in parts.items():
        made = [row for row in read(root / "blend", Example) if row.origin.kind in MADE]
        splits[name] = list({row.id: row for row in made}.values())  # a part may be repeated
    if not any(splits.values()):
        raise DataError(
            f"{root}: no teacher has written a row of its mixture", "There is nothing to publish."
        )
    return splits


def _public_row(row: Example) -> dict[str, JsonValue]:
    """Return what of a row is published."""
    origin = row.origin
    written_by = author_kind(origin.author or origin.model, origin.model).replace("language ", "")
    texts, ancestry = row.model_dump(mode="json"), origin.model_dump(mode="json")
    return {
        **{key: texts.get(key, []) for key in TEXTS},
        **{key: ancestry[key] for key in ORIGIN},
        "model": public_name(origin.model),
        "written_by": "a model, its output the source" if origin.strategy == REVERSE else written_by,
        "reviewed": bool(origin.reviewed_by),
        "review": "reviewed" if origin.reviewed_by else origin.lot or "not reviewed",
    }


def _write_parquet(path: Path, rows: Sequence[Mapping[str, JsonValue]]) -> None:
    try:
        import pyarrow  # noqa: PLC0415  (an extra)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Parquet", "hub") from error
    message = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])
    special = {"turns": pyarrow.list_(message), "reviewed": pyarrow.bool_()}
    schema = pyarrow.schema([(key, special.get(key, pyarrow.string())) for key in COLUMNS])
    with store.replacing(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), temporary)
