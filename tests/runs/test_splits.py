from __future__ import annotations

from alif import store
from alif.records import Document
from alif.runs.splits import heldout_rows, training_rows


def test_each_row_is_either_trained_on_or_held_out_in_the_order_of_the_file(tmp_path):
    documents = [Document.make("ur", text) for text in ("ایک", "دو", "تین", "چار")]
    store.write_rows(tmp_path / "examples.jsonl", documents)
    store.write_rows(tmp_path / "held_out.jsonl", [{"id": documents[n].id} for n in (2, 0)])
    assert heldout_rows(tmp_path, Document) == [documents[0], documents[2]]
    assert training_rows(tmp_path, Document) == [documents[1], documents[3]]
