"""Errors for people: what and where, what to do, and an exit code."""

from __future__ import annotations

from alif import errors

EXIT_CODES = {"AlifError": 1, "Waiting": 3, "BudgetError": 4, "RecipeError": 1}


def test_the_tree_of_errors_has_its_exit_codes() -> None:
    for name, code in EXIT_CODES.items():
        assert getattr(errors, name).exit_code == code
    assert all(issubclass(getattr(errors, name), errors.AlifError) for name in errors.__all__)


def test_an_error_is_its_message_and_below_it_what_to_do() -> None:
    assert str(errors.DataError("rows.jsonl:3: not JSON", "Correct that line.")).splitlines() == [
        "rows.jsonl:3: not JSON",
        "Correct that line.",
    ]
    assert str(errors.DataError("rows.jsonl:3: not JSON")) == "rows.jsonl:3: not JSON"


def test_what_is_not_installed_is_named_with_its_extra() -> None:
    error = errors.MissingExtra("alif chat", "train")
    assert error.message == "alif chat needs the train extra"
    assert 'pip install ".[train]"' in error.hint
