// The review card: claimed rows in a buffer, decisions by one key, an outbox that outlives the connection.
// A decision gets its key here, once; it is sent until the server has answered, so it is stored once or refused aloud.
// Texts reach the page as text nodes only. Keys are places (event.code): on an Urdu layout the A key gives ا.

import {call, el, marked as markedText, newKey} from "./marked.mjs";

const texts = JSON.parse(document.getElementById("texts").textContent);
const t = texts.review;
const $ = id => document.getElementById(id);
const OUTBOX = `outbox:${texts.person}`, RETRY_MS = 2000, DRAFT_MS = 5000, PREVIEW_MS = 120;

let cards = [], card = null, work = null, since = 0, last = null, draftTimer = 0, previewTimer = 0, previewed = 0;
let sending = null, counts = {given: 0, left: 0}, waits = false, told = false;  // told: the known answer is being read

const outbox = () => JSON.parse(localStorage.getItem(OUTBOX) ?? "[]");
const keep = list => { localStorage.setItem(OUTBOX, JSON.stringify(list)); showCounts(); };
const marked = (paragraphs, language) => markedText(paragraphs, language, t);
const say = text => { $("said").textContent = text; };
function showCounts() {
  const waiting = outbox().length;
  $("unsent").textContent = waiting ? `${t.unsent} ${waiting}` : "";
  $("count").textContent = `${t.given} ${counts.given} · ${t.left} ${counts.left}`;
}

function show(next, text) {
  card = next;
  work = null;
  const row = $("row");
  row.replaceChildren(); $("flags").replaceChildren(); $("editor").hidden = true;
  $("note").value = ""; $("known").hidden = true; told = false;
  for (const box of document.querySelectorAll("[name=reason]")) box.checked = false;
  $("stage").textContent = {calibration: t.practice, norming: t.norming}[card?.kind] ?? "";
  blur(Boolean(card?.sensitive));
  if (!card) { $("title").textContent = text ?? (waits ? t.waits : t.nothing_left); showCounts(); return; }
  $("title").textContent = card.task;
  for (const flag of card.flags) $("flags").append(el("li", {}, `${texts.flags[flag.kind]} `, el("bdi", {className: "n", dir: "ltr", textContent: flag.what})));
  for (const turn of card.turns) row.append(el("h2", {className: "chrome", textContent: texts.roles[turn.role]}), marked(turn.view, card.language));
  for (const field of card.fields) row.append(el("h2", {className: "chrome", textContent: texts.fields[field.name]}), marked(field.view, card.language));
  const draft = JSON.parse(localStorage.getItem(`draft:${card.slot}`) ?? "null") ?? card.draft;
  if (draft?.note) $("note").value = draft.note;
  if (draft?.texts && Object.keys(draft.texts).length) { blur(false); edit(draft.texts); }
  since = performance.now();
  showCounts();
  $("title").focus({preventScroll: true});
  scrollTo(0, 0);
}

function blur(on) { $("row").classList.toggle("blurred", on); $("row").inert = on; $("blurred").hidden = !on; }
function isReady() {  // whether the row is there to be read and worked on
  if (!$("blurred").hidden) say(t.blurred);
  return card && !told && $("blurred").hidden;
}
function showKnown(known) {  // stays until the next row is asked for
  told = true;
  const same = last?.decision === known.decision;
  $("known").replaceChildren(
    el("p", {}, el("b", {textContent: `${t.known} ${texts.decisions[known.decision]}`}), known.reasons.map(one => ` · ${texts.reasons[one]}`).join(""), same ? ` · ${t.right}` : ""),
    marked(known.view, card.language),
    el("button", {type: "button", className: "ok", textContent: t.next, onclick: nextCard}));
  $("known").hidden = false; $("known").focus();
}
function nextCard() { show(cards.shift() ?? null, sending ? t.loading : undefined); }

function edit(changed) {
  work = Object.fromEntries(card.fields.map(field => [field.name, changed?.[field.name] ?? field.text]));
  $("boxes").replaceChildren(...card.fields.map(field => {
    const box = el("textarea", {value: work[field.name], lang: card.language, dir: card.dir, spellcheck: false, name: field.name});
    box.addEventListener("input", () => { work[field.name] = box.value; changedText(); });
    return el("label", {}, el("span", {className: "chrome", textContent: texts.fields[field.name]}), box);
  }));
  $("editor").hidden = false;
  $("view").replaceChildren(); $("changes").replaceChildren();
  preview();
}
function changedTexts() {
  return Object.fromEntries(card.fields.filter(field => work && work[field.name] !== field.text).map(field => [field.name, work[field.name]]));
}
function changedText() {
  localStorage.setItem(`draft:${card.slot}`, JSON.stringify({texts: changedTexts(), note: $("note").value}));
  clearTimeout(previewTimer); previewTimer = setTimeout(preview, PREVIEW_MS);
  draftTimer ||= setTimeout(saveDraft, DRAFT_MS);
}
async function saveDraft() {
  draftTimer = 0;
  if (card) await call("/api/draft", {slot: card.slot, texts: changedTexts(), note: $("note").value}).catch(() => {});
}
async function preview() {
  const shown = card, number = ++previewed;
  try {
    const {status, answer} = await call("/api/preview", {slot: shown.slot, texts: work});
    if (status !== 200 || number !== previewed || shown !== card || !work) return;
    $("view").replaceChildren(...Object.values(answer).map(one => marked(one.view, shown.language)));
    $("changes").replaceChildren(...Object.values(answer).map(one => marked(one.changes, shown.language)));
  } catch { say(t.offline); }
}

