"""The ways Alif can fail on purpose.

An `AlifError` is for people: what went wrong, where (path:line or recipe key), and what to do. The command
line prints it as two lines and exits with its code. Anything else that escapes is a bug and shows its
traceback.

    AlifError                  exit 1, the user can mend it
    ├── RecipeError            a wrong key or value in a recipe
    ├── PackError              a language pack that cannot be used
    ├── DataError              an input file that cannot be read
    ├── DriftError             a finished step was built with other settings, or its files were changed
    ├── BusyError              another process works on the same run
    ├── ReplyError             a provider refuses for good: key, model, quota
    ├── ModelError             a base model, tokenizer or adapter that does not fit
    ├── ReviewError            verdicts that do not match the rows
    ├── MissingExtra           an optional dependency is not installed
    ├── Waiting                exit 3, the run waits for people
    └── BudgetError            exit 4, the money cap is reached
"""

from __future__ import annotations

__all__ = [
    "AlifError", "BudgetError", "BusyError", "DataError", "DriftError", "MissingExtra", "ModelError",
    "PackError", "RecipeError", "ReplyError", "ReviewError", "Waiting",
]  # fmt: skip


class AlifError(Exception):
    """Something that the user can mend: `message` says what and where, `hint` what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class RecipeError(AlifError):
    """A wrong key or value in a recipe."""


class PackError(AlifError):
    """A language pack that cannot be used."""


class DataError(AlifError):
    """An input file that cannot be read."""


class DriftError(AlifError):
    """A finished step was built with other settings than the recipe's, or its files were changed since."""


class BusyError(AlifError):
    """Another process works on the same run."""


class ReplyError(AlifError):
    """A provider refuses for good: a wrong key, an unknown model, an empty balance."""


class ModelError(AlifError):
    """A base model, tokenizer or adapter that does not fit."""


class ReviewError(AlifError):
    """Verdicts that do not match the rows under review."""


class MissingExtra(AlifError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        hint = f'In the checkout of Alif: pip install ".[{extra}]"'
        super().__init__(f"{what} needs the {extra} extra", hint)


class Waiting(AlifError):
    """The run waits for people; the same command goes on when they are done."""

    exit_code = 3


class BudgetError(AlifError):
    """The money cap is reached; nothing more is sent."""

    exit_code = 4
