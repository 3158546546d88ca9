"""What every answer of the desk needs: tables, the run's files, texts in each language, templates."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from alif.data.synthesis.seeds import read_seeds
from alif.desk.database import ROLES, Database
from alif.desk.exchange import Exchange
from alif.desk.reading_checks import ReadingChecks
from alif.desk.seed_writing import SeedDesk
from alif.language.pack import Pack, load_pack
from alif.review.verdicts import REASONS, verdicts_path
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["Office", "cookie_name", "open_office", "read_texts"]

HERE = Path(__file__).parent
Texts = Mapping[str, Mapping[str, str]]
"""What the pages say in one language."""


@dataclass(frozen=True)
class Office:
    """The desk of one run."""

    run: str
    db: Database
    exchange: Exchange
    packs: Mapping[str, Pack | None]
    pack: Pack
    """The language that is read and written."""
    checks: ReadingChecks
    seeds: SeedDesk
    texts: Mapping[str, Texts]
    language: str
    """Of the pages, where a browser has not chosen."""
    cookie: str
    is_insecure: bool
    """Whether pages travel in the clear beyond this machine."""
    folder: Run
    recipe: Recipe
    """As it was when the desk was opened; before the run has begun, what it may begin with."""
    reasons: tuple[str, ...] = REASONS
    roles: tuple[str, ...] = ROLES
    templates: jinja2.Environment = field(
        default_factory=lambda: jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
    )


def open_office(run: Run, recipe: Recipe, database: str = "", *, is_insecure: bool = False) -> Office:
    """Open the desk's tables, in SQLite in the run's folder unless an address is given.

    Raises:
        AlifError: the database cannot be opened, or the pack cannot be read.
    """
    packs = {pack.code: pack for pack in map(load_pack, (recipe.language.source, recipe.language.pack))}
    texts = read_texts(HERE / "texts")
    languages = [*(code for code in reversed(packs) if code in texts), *texts]
    pack = load_pack(recipe.language.pack)
    seeds = list(read_seeds(pack))
    db = Database(database) if database else Database.at(run.root / "desk.sqlite")
    verdicts = verdicts_path(recipe.review, run.root)
    exchange = Exchange(db, run.requests("review"), verdicts, recipe.review.reviewers, packs)
    try:
        exchange.open()
    except BaseException:
        db.close()
        raise
    checks, seed_desk = ReadingChecks(db, pack, seeds), SeedDesk(db, pack, recipe.pool, seeds, run.root)
    return Office(
        run.name, db, exchange, packs, pack, checks, seed_desk, texts, languages[0], cookie_name(run.root),
        is_insecure, run, recipe,
    )  # fmt: skip


def read_texts(folder: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Return what the pages say by language: LANGUAGE.toml, with LANGUAGE/FEATURE.toml beside it."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for path in sorted(folder.rglob("*.toml")):
        texts = found.setdefault(path.stem if path.parent == folder else path.parent.name, {})
        for table, values in tomllib.loads(path.read_text("utf-8")).items():
            texts.setdefault(table, {}).update(values)
    return found


def cookie_name(root: Path) -> str:
    """Return the name of the session's cookie: a browser keeps those of all ports of a host together."""
    return f"desk_{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]}"
