"""Seeds in the browser: a form that comes back with its reason, another's seed to approve, a live score."""

from __future__ import annotations

import json

from tests.desk.conftest import HOSTILE, Site
from tests.desk.test_seed_writing import NEW


def test_a_seed_is_handed_in_by_one_and_approved_by_another(site: Site) -> None:
    author, other = site.person("آمنہ"), site.person("زید")
    hostile = {**NEW, "output": HOSTILE}
    status, page, _ = author.post("/seeds", **{**hostile, "instruction": " "})
    assert (status, HOSTILE in page, "&lt;script&gt;" in page) == (422, False, True)
    assert author.post("/seeds", **hostile)[0] == 303
    assert author.post("/seeds", **hostile)[0] == 409
    (seed,) = site.office.seeds.list_seeds()
    assert f"/seeds/{seed.id}" not in author.get("/seeds")[1]
    page = other.get("/seeds")[1]
    assert f'action="/seeds/{seed.id}"' in page
    assert HOSTILE not in page
    assert author.post(f"/seeds/{seed.id}", decision="approve")[0] == 403
    assert other.post(f"/seeds/{seed.id}", decision="maybe")[0] == 400
    assert other.post(f"/seeds/{seed.id}", decision="approve", note=HOSTILE)[0] == 303
    assert HOSTILE not in author.get("/seeds")[1]
    assert json.loads(site.office.seeds.path_of("").read_text(encoding="utf-8"))["output"] == HOSTILE


def test_the_score_is_live_and_strangers_and_judges_get_none(site: Site) -> None:
    author = site.person("آمنہ")
    seed = site.office.seeds._seeds[0]
    status, answer = author.call("seeds/check", task=seed.task, instruction=seed.instruction, output="")
    assert (status, answer["nearest"]["similarity"], answer["too_near"]) == (200, 1.0, True)
    status, answer = author.call("seeds/check", task="qa", instruction="", output="2 + 2 = 5")
    assert (status, answer["nearest"], answer["flags"][0]["kind"]) == (200, None, "sum")
    assert author.call("seeds/check", task="none")[0] == 400
    assert author.call("seeds/check", task="qa", instruction=["x"])[0] == 200
    assert site.browser().call("seeds/check", task="qa")[0] == 401
    assert site.person("منصف", "judge").call("seeds/check", task="qa")[0] == 403
