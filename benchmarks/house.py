"""Measure the code itself: size, long files, one-word names, fragments, untyped dictionaries, wide lines.

    python benchmarks/house.py                measure the package, write benchmarks/results/house.json
    python benchmarks/house.py FOLDER …       print the numbers of each folder, write nothing

`one_word_share` is the share of module-level functions whose name is one word. `private_once_share` is the
share of all functions, methods included, that are private and referred to once in their module. `any_blobs`
counts `Mapping[str, Any]` and `dict[str, Any]`; `wide_lines` counts lines of more than 110 columns. `before`
in the result holds the same numbers of the package before its names and types were rewritten.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import measure

PACKAGE = Path(__file__).resolve().parents[1] / "alif"
LONG_FILE, WIDE_LINE = 300, 110
BEFORE = {
    "commit": "8325e89", "lines": 22839, "files_over_300": 11, "one_word_share": 0.797,
    "private_once_share": 0.316, "any_blobs": 236, "wide_lines": 1505,
}  # fmt: skip
"""Its lines were up to 128 columns wide."""
BLOB = re.compile(r"\b(?:Mapping|MutableMapping|dict|Dict)\[str, Any\]")


def functions_of(tree: ast.Module) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def count_private_once(tree: ast.Module) -> int:
    """Count private functions and methods of a module that the module refers to exactly once."""
    used = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )
    names = (node.name for node in functions_of(tree))
    return sum(name.startswith("_") and not name.endswith("__") and used[name] == 1 for name in names)


def measure_house(folders: Iterable[Path] = (PACKAGE,)) -> dict[str, float]:
    """Return the counts of the files under `folders`."""
    paths = [
        path
        for folder in folders
        for path in ([folder] if folder.is_file() else sorted(folder.rglob("*.py")))
    ]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    trees = [ast.parse(text) for text in texts]
    functions = sum(1 for tree in trees for _ in functions_of(tree))
    top_level = [
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = [line for text in texts for line in text.splitlines()]
    return {
        "lines": len(lines),
        "files": len(texts),
        "files_over_300": sum(text.count("\n") > LONG_FILE for text in texts),
        "functions": functions,
        "one_word_share": round(
            sum("_" not in name.strip("_") for name in top_level) / max(len(top_level), 1), 3
        ),
        "private_once_share": round(sum(map(count_private_once, trees)) / max(functions, 1), 3),
        "any_blobs": sum(len(BLOB.findall(text)) for text in texts),
        "wide_lines": sum(len(line) > WIDE_LINE for line in lines),
    }


def main() -> None:
    """Print the numbers of the folders that were named, or write those of the package."""
    parser = measure.arguments(__doc__, "house")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="folders or files to measure")
    options = parser.parse_args()
    for folder in options.folders:
        print(folder, measure_house([folder]))
    if not options.folders:
        measured = measure_house()
        result = measure.result("house", measured, ("alif-llm",)) | {"before": BEFORE}
        measure.write(options.json, result)
        print(json.dumps(measured))


if __name__ == "__main__":
    main()
