"""Weight files, and the libraries' errors as sentences."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from alif.errors import AlifError, ModelError
from alif.student import weights

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.ones(2, dtype=torch.bfloat16)}


def test_equal_tensors_are_equal_bytes_and_are_read_as_they_were(tmp_path: Path) -> None:
    weights.write_weights(tmp_path / "one.safetensors", TENSORS)
    weights.write_weights(tmp_path / "two.safetensors", dict(reversed(TENSORS.items())))
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    found = weights.read_weights(tmp_path / "one.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs", None])
def test_a_file_that_is_not_whole_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.safetensors: not a whole safetensors file"):
        weights.read_weights(path)


def test_a_model_is_its_files_and_not_what_lies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    digest = weights.digest_model(tmp_path)
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    (tmp_path / ".cache.json").write_text("x", encoding="utf-8")
    assert weights.digest_model(tmp_path) == digest
    (tmp_path / "config.json").write_text('{"a": 1}', encoding="utf-8")
    assert weights.digest_model(tmp_path) != digest


def test_a_full_disk_is_told_by_whatever_library_meets_it(tmp_path: Path) -> None:
    for error in (OSError(errno.ENOSPC, "x"), RuntimeError("file write failed"), Exception("No space left")):
        with pytest.raises(AlifError, match="the disk is full"), weights.friendly_disk_errors(tmp_path):
            raise error
    with pytest.raises(RuntimeError, match="a bug"), weights.friendly_disk_errors(tmp_path):
        raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("You are trying to access a gated repo", "Accept its licence"),
        ("needs trust_remote_code=True", "a base that transformers knows itself"),
        ("We couldn't connect to huggingface.co", "Connect to the network"),
        ("something else", "Check the name and the revision"),
    ],
)
def test_a_base_that_cannot_be_opened_comes_with_advice(message: str, advice: str) -> None:
    with (
        pytest.raises(ModelError, match="x/y: cannot be opened") as caught,
        weights.friendly_model_errors("x/y"),
    ):
        raise OSError(message)
    assert advice in caught.value.hint


def test_a_full_gpu_and_our_own_errors_pass_unchanged() -> None:
    for error in (torch.OutOfMemoryError("full"), AlifError("ours")):
        with pytest.raises(type(error)) as caught, weights.friendly_model_errors("x/y"):
            raise error
        assert caught.value is error
