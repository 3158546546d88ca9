"""Files: errors with their place, atomic writes, digests."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alif import store
from alif.errors import AlifError, DataError


def test_rows_come_back_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('\ufeff{"a": "شہر"}\r\n\r\n{"a": 2}\r\n'.encode())
    assert list(store.read_rows(path)) == [(1, {"a": "شہر"}), (3, {"a": 2})]


def test_packed_files_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert list(store.read_rows(path)) == [(1, {"a": 1})]
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(DataError, match=r"rows.jsonl.gz: a damaged gzip file"):
        list(store.read_rows(path))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": 1, "a": 2}', "the same key twice"),
        ("[1]", "not a JSON object"),
        ('{"a": "\\ud800"}', "a lone surrogate"),
        ('{"a": 1', "not JSON"),
    ],
)
def test_a_bad_line_is_named_by_path_and_number(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 0}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"rows.jsonl:2: .*{reason}"):
        list(store.read_rows(path))


def test_bytes_that_are_not_utf8_are_named_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("ایک\nدو".encode() + b"\xff\n")
    with pytest.raises(DataError, match=r"text.txt:2: not UTF-8 \(byte 0xff at column 5\)"):
        store.read_text(path)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        store.read_text(tmp_path / "none.txt")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    store.write_rows(path, [{"a": 1}])

    def broken() -> object:
        yield {"a": 2}
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        store.write_rows(path, broken())  # type: ignore[arg-type]
    assert list(store.read_rows(path)) == [(1, {"a": 1})]
    assert [file.name for file in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_full_disk_is_a_sentence() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with (
        pytest.raises(AlifError, match="/dev/full: the disk is full"),
        store.friendly_os_errors(full),
        full.open("wb", buffering=0) as file,
    ):
        file.write(b"x")


def test_a_digest_knows_names_and_bytes(tmp_path: Path) -> None:
    one = tmp_path / "one"
    store.write_text(one / "a.txt", "x")
    before = store.sha256_tree(one)
    assert store.sha256_tree(one) == before
    (one / "a.txt").rename(one / "b.txt")
    assert store.sha256_tree(one) != before
