"""The repository of a model on the Hub: which files it has, that none tells too much, and the upload.

    README.md  DATA.md  CITATION.cff               cards and citation
    config.json  model.safetensors  tokenizer…      the merged model
    gguf-q8_0/  adapter/  bnb4/                     other forms, each whole
    scores.jsonl                                    every score with its interval
    space/                                          a demo page, to be a Space of its own

The ledger, rows, verdicts and everything else of the run stay where they are: only what is listed here is
uploaded, and its texts are searched for names of people and for keys first.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from alif import store
from alif.errors import AlifError, DataError, MissingExtra
from alif.records import FrozenModel
from alif.release.space_folder import space_files

__all__ = ["PublishedFile", "find_leaks", "gather_files", "list_files", "upload_files"]

Content = Path | str
"""A file on the disk, or a text."""
SECRET = re.compile(
    r"\b(?:sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|AIza[\w-]{30,}|gh[pousr]_\w{30,}|xox[abp]-[\w-]{20,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
)
"""Keys of the providers, by their form."""
KEY_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
VOCABULARY = ("tokenizer.json", "vocab.json", "merges.txt")
"""Files that hold words of all kinds, names among them."""
TEXTS = (".md", ".json", ".jsonl", ".cff", ".py", ".txt", ".jinja", "")
SHORTEST_NAME, SHORTEST_KEY = 4, 12


class PublishedFile(FrozenModel):
    """A file as it would lie on the Hub."""

    path: str
    bytes: int
    sha256: str


def gather_files(root: Path, repository: str, card: str, data_card: str, citation: str) -> dict[str, Content]:
    """Return everything that is published of a run, by its path on the Hub.

    Raises:
        DataError: there is no exported model, or a form was made of another one.
    """
    model = root / "export" / "model"
    if not (model / "config.json").is_file():
        raise DataError(f"{model}: no model folder", f"alif export {root.name} writes it.")
    files: dict[str, Content] = {"README.md": card, "DATA.md": data_card, "CITATION.cff": citation}
    files |= {path.name: path for path in sorted(model.iterdir()) if path.name != "README.md"}
    weights = store.sha256_tree(*sorted(model.glob("*.safetensors")))
    for record in sorted((root / "export").glob("*/form.json")):
        if store.read_json(record)["model_digest"] != weights:
            raise DataError(
                f"{record.parent}: made of another merged model than {model}",
                f"Write it again (alif export {root.name} --to …), or remove that folder.",
            )
        inside = sorted(path for path in record.parent.rglob("*") if path.is_file())
        files |= {path.relative_to(root / "export").as_posix(): path for path in inside}
    if (scores := root / "evaluate" / "scores.jsonl").is_file():
        files["scores.jsonl"] = scores
    return files | {f"space/{name}": text for name, text in space_files(repository).items()}


def list_files(files: Mapping[str, Content]) -> Iterator[PublishedFile]:
    """Yield each file with size and SHA-256, in the order of paths."""
    for path, content in sorted(files.items()):
        if isinstance(content, str):
            data = content.encode()
            yield PublishedFile(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        else:
            with store.friendly_os_errors(content), content.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield PublishedFile(path=path, bytes=content.stat().st_size, sha256=digest)


def find_leaks(files: Mapping[str, Content], names: Collection[str]) -> list[str]:
    """Return in which files a person's name or a key stands, in a sentence each, without the key itself."""
    keys = {
        value for key, value in os.environ.items() if KEY_NAMES.search(key) and len(value) >= SHORTEST_KEY
    }
    people = {
        name: re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in names if len(name) >= SHORTEST_NAME
    }
    found = []
    for path, content in sorted(files.items()):
        if isinstance(content, Path) and content.suffix not in TEXTS:
            continue
        text = content if isinstance(content, str) else content.read_text(encoding="utf-8", errors="replace")
        if not path.endswith(VOCABULARY):
            found += [f"{path}: the name {name}" for name, word in people.items() if word.search(text)]
        if SECRET.search(text) or any(key in text for key in keys):
            found.append(f"{path}: a key or token")
    return found


def upload_files(files: Mapping[str, Content], repository: str, *, private: bool = True) -> str:
    """Create `repository` where it is not there, put the files there in one commit, return its address.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        AlifError: no token, one that is refused, or no connection.
    """
    try:
        hub: Any = import_module("huggingface_hub")  # an extra
        errors: Any = import_module("huggingface_hub.errors")
    except ImportError as error:
        raise MissingExtra("publishing", "export") from error
    import_module("huggingface_hub.utils").disable_progress_bars()
    api = hub.HfApi()
    operations = [
        hub.CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)
        for path, content in sorted(files.items())
    ]
    try:
        address = str(api.create_repo(repository, private=private, exist_ok=True))
        api.create_commit(repository, operations, commit_message="Published by Alif")
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise AlifError(
                f"{repository}: the hub refuses the token",
                "Set HF_TOKEN to a token with the right to write there.",
            ) from error
        raise AlifError(f"{repository}: the hub answers {status}", "Try again later.") from error
    except ValueError as error:  # the hub reads the card's front matter first
        told = " ".join(str(error).split())[:300]
        raise AlifError(f"{repository}: {told}", "Is --licence a name that the hub knows?") from error
    except (errors.HTTPError, OSError, RuntimeError) as error:  # one of a large file is the last
        raise AlifError(
            f"{repository}: the hub cannot be reached ({type(error).__name__})", "Check the connection."
        ) from error
    return address
