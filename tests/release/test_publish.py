"""A repository: what is listed is what is uploaded; names of people and keys are found before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from alif import store
from alif.errors import AlifError, DataError
from alif.release import publish
from alif.release.adapter_export import digest_weights
from tests.hub_server import Hub

KEY = "sk-" + "a" * 30


@pytest.fixture
def files(exported: Path) -> dict[str, publish.Content]:
    form = exported / "export" / "gguf-f16"
    form.mkdir()
    (form / "tiny-f16.gguf").write_bytes(b"GGUF\xff")
    store.write_json(form / "form.json", {"model_digest": digest_weights(exported / "export" / "model")})
    return publish.gather_files(exported, "org/Urdu", "# Card\n", "# Data\n", "cff-version: 1.2.0\n")


def test_the_list_has_model_forms_cards_and_demo_and_nothing_else(
    files: dict[str, publish.Content], exported: Path
) -> None:
    listed = {file.path: file for file in publish.list_files(files)}
    model = {path.name for path in (exported / "export" / "model").iterdir()}
    form, space = (
        {"gguf-f16/form.json", "gguf-f16/tiny-f16.gguf"},
        {"app.py", "requirements.txt", "README.md"},
    )
    own = {"README.md", "DATA.md", "CITATION.cff", "scores.jsonl"} | {f"space/{name}" for name in space}
    assert set(listed) == model | form | own
    weights = exported / "export" / "model" / "model.safetensors"
    assert listed["model.safetensors"].sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert listed["README.md"].bytes == len("# Card\n")
    assert not [path for path in listed if "ledger" in path or "examples" in path]
    assert "org/Urdu" in str(files["space/app.py"])
    compile(str(files["space/app.py"]), "app.py", "exec")


def test_a_form_of_another_model_is_refused(exported: Path) -> None:
    store.write_json(exported / "export" / "bnb4" / "form.json", {"model_digest": "0"})
    with pytest.raises(DataError, match="bnb4: made of another merged model"):
        publish.gather_files(exported, "org/Urdu", "", "", "")


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("read by Sara Khan.", {"Sara Khan"}, "README.md: the name Sara Khan"),
        ("Sarai", {"Sara"}, ""),
        ("by Al", {"Al"}, ""),
        (f"key {KEY}", set(), "README.md: a key or token"),
        ("-----BEGIN RSA PRIVATE KEY-----", set(), "README.md: a key or token"),
        ("0123456789abcdef", set(), "README.md: a key or token"),
    ],
)
def test_names_and_keys_are_found(
    text: str, names: set[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "0123456789abcdef")
    found = publish.find_leaks({"README.md": text, "tokenizer.json": "Sara Khan"}, names)
    assert found == ([said] if said else [])
    assert not any(KEY in one for one in found)


@pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")  # huggingface_hub's own
def test_the_list_is_uploaded(files: dict[str, publish.Content], stand_in_hub: Hub) -> None:
    publish.upload_files(files, "org/Urdu")
    there = stand_in_hub.repositories["org/Urdu"]
    assert there.private
    found = {path: len(content) for path, content in there.files.items() if path != ".gitattributes"}
    assert found == {file.path: file.bytes for file in publish.list_files(files)}


def test_what_the_hub_refuses_is_a_sentence(stand_in_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AlifError, match="no name of a licence") as error:
        publish.upload_files({"README.md": "---\nlicense: no-such-licence\n---\n"}, "org/Urdu")
    assert "--licence" in error.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(AlifError, match="org/Other: the hub refuses the token") as error:
        publish.upload_files({"README.md": "x"}, "org/Other")
    assert "HF_TOKEN" in error.value.hint
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(AlifError, match="the hub cannot be reached"):
        publish.upload_files({"README.md": "x"}, "org/Other")
