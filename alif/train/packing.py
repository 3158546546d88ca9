"""Rows of one length out of texts of any length, with next to no padding and no attention across texts.

    row       ┃ <|start|> Lahore is … <|end|> ┃ <|start|> Mangoes … <|end|> ┃ filler ┃
    label     ┃   -100    Lahore is … <|end|> ┃   -100    Mangoes … <|end|> ┃  -100  ┃
    position  ┃     0        1    2  …        ┃     0        1     …        ┃ 0 1 …  ┃

Positions restart with each text, and from them alone the model knows where one ends. There is never an
attention mask: one of ones, with packed rows, silently lets every text attend to those before it. A text
longer than a row is split, each piece beginning with the last token of the one before, so that every token
but a text's first is predicted once.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from alif import store

__all__ = [
    "IGNORE", "PackedDataset", "PackedRows", "Segment", "collate", "collate_trimmed", "fill_rows",
    "fit_rows", "pack_segments", "pad_segments", "pad_to_multiple", "sample_order", "split_segments",
]  # fmt: skip

IGNORE = -100
"""The label of a token that carries no loss. Source: PyTorch's cross_entropy."""
BATCHED = ("input_ids", "labels", "position_ids")
"""What a model is handed of a row."""
EMPTY = -1
"""In an order of rows: one in which nothing carries loss."""

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Segment:
    """Tokens that stand in one row, and which of them carry loss."""

    name: str
    """Id of the document or row that it comes from."""
    tokens: Sequence[int] | Tokens
    labelled: Sequence[tuple[int, int]] = ((1, 2**31),)
    """Ranges [start, end) that carry loss: all but the first token, which nothing predicts, or the
    answers."""


@dataclass(frozen=True)
class PackedDataset:
    """All rows of a stage; arrays are [rows, length], and may be memory-mapped."""

    tokens: Tokens
    labels: Tokens
    positions: Tokens
    names: Sequence[Sequence[str]]
    """Of each row, the ids of what stands in it, in order."""
    used: npt.NDArray[np.int64]
    """Of each row, the tokens that are not filler."""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def fill(self) -> float:
        """Return the share of all tokens that is not filler, 0..1."""
        return float(self.used.sum() / self.tokens.size)

    @property
    def labelled(self) -> int:
        """Return the number of tokens that carry loss."""
        return int((self.labels != IGNORE).sum())

    def digest(self) -> str:
        """Return a SHA-256 of what is trained on."""
        total = hashlib.sha256(repr(self.tokens.shape).encode())
        for part in (self.tokens, self.labels, self.positions):
            total.update(np.ascontiguousarray(part).data)
        return total.hexdigest()


def split_segments(name: str, tokens: Sequence[int] | Tokens, length: int) -> Iterator[Segment]:
    """Split a document into pieces of at most `length` tokens; one token is repeated at each split."""
    for start in range(0, len(tokens) - 1, length - 1):
        yield Segment(name, tokens[start : start + length])


def pack_segments(
    segments: Sequence[Segment],
    length: int,
    filler: int,
    folder: Path | None = None,
    *,
    apart: Sequence[Segment] = (),
) -> PackedDataset:
    """Pack `segments` into few rows of `length` tokens by best-fit decreasing; what stays free is `filler`.

    Every segment must fit a row. With a `folder` the rows are memory-mapped files there. Segments `apart`
    share rows with one another alone, behind all others.
    """
    rows = [row for part in (segments, apart) for row in fit_rows([(one,) for one in part], length)]
    return fill_rows(rows, length, filler, folder)


def fit_rows(groups: Sequence[Sequence[Segment]], length: int) -> list[list[Segment]]:
    """Return few rows of at most `length` tokens by best-fit decreasing; a group stays together."""
    rows: list[list[Segment]] = []
    rows_by_space: dict[int, list[int]] = {}
    spaces: list[int] = []  # the keys of `rows_by_space`, in order
    sizes = [sum(len(segment.tokens) for segment in group) for group in groups]
    for number in sorted(range(len(groups)), key=lambda number: -sizes[number]):
        size = sizes[number]
        at = bisect.bisect_left(spaces, size)
        if at < len(spaces):
            space = spaces[at]
            row = rows_by_space[space].pop()
            if not rows_by_space[space]:
                del rows_by_space[space], spaces[at]
        else:
            space, row = length, len(rows)
            rows.append([])
        rows[row] += groups[number]
        left = space - size
        if left not in rows_by_space:
            bisect.insort(spaces, left)
        rows_by_space.setdefault(left, []).append(row)
    return rows


def pad_segments(
    segments: Sequence[Segment], length: int, filler: int, folder: Path | None = None
) -> PackedDataset:
    """Put each segment into a row of its own, truncated to `length` and padded, as the original does."""
    rows = [[Segment(one.name, one.tokens[:length], one.labelled)] for one in segments]
    return fill_rows(rows, length, filler, folder)


