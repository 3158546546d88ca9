"""Plans: what is none is told, what judges read names nobody, power is said before the start."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from alif.desk.campaigns.campaign_plan import CampaignPlan, measure_power, parse_plan, read_plan
from alif.errors import AlifError
from tests.desk.campaigns.made_campaign import write_plan


def make(**more: object) -> CampaignPlan:
    kept = {"kind": "audit", "name": "x", "title": "عنوان", "sources": ["a-1", "b-1"], "n": 1000}
    return CampaignPlan.model_validate(kept | more)


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    path = write_plan(tmp_path)
    plan, text, digest = read_plan(path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert plan == parse_plan(text)
    assert plan.contrasts == [(name,) for name in plan.sources]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"title": "zebra-teacher کے جواب"}, "names zebra-teacher"),
        ({"title": "چیٹ جی پی ٹی کی جانچ"}, "names a model"),
        ({"rubric": "Compare GPT-4o with the others"}, "rubric: judges read this"),
        ({"sources": ["a", "a"]}, "named twice"),
        ({"sources": ["a"]}, "sources: "),
        ({"name": "../../etc"}, "name: "),
        ({"name": "a/b"}, "name: "),
        ({"kind": "arena"}, "kind: "),
        ({"n": 0}, "n: "),
        ({"bar": 1}, "bar: "),
        ({"nonsense": 1}, "nonsense: "),
        ({"usd_per_row": 3}, "usd_per_row: "),
    ],
)
def test_a_plan_that_is_none_or_names_a_source_is_refused(
    tmp_path: Path, more: dict[str, object], told: str
) -> None:
    with pytest.raises(AlifError, match=told):
        read_plan(write_plan(tmp_path, **more))


def test_text_that_is_no_toml_is_told() -> None:
    with pytest.raises(AlifError, match="plan: "):
        parse_plan("kind = ")


def test_power_of_an_audit_is_that_of_the_notes() -> None:
    """80 % acceptance: n=300 gives 75 to 84 %; 1,000 rows a teacher show differences of 5 points."""
    power = measure_power(make(n=300, bar=0.8))
    assert power.expected == pytest.approx((0.751, 0.842), abs=1e-3)
    assert measure_power(make(n=1000, k=1)).detectable == pytest.approx(0.05, abs=2e-3)
    assert measure_power(make(n=150, k=2, sources=["a", "b", "c"])).judgements == 900
    assert measure_power(make(n=150, k=2, sources=["a", "b", "c"])).hours == 11.0


def test_power_of_a_comparison_is_that_of_the_notes() -> None:
    """60:40 needs about 200 decisive votes, 55:45 about 800."""
    power = measure_power(make(kind="ab", n=200))
    assert dict(power.shares)[0.6] == pytest.approx(0.79, abs=5e-3)
    assert 0.6 <= power.detectable <= 0.61
    assert measure_power(make(kind="ab", n=200, sources=["a", "b", "c"])).judgements == 1200


def test_the_digest_is_what_sha256sum_prints(tmp_path: Path) -> None:
    path = write_plan(tmp_path)
    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert printed.startswith(read_plan(path)[2])