async function fill() {  // the buffer, with what the server says is ours; rows whose decision is on its way are left out
  const {status, answer} = await call("/api/claim", {});
  if (status !== 200) throw new Error(status);
  counts = {given: answer.given, left: answer.left}; waits = answer.waits;
  const decided = new Set(outbox().map(one => one.slot));
  cards = answer.cards.filter(one => !decided.has(one.slot) && one.slot !== card?.slot);
  if (card) showCounts(); else show(cards.shift() ?? null);
}

function decide(decision) {
  if (!card) return;
  if (told) { nextCard(); return; }
  if (card.kind === "calibration" && last?.card === card) return;  // decided: the known answer is on its way
  if (decision !== "skip" && !isReady()) return;
  const changed = changedTexts(), reasons = [...document.querySelectorAll("[name=reason]:checked")].map(box => box.value);
  if (decision === "approve" && Object.keys(changed).length) decision = "edit";
  if (decision === "reject" && !reasons.length) { say(texts.told.needs_reason); document.querySelector("[name=reason]").focus(); return; }
  if (decision === "approve" && card.flags.some(flag => flag.kind === "hidden")) { say(texts.told.hidden_left); return; }
  const sent = {key: newKey(), slot: card.slot, decision, reasons: decision === "reject" ? reasons : [], texts: decision === "edit" ? changed : {}, note: $("note").value, dwell_ms: Math.round(performance.now() - since)};
  clearTimeout(draftTimer); clearTimeout(previewTimer); draftTimer = 0;
  last = {card, key: sent.key, decision};
  keep([...outbox(), sent]);
  say(t.done[decision]);
  if (card.kind !== "calibration" || decision === "skip") show(cards.shift() ?? null, t.loading);
  flush();
}

async function flush() {  // one at a time; what is decided meanwhile is sent before it ends
  sending ??= (async () => {
    try {
      do {
        for (let one; (one = outbox()[0]);) {
          const {status, answer} = await call("/api/verdict", one);
          if (status === 401 || status === 429 || status >= 500) throw new Error(status);
          keep(outbox().filter(other => other.key !== one.key));
          if (status === 200) localStorage.removeItem(`draft:${one.slot}`);
          if (answer.known && card?.slot === one.slot) showKnown(answer.known);
          if (status !== 200 && last?.key === one.key) last = null;
          if (status !== 200) say(`${answer.told ?? status} ${answer.hint ?? ""}`);
        }
        await fill();
      } while (outbox().length);
    } catch (error) { say(error.message === "401" ? t.log_in : t.offline); setTimeout(flush, RETRY_MS); }
    finally { sending = null; }
  })();
  return sending;
}

async function undo() {
  await sending;
  const waiting = outbox(), unsent = waiting.at(-1);
  if (unsent && last?.key === unsent.key) {
    keep(waiting.slice(0, -1));
    if (card && card !== last.card) cards.unshift(card);
    show(last.card); last = null; say(t.undone);
    return;
  }
  try {
    const {status, answer} = await call("/api/undo", {key: newKey()});
    if (status !== 200) { say(answer.told); return; }
    if (card) cards.unshift(card);
    show(answer.cards[0]); say(t.undone);
  } catch { say(t.offline); }
}

function toggleFace() {
  const naskh = document.body.classList.toggle("naskh");
  document.body.classList.toggle("nastaliq", !naskh);
  document.cookie = `face=${naskh ? "naskh" : "nastaliq"}; path=/; max-age=31536000; samesite=lax`;
}
function toggleRaw() {
  if (!isReady()) return;
  const raw = $("row").querySelectorAll(".raw");
  if (raw.length) { for (const one of raw) one.remove(); return; }
  $("row").append(...card.fields.map(field => el("pre", {className: "raw", textContent: field.text})));
}
const acts = {
  approve: () => decide("approve"), reject: () => decide("reject"), skip: () => decide("skip"), undo,
  edit: () => { if (isReady()) { if (!work) edit(); $("boxes").querySelector("[name=output]").focus(); } },
  fix: () => { if (isReady()) { const fixed = Object.fromEntries(card.fields.filter(field => field.fixed).map(field => [field.name, field.fixed])); if (Object.keys(fixed).length) { edit(fixed); changedText(); say(t.fixed); } else say(t.nothing_to_fix); } },
  drop: () => { if (isReady()) { localStorage.removeItem(`draft:${card.slot}`); card.draft = null; show(card); saveDraft(); } },
};
const keys = {KeyA: acts.approve, KeyE: acts.edit, KeyR: acts.reject, KeyN: acts.fix, KeyX: acts.drop, KeyS: acts.skip, KeyU: undo, KeyF: toggleFace, KeyM: toggleRaw, KeyV: () => blur(false), KeyC: () => $("note").focus(), KeyG: () => open("/guide", "_blank", "noopener")};

document.addEventListener("keydown", e => {
  if (e.isComposing) return;
  if (e.target.matches("textarea")) {
    if (e.code === "Escape") { e.target.blur(); e.preventDefault(); }
    if (e.code === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); if (e.target.id !== "note") { e.target.blur(); decide("approve"); } else e.target.blur(); }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
  const reason = /^(?:Digit|Numpad)([1-9])$/.exec(e.code);
  const box = reason && document.querySelectorAll("[name=reason]")[reason[1] - 1];
  if (box) { box.checked = !box.checked; e.preventDefault(); return; }
  if (keys[e.code]) { e.preventDefault(); keys[e.code](); }
});
$("unblur").addEventListener("click", () => { blur(false); $("title").focus(); });
for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => { acts[button.dataset.act](); });
$("note").addEventListener("input", () => { if (card) changedText(); });
addEventListener("online", flush);
await flush();
