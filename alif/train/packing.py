"""Rows of one length out of texts of any length, without padding worth the name and without a leak.

    row   ┃ <|start|> Lahore is … <|end|> ┃ <|start|> Mangoes … <|end|> ┃ filler ┃
    label ┃   -100    Lahore is … <|end|> ┃   -100    Mangoes … <|end|> ┃  -100  ┃
    place ┃     0        1    2  …        ┃     0        1     …        ┃ 0 1 …  ┃

Positions restart with each text, and from them alone the model knows where one ends. There is never an attention mask: one of
ones, with packed rows, silently lets every text see those before it. A text longer than a row is cut into pieces, each
beginning with the last token of the piece before, so that every token but a text's first is predicted exactly once.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from alif import store

__all__ = [
    "IGNORE",
    "PackedDataset",
    "PackedRows",
    "Segment",
    "collate",
    "collate_trimmed",
    "pack_segments",
    "pad_segments",
    "pad_to_multiple",
    "sample_order",
    "split_segments",
]

IGNORE = -100
"""The label of a token that carries no loss. Source: PyTorch's cross_entropy."""
NOTHING = -1
"""In an order of rows: one in which nothing carries loss."""

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Segment:
    """Tokens that stand in one row, and which of them carry loss."""

    name: str
    """Id of the document or row that it comes from."""
    tokens: Sequence[int] | Tokens
    silent: int = 1
    """How many tokens at the beginning carry no loss: at least the first, which nothing predicts."""


@dataclass(frozen=True)
class PackedDataset:
    """All rows of a stage; arrays are [rows, length], and may lie on disk."""

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
        """Return the part of all tokens that is not filler, 0..1."""
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
    """Cut a document of two tokens or more into pieces of at most `length`; nothing is lost, one token is shown twice a cut."""
    for start in range(0, len(tokens) - 1, length - 1):
        yield Segment(name, tokens[start : start + length])


def pack_segments(
    pieces: Sequence[Segment], length: int, filler: int, folder: Path | None = None
) -> PackedDataset:
    """Lay `pieces` into as few rows of `length` tokens as best-fit-decreasing finds; what stays free is `filler`.

    Every piece must fit a row. With a `folder` the rows lie in files there and are mapped, not held in memory.
    """
    rows: list[list[int]] = []
    free: dict[int, list[int]] = {}  # rows by the room that they have left
    rooms: list[int] = []  # the keys of `free`, in order
    for index in sorted(range(len(pieces)), key=lambda index: -len(pieces[index].tokens)):
        size = len(pieces[index].tokens)
        at = bisect.bisect_left(rooms, size)
        if at < len(rooms):
            room = rooms[at]
            row = free[room].pop()
            if not free[room]:
                del free[room], rooms[at]
        else:
            room, row = length, len(rows)
            rows.append([])
        rows[row].append(index)
        left = room - size
        if left not in free:
            bisect.insort(rooms, left)
        free.setdefault(left, []).append(row)
    return _fill([[pieces[index] for index in row] for row in rows], length, filler, folder)


def pad_segments(
    pieces: Sequence[Segment], length: int, filler: int, folder: Path | None = None
) -> PackedDataset:
    """Lay each piece into a row of its own, cut off at `length`: the original's way, of which the rest is padding."""
    return _fill(
        [[Segment(one.name, one.tokens[:length], one.silent)] for one in pieces], length, filler, folder
    )


def _array(name: str, rows: int, length: int, value: int, folder: Path | None) -> Tokens:
    """Return an array [rows, length] of `value`, in memory or in a file of `folder`."""
    if folder is None or not rows:
        return np.full((rows, length), value, dtype=np.int32)
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path, header = (
            folder / f"{name}.npy",
            {"descr": "<i4", "fortran_order": False, "shape": (rows, length)},
        )
        with path.open(
            "wb"
        ) as file:  # written, not mapped: on a full disk a mapped page ends the process with a bus error
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(rows):
                file.write(np.full(length, value, dtype="<i4").tobytes())
        return np.lib.format.open_memmap(path, mode="r+")


