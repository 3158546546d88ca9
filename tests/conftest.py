"""Fixtures for all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import TOKEN, Hub, serving
from tests.test_demo import SHORT, finish

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that use it are marked `shared`."""
    if not SHARED.is_dir():
        pytest.skip("the real data of ../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished short demo."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = finish(folder, SHORT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def stand_in_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty stand-in of the Hugging Face Hub, which this process asks in its place."""
    constants = pytest.importorskip("huggingface_hub.constants")
    with serving() as found:
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", found.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", found.address + template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        if "transformers" in sys.modules:  # its client, made by an earlier test, knows the real hub's address
            monkeypatch.setattr("transformers.utils.hub._hf_api", None)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found
