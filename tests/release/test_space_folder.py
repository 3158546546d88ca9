from __future__ import annotations

import yaml

from alif.release.space_folder import space_files


def test_a_space_names_its_model_and_compiles() -> None:
    files = space_files("org/Urdu-0.6B")
    compile(files["app.py"], "app.py", "exec")
    front = yaml.safe_load(files["README.md"].split("---\n")[1])
    assert front == {"title": "Urdu-0.6B", "sdk": "gradio", "app_file": "app.py", "models": ["org/Urdu-0.6B"]}
