// A file of verdicts goes to the server in parts of whole lines; each part is stored as a whole or not at all.

import {call} from "./marked.mjs";

const t = JSON.parse(document.getElementById("texts").textContent);
const $ = id => document.getElementById(id);
const MOST = 20_000;  // characters of a part: reviewers wait while one is stored

async function takeIn(shape, file) {
  const lines = (await file.text()).split("\n");
  let stored = 0, left = 0;
  for (let at = 0; at < lines.length;) {
    const first = at;
    for (let size = 0; at < lines.length && (at === first || size + lines[at].length < MOST); at++) size += lines[at].length;
    $("taken").textContent = `${at} / ${lines.length}`;
    const {status, answer} = await call(`/api/import/${shape}`, {lines: lines.slice(first, at).join("\n"), first: first + 1});
    if (status !== 200) { $("taken").textContent = `${answer.told ?? status} ${answer.hint ?? ""}`; return; }
    stored += answer.stored; left += answer.left;
  }
  $("taken").textContent = `${t.stored} ${stored} · ${t.left} ${left}`;
}

$("import").addEventListener("submit", e => {
  e.preventDefault();
  const form = new FormData(e.target);
  takeIn(form.get("shape"), form.get("file")).catch(() => { $("taken").textContent = t.offline; });
});
