// A seed while it is written: how it reads, what a machine notices, and the nearest seed with its similarity.

import {call, el, marked} from "./marked.mjs";

const texts = JSON.parse(document.getElementById("texts").textContent);
const $ = id => document.getElementById(id);
const form = $("seed"), CHECK_MS = 200;
let timer = 0, checked = 0;

async function check() {
  const number = ++checked;
  const {status, answer} = await call("/api/seeds/check", Object.fromEntries(new FormData(form))).catch(() => ({}));
  if (number !== checked) return;
  if (status !== 200) { $("score").textContent = answer?.told ?? texts.seeds.offline; return; }
  $("view").replaceChildren(...Object.values(answer.views).map(one => marked(one, texts.language, texts.review)));
  $("flags").replaceChildren(...answer.flags.map(flag => el("li", {}, `${texts.flags[flag.kind]} `, el("bdi", {className: "n", dir: "ltr", textContent: flag.what}))));
  const score = answer.nearest?.similarity ?? 0;
  $("meter").value = score;
  $("score").replaceChildren(el("bdi", {className: "n", dir: "ltr", textContent: `${score.toFixed(2)} / ${texts.threshold}`}), answer.too_near ? ` ${texts.seeds.too_near}` : "");
  $("score").className = answer.too_near ? "told" : "muted";
  $("nearest").replaceChildren(...(answer.nearest ? [marked(answer.nearest.view, texts.language, texts.review)] : []));
}
form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, CHECK_MS); });
form.addEventListener("keydown", e => { if (e.code === "Enter" && (e.ctrlKey || e.metaKey)) form.requestSubmit(); });
await check();