def _array(name: str, rows: int, length: int, value: int, folder: Path | None) -> Tokens:
    """Return an array [rows, length] of `value`, in memory or in a file of `folder`."""
    if folder is None or not rows:
        return np.full((rows, length), value, dtype=np.int32)
    path = folder / f"{name}.npy"
    header = {"descr": "<i4", "fortran_order": False, "shape": (rows, length)}
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:  # on a full disk a write is an error, a mapped page a bus error
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(rows):
                file.write(np.full(length, value, dtype="<i4").tobytes())
        return np.lib.format.open_memmap(path, mode="r+")


def fill_rows(
    rows: Sequence[Sequence[Segment]], length: int, filler: int, folder: Path | None = None
) -> PackedDataset:
    """Return the arrays of `rows`, each with its segments one after another and `filler` behind them."""
    tokens = _array("tokens", len(rows), length, filler, folder)
    labels = _array("labels", len(rows), length, IGNORE, folder)
    positions = _array("positions", len(rows), length, 0, folder)
    used = np.zeros(len(rows), dtype=np.int64)
    for number, row in enumerate(rows):
        at = 0
        for segment in row:
            size = len(segment.tokens)
            tokens[number, at : at + size] = segment.tokens
            for start, end in segment.labelled:
                labels[number, at + start : at + min(end, size)] = segment.tokens[start:end]
            positions[number, at : at + size] = np.arange(size)
            at += size
        positions[number, at:] = np.arange(length - at)
        used[number] = at
    return PackedDataset(tokens, labels, positions, [[one.name for one in row] for row in rows], used)


def sample_order(rows: int, epochs: float, seed: int) -> npt.NDArray[np.int64]:
    """Return the order of rows of the whole stage: a shuffle per epoch, the last may be partial.

    All epochs are in one list, so a stage that resumes in its second epoch has nothing to replay.
    """
    total = max(1, round(rows * epochs)) if rows and epochs else 0
    shuffles = [
        np.random.default_rng([seed, epoch]).permutation(rows) for epoch in range(-(-total // max(rows, 1)))
    ]
    return np.concatenate([*shuffles, np.empty(0, dtype=np.int64)])[:total].astype(np.int64)


def pad_to_multiple(order: npt.NDArray[np.int64], multiple: int) -> npt.NDArray[np.int64]:
    """Return `order` with EMPTY rows at its end, so that each process has as many."""
    return np.append(order, np.full(-len(order) % multiple, EMPTY)).astype(np.int64)


class PackedRows(torch.utils.data.Dataset[dict[str, Tokens]]):
    """The rows of `dataset` in the order of training; EMPTY is a row without a label."""

    def __init__(self, dataset: PackedDataset, order: npt.NDArray[np.int64]) -> None:
        self.dataset, self.order = dataset, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, at: int) -> dict[str, Tokens]:
        row = self.order[at]
        labels = self.dataset.labels[row]
        return {
            "input_ids": self.dataset.tokens[row],
            "labels": np.full_like(labels, IGNORE) if row == EMPTY else labels,
            "position_ids": self.dataset.positions[row],
            "used": self.dataset.used[row],
        }


def collate_trimmed(rows: Sequence[dict[str, Tokens]]) -> dict[str, Any]:
    """Stack the texts of padded rows, a row each, cut to the longest of them: the original's batches."""
    texts = []
    for row in rows:
        starts = np.flatnonzero(row["position_ids"][: row["used"]] == 0)
        for start, end in itertools.pairwise([*starts, int(row["used"])]):
            texts.append({key: row[key][start:end] for key in BATCHED} | {"filler": row["input_ids"][-1]})
    longest = max(len(text["input_ids"]) for text in texts)
    padded = []
    for text in texts:
        free = longest - len(text["input_ids"])
        fillers = (np.full(free, text["filler"]), np.full(free, IGNORE), np.arange(free))
        padded.append({k: np.append(text[k], one) for k, one in zip(BATCHED, fillers, strict=True)})
    return collate(padded)


def collate(rows: Sequence[dict[str, Tokens]]) -> dict[str, Any]:
    """Stack rows to tensors [rows, length], with the boundaries of texts, and never with a mask.

    `cu_seq_lens_q` [texts + 1] are the boundaries of all texts of all rows end to end, filler counted as one
    text per row. The names are transformers', which hands them to the attention.
    """
    batch = {key: torch.from_numpy(np.stack([row[key] for row in rows])).long() for key in BATCHED}
    positions = batch["position_ids"].flatten()
    starts = (positions == 0).nonzero().flatten()
    bounds = torch.cat([starts, torch.tensor([len(positions)])]).to(torch.int32)
    longest = int(positions.max()) + 1
    lengths = {"max_length_q": longest, "max_length_k": longest}
    return {**batch, "cu_seq_lens_q": bounds, "cu_seq_lens_k": bounds, **lengths}
