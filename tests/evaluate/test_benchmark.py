"""Digests: what changes an item or a request changes the benchmark's name in the cache."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.evaluate.benchmark import (
    Benchmark,
    GenerationRequest,
    LikelihoodRequest,
    PairScores,
    count_sample,
    digest_json,
    join_names,
)
from alif.runs import StepOutput


def benchmark(request: LikelihoodRequest | GenerationRequest) -> Benchmark:
    return Benchmark("x", ("ur",), "native", "MIT", ("a", "b"), "d", request, lambda results: PairScores(()))


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
    assert len({benchmark(request).settings_digest for request in requests}) == len(requests)


def test_a_benchmark_describes_itself() -> None:
    found = benchmark(GenerationRequest((), "auto", 64)).describe()
    assert (found.name, found.n, found.provenance, found.licence) == ("x", 2, "native", "MIT")


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
