"""The worker runs in any environment: it imports nothing of alif, and fails aloud."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from alif.release import gguf_worker


def test_it_imports_nothing_of_alif() -> None:
    tree = ast.parse(Path(gguf_worker.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name.startswith("alif")]


def test_a_tokenizer_that_nobody_knows_fails_aloud(tmp_path: Path) -> None:
    (tmp_path / "conversion").mkdir()
    (tmp_path / "conversion" / "base.py").write_text(
        "class TextModel:\n    def get_vocab_base_pre(self, t): raise NotImplementedError('unknown')\n"
    )
    script = "import sys\nfrom conversion.base import TextModel as T\n"
    script += "print(T().get_vocab_base_pre(0), sys.argv[1])"
    (tmp_path / "convert_hf_to_gguf.py").write_text(script)
    command = [sys.executable, "-S", gguf_worker.__file__, "convert", str(tmp_path)]
    asked = subprocess.run([*command, "", "x"], capture_output=True, text=True, check=False)
    assert asked.returncode
    assert asked.stderr.strip().endswith("NotImplementedError: unknown")
    asked = subprocess.run([*command, "qwen2", "x"], capture_output=True, text=True, check=True)
    assert asked.stdout == "qwen2 x\n"
