"""Files of a pack are read only where they lie in its folder and are what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.errors import PackError
from alif.language.pack_files import MAX_LINE_DOTS, parse_toml, read_pack_text, text_files


def test_the_files_of_a_pack(tmp_path: Path) -> None:
    for name in ("pack.toml", "prompts/qa.jinja", "seeds/qa.jsonl", "notes.txt", "prompts/old.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = [path.relative_to(tmp_path).as_posix() for path in text_files(tmp_path)]
    assert found == ["pack.toml", "prompts/qa.jinja", "seeds/qa.jsonl"]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"\xef\xbb\xbfa", ":1: begins with a byte-order mark"),
        (b"a\nb\r\n", ":2: a Windows line end"),
        (b"a\n\xff", ":2: not UTF-8"),
        ("a\nا\u0653".encode(), ":2: decomposed letters"),
        (b"a" * 300_000, "at most 262,144 are read"),
    ],
)
def test_text_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, raw: bytes, complaint: str) -> None:
    path = tmp_path / "pack.toml"
    path.write_bytes(raw)
    with pytest.raises(PackError, match=complaint):
        read_pack_text(path, tmp_path)


def test_a_link_may_not_lead_out_of_the_pack(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("x", encoding="utf-8")
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "README.md").symlink_to(tmp_path / "private")
    with pytest.raises(PackError, match="outside the pack's folder"):
        read_pack_text(folder / "README.md", folder)
    with pytest.raises(PackError, match="not a regular file"):
        read_pack_text(folder, folder)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a = 1\nb =", "pack.toml:2: not TOML"),
        (f"{'a.' * (MAX_LINE_DOTS + 1)}b = 1", "pack.toml:1: more than"),
        (f"a = {'[' * 5000}{']' * 5000}", "nested too deeply"),
        (f"a = {'1' * 5000}", "a number that cannot be read"),
    ],
)
def test_toml_that_cannot_be_parsed_is_named(text: str, complaint: str) -> None:
    with pytest.raises(PackError, match=complaint):
        parse_toml(text, Path("pack.toml"))
