"""The names of the tables' keys, old and new."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alif.language.pack_schema import RENAMED_KEYS, PackFile, TaskFile


def test_old_keys_are_gone_and_new_ones_exist() -> None:
    tables = {name: field.annotation for name, field in PackFile.model_fields.items()}
    for old, new in RENAMED_KEYS.items():
        table, _, key = new.rpartition(".")
        fields = TaskFile.model_fields if not table else _fields(tables[table])
        assert key in fields, new
        assert old.rpartition(".")[2] not in fields, old


def _fields(annotation: object) -> dict[str, object]:
    inner = getattr(annotation, "__args__", (annotation,))[0]
    return dict(inner.model_fields)


@pytest.mark.parametrize("parts", [{}, {"weight": 3, "share": 0.1}])
def test_a_task_has_a_weight_or_a_share(parts: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="a weight or a share"):
        TaskFile.model_validate({"title": "t", "native_title": "t", **parts})
