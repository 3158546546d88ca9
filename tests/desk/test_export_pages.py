"""Files in the browser: for leads, of no other place, of a bounded size."""

from __future__ import annotations

import json

from tests.desk.conftest import HOSTILE, ROWS, Site
from tests.desk.test_review_files import potato

SHAPES = ("plain", "edits", "argilla", "label-studio", "potato", "events")


def test_exports_are_for_leads_and_named_after_their_shape(site: Site) -> None:
    lead, reader = site.person("نگران", "lead"), site.person("آمنہ")
    for shape in SHAPES:
        status, text, headers = lead.get(f"/export/{shape}.jsonl")
        assert (status, headers["content-type"]) == (200, "application/jsonl")
        assert all(json.loads(line) for line in text.splitlines())
        assert headers["content-disposition"].startswith("attachment; filename=")
        assert reader.get(f"/export/{shape}.jsonl")[0] == 403
    assert all(f'href="/export/{shape}.jsonl"' in lead.get("/files")[1] for shape in SHAPES)


def test_no_other_file_is_exported_and_none_is_written(site: Site) -> None:
    lead = site.person("نگران", "lead")
    site.office.exchange.verdicts.write_text("secret")
    outside = (
        "../run/verdicts",
        "..%2frun%2fverdicts",
        "%2e%2e%2fverdicts",
        "verdicts",
        "plain%00",
        "",
        "/etc/x",
    )
    for name in outside:
        status, text, _ = lead.get(f"/export/{name}.jsonl")
        assert status in (400, 404), name
        assert "secret" not in text
        assert lead.call(f"import/{name}", lines=potato(ROWS[0].id, "x"))[0] in (400, 404)


def test_verdicts_come_in_by_parts_and_what_is_too_large_is_refused(site: Site) -> None:
    lead = site.person("نگران", "lead")
    status, answer = lead.call("import/potato", lines=potato(ROWS[0].id, "x"), first=7)
    assert (status, answer) == (200, {"stored": 1, "left": 0})
    status, answer = lead.call("import/potato", lines=HOSTILE, first=7)
    assert (status, answer["error"], answer["hint"][:2]) == (422, "import_line", "7:")
    assert lead.call("import/potato", lines="x" * 1_000_001)[0] == 413
    for body in ({}, {"lines": 3}, {"lines": "", "first": "x"}):
        assert lead.call("import/potato", **body)[0] == 400
    assert lead.call("import/plain", lines="")[0] == 400
    assert site.person("آمنہ").call("import/potato", lines="")[0] == 403
    (site.office.exchange.requests.parent / "review").mkdir()
    (site.office.exchange.requests.parent / "review" / "step.json").write_text("{}")
    assert lead.call("import/potato", lines=potato(ROWS[1].id, "x"))[1]["error"] == "frozen"
