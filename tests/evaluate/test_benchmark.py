"""Digests: what changes an item or a request changes the benchmark's name in the cache."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.evaluate.benchmark import (
    GenerationRequest,
    LikelihoodRequest,
    count_sample,
    describe_rows,
    digest_json,
    join_names,
)
from alif.records import Document, Example, Origin
from alif.runs import StepOutput


def test_digests_depend_on_content_not_on_the_order_of_keys() -> None:
    assert digest_json({"a": 1, "b": "۴"}) == digest_json({"b": "۴", "a": 1})
    assert (
        len({digest_json("a", "b"), digest_json("ab"), digest_json("b", "a"), digest_json(["a", "b"])}) == 4
    )


def test_every_setting_of_a_request_counts() -> None:
    requests = (
        LikelihoodRequest(lambda student: [], 64),
        LikelihoodRequest(lambda student: [], 65),
        LikelihoodRequest(lambda student: [], 64, "chat"),
        GenerationRequest((), "auto", 64),
        GenerationRequest((), "alpaca", 64),
        GenerationRequest((), "auto", 65),
    )
    assert len({request.digest for request in requests}) == len(requests)


def test_rows_describe_their_benchmark() -> None:
    documents = [
        Document.make(code, text, licence=licence)
        for code, text, licence in (("ur", "پانی", "MIT"), ("en", "water", ""), ("ur", "آم", "CC BY 4.0"))
    ]
    found = describe_rows("x", documents, "native")
    assert (found.name, found.n, found.languages) == ("x", 3, ("ur", "en"))
    assert (found.provenance, found.licence) == ("native", "CC BY 4.0, MIT")
    assert found.digest != describe_rows("x", documents[:2], "native").digest
    assert found.digest != describe_rows("y", documents, "native").digest
    row = Example.make("ur", "qa", "a", "", "b", Origin(kind="source", licence="MIT"))
    assert describe_rows("x", [row], "same-teacher").licence == "MIT"


def test_rows_that_a_sample_left_out_are_named(tmp_path: Path) -> None:
    rows = [f"row {number}" for number in range(5)]
    with StepOutput(tmp_path) as output:
        read = list(output.read(rows))
        count_sample(output, read, [read[1], read[3]], lambda row: row)
    assert (output.rows_in, output.kept, output.left_out) == (5, 2, 3)
    left_out = [row["id"] for _, row in store.read_rows(tmp_path / "not_sampled.jsonl")]
    assert left_out == ["row 0", "row 2", "row 4"]


def test_names_are_joined_once_each() -> None:
    assert join_names(["MIT", "", "CC BY 4.0", "MIT"]) == "CC BY 4.0, MIT"
    assert join_names([]) == ""