def _fill(rows: Sequence[Sequence[Segment]], length: int, filler: int, folder: Path | None) -> PackedDataset:
    tokens = _array("tokens", len(rows), length, filler, folder)
    labels = _array("labels", len(rows), length, IGNORE, folder)
    positions = _array("positions", len(rows), length, 0, folder)
    used = np.zeros(len(rows), dtype=np.int64)
    for number, row in enumerate(rows):
        at = 0
        for piece in row:
            end = at + len(piece.tokens)
            tokens[number, at:end] = piece.tokens
            labels[number, at + piece.silent : end] = piece.tokens[piece.silent :]
            positions[number, at:end] = np.arange(end - at)
            at = end
        positions[number, at:] = np.arange(length - at)
        used[number] = at
    return PackedDataset(tokens, labels, positions, [[piece.name for piece in row] for row in rows], used)


def sample_order(rows: int, epochs: float, seed: int) -> npt.NDArray[np.int64]:
    """Return which row comes when in the whole stage: each epoch is its own shuffle, the last may be a part of one.

    All epochs in one list: a stage that resumes in its second epoch has nothing to work out.
    """
    total = max(1, round(rows * epochs)) if rows and epochs else 0
    shuffles = [
        np.random.default_rng([seed, epoch]).permutation(rows) for epoch in range(-(-total // max(rows, 1)))
    ]
    return np.concatenate([*shuffles, np.empty(0, dtype=np.int64)])[:total].astype(np.int64)


def pad_to_multiple(sequence: npt.NDArray[np.int64], at_once: int) -> npt.NDArray[np.int64]:
    """Return `sequence` with NOTHING at its end, so that `at_once` rows at a time leave no rest for some processes only."""
    return np.append(sequence, np.full(-len(sequence) % at_once, NOTHING)).astype(np.int64)


class PackedRows(torch.utils.data.Dataset[dict[str, Tokens]]):
    """The rows of `packs` in the order in which they are trained on; NOTHING is a row without a label."""

    def __init__(self, packs: PackedDataset, sequence: npt.NDArray[np.int64]) -> None:
        self.packs, self.sequence = packs, sequence

    def __len__(self) -> int:
        return len(self.sequence)

    def __getitem__(self, at: int) -> dict[str, Tokens]:
        row = self.sequence[at]
        labels = self.packs.labels[row]
        return {
            "input_ids": self.packs.tokens[row],
            "labels": np.full_like(labels, IGNORE) if row == NOTHING else labels,
            "position_ids": self.packs.positions[row],
            "used": self.packs.used[row],
        }


def collate_trimmed(rows: Sequence[dict[str, Tokens]]) -> dict[str, Any]:
    """Stack padded rows, cut to the longest text among them: the original's batches."""
    used = max(int(row["used"]) for row in rows)
    return collate([{key: part[:used] if part.ndim else part for key, part in row.items()} for row in rows])


def collate(rows: Sequence[dict[str, Tokens]]) -> dict[str, Any]:
    """Stack rows to tensors [rows, length], and tell where texts begin; there is no mask among them, and must never be.

    `cu_seq_lens_q` [texts + 1] are the boundaries of all texts of all rows laid end to end, filler counted as one text a row.
    The names are transformers', which hands them to the attention.
    """
    keys = ("input_ids", "labels", "position_ids")
    batch: dict[str, Any] = {
        key: torch.from_numpy(np.stack([row[key] for row in rows])).long() for key in keys
    }
    positions = batch["position_ids"].flatten()
    starts = (positions == 0).nonzero().flatten()
    bounds = torch.cat([starts, torch.tensor([len(positions)])]).to(torch.int32)
    longest = int(positions.max()) + 1
    return {
        **batch,
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": longest,
        "max_length_k": longest,
    }
