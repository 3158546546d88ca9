from __future__ import annotations

import numpy as np

from alif.settings import Pretrain
from alif.train.packing import IGNORE, Segment
from alif.train.stage import pack_rows

SEGMENTS = [Segment("one", list(range(2, 14))), Segment("two", [20, 21, 22])]
STAGE = Pretrain(max_seq_length=16)


def test_packed_texts_share_a_row_and_padded_ones_do_not():
    packed = pack_rows(SEGMENTS, STAGE, 1)
    padded = pack_rows(SEGMENTS, STAGE.model_copy(update={"packing": "padded"}), 1)
    assert [list(names) for names in packed.names] == [["one", "two"]]
    assert [list(names) for names in padded.names] == [["one"], ["two"]]
    assert packed.labelled == padded.labelled == 11 + 2  # nothing predicts a text's first token
    assert (padded.labels[1, 3:] == IGNORE).all()


def test_rows_of_a_large_stage_lie_in_its_scratch_folder(tmp_path):
    mapped, held = pack_rows(SEGMENTS, STAGE, 1, tmp_path), pack_rows(SEGMENTS, STAGE, 1)
    assert isinstance(mapped.tokens, np.memmap)
    assert sorted(path.name for path in (tmp_path / "packs").iterdir()) == [
        "labels.npy",
        "positions.npy",
        "tokens.npy",
    ]
    assert mapped.digest() == held.digest()
