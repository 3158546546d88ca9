"""What a step's result depends on: settings, contents of declared files, fingerprints of earlier steps.

Where the identity of a finished step differs from what the recipe asks now, that is drift: it is named, never
repaired silently.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from alif import recipe as recipes
from alif import store
from alif.errors import AlifError, DriftError
from alif.runs import manifest
from alif.runs.folder import FORMAT, Run
from alif.runs.step import Step
from alif.settings import Recipe

__all__ = ["describe_drift", "fingerprint_of", "identity_of", "is_current", "predict_fingerprints"]

Identity = Mapping[str, JsonValue]


def identity_of(
    step: Step,
    recipe: Recipe,
    run: Run,
    predicted: Mapping[str, str] | None = None,
    digest: Callable[[Path], str] = store.sha256_tree,
) -> dict[str, JsonValue]:
    """Return what the result of `step` depends on, as flat keys: settings, `file:LABEL`, `need:STEP`.

    `predicted` has the fingerprints of earlier steps where these are not done yet.
    """
    if not step.enabled(recipe):
        return {"step": "off"}
    found: dict[str, JsonValue] = {}
    for table in step.settings:
        found |= recipes.identity_settings(table, getattr(recipe, table))
    for label, path in sorted(step.paths(recipe, run.root).items()):
        found[f"file:{label}"] = digest(path)
    for earlier in step.inputs:
        if not earlier.enabled(recipe):
            continue
        record = run.record(earlier.name)
        if record is None and not predicted:
            raise AlifError(
                f"{run.root}: {step.name} needs {earlier.name}", f"alif run {run.name} --until {step.name}"
            )
        found[f"need:{earlier.name}"] = record.fingerprint if record else (predicted or {})[earlier.name]
    return found


def predict_fingerprints(
    steps: Sequence[Step], recipe: Recipe, run: Run, digest: Callable[[Path], str] = store.sha256_tree
) -> dict[str, str]:
    """Return the fingerprint that each of `steps` has or will have, in their order; nothing is done."""
    found: dict[str, str] = {}
    for step in steps:
        record = run.record(step.name)
        found[step.name] = (
            record.fingerprint if record else fingerprint_of(identity_of(step, recipe, run, found, digest))
        )
    return found


def fingerprint_of(identity: Identity) -> str:
    """Return a SHA-256 of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def describe_drift(old: Identity, new: Identity) -> str:
    """Return the first difference of two identities as a phrase: `pool.threshold = 0.7, now 0.8`."""

    def as_toml(value: JsonValue) -> str:
        return "nothing" if value is None else json.dumps(value, ensure_ascii=False)

    for key in sorted(old.keys() | new.keys(), key=lambda key: (key.startswith("need:"), key)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        kind, _, label = key.partition(":")
        if "step" in {*old, *new}:
            return f"this step {'off, now on' if 'step' in old else 'on, now off'}"
        if kind in ("file", "need"):
            another = "another content of" if kind == "file" else "another"
            return f"{another} {label}" if before and after else f"{'no ' if before is None else ''}{label}"
        return f"{key} = {as_toml(before)}, now {as_toml(after)}"
    return ""


def is_current(step: Step, recipe: Recipe, run: Run) -> bool:
    """Tell whether `step` is done, and done with what the recipe says now.

    Raises:
        DriftError: it was done with something else, by an older version, or a file of it has another size
            now.
    """
    record = run.record(step.name)
    if record is None:
        return False
    folder = run.folder(step.name)
    again = "Give the run another name, or remove that folder to build it again."
    if record.format != FORMAT:
        raise DriftError(
            f"{folder} was built by another version of alif (format {record.format}, now {FORMAT})", again
        )
    manifest.verify(folder, record.files, content=False)
    if any(run.record(earlier.name) is None for earlier in step.inputs):
        return True  # an earlier folder was removed to be built again; compared once that is there
    if changed := describe_drift(record.identity, identity_of(step, recipe, run)):
        raise DriftError(f"{folder} was built with {changed}", again)
    return True
