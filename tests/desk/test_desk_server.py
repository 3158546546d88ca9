"""The address: this machine's at once, another only with TLS or a flag that says what it means."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.desk.desk_server import serve_desk
from alif.errors import AlifError
from alif.recipe import load_recipe
from alif.runs import Run
from tests.desk.conftest import ROWS


def refused(tmp_path: Path, **options: Any) -> str:
    recipe = load_recipe(Path(__file__).parents[2] / "alif/recipes/demo.toml", ())
    with pytest.raises(AlifError) as error:
        serve_desk(Run(tmp_path), recipe, lambda facts: None, **options)
    return str(error.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "desk.example"])
def test_beyond_this_machine_passwords_do_not_travel_in_the_clear(tmp_path: Path, host: str) -> None:
    assert "--insecure-lan" in refused(tmp_path, host=host)


def test_tls_needs_both_files(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("x")
    assert "certificate and its key" in refused(tmp_path, key=tmp_path / "key.pem")
    both = {"key": tmp_path / "key.pem", "certificate": tmp_path / "none.pem"}
    assert "none.pem: no such file" in refused(tmp_path, host="0.0.0.0", **both)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "review_requests.jsonl", ROWS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "in use" in refused(tmp_path, port=taken.getsockname()[1])
