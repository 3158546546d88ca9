// One card of a blind campaign: an answer to grade, a pair to choose from, or a source to guess. Keys are places
// (event.code). A judgement waits in an outbox that outlives the connection and is stored once.

import {call, el, marked, newKey} from "./marked.mjs";

const page = JSON.parse(document.getElementById("texts").textContent);
const t = page.judging, words = page.review;
const $ = id => document.getElementById(id);
const OUTBOX = `ballots:${page.person}:${page.campaign}`, RETRY_MS = 2000, PREVIEW_MS = 120;
const SIDES = {ArrowLeft: "left", ArrowRight: "right", ArrowDown: "equal", ArrowUp: "bad"};
const GRADES = {KeyA: "accept", KeyS: "minor", KeyD: "major", KeyF: "unusable"};
const ASPECTS = {KeyZ: "language", KeyX: "culture", KeyC: "fact"};
const RATINGS = ["5", "4", "3", "2", "1", "none"];

let cards = [], card = null, since = 0, last = null, sending = null, counts = {given: 0, left: 0}, previewTimer = 0, previewed = 0, guessed = false;

const ask = (name, body) => call(`/api/judging/${page.campaign}/${name}`, body);
const outbox = () => JSON.parse(localStorage.getItem(OUTBOX) ?? "[]");
const keep = list => { localStorage.setItem(OUTBOX, JSON.stringify(list)); showCounts(); };
const say = text => { $("said").textContent = text; };
const checked = name => [...document.querySelectorAll(`[name=${name}]:checked`)].map(box => box.value);

function showCounts() {
  const waiting = outbox().length;
  $("unsent").textContent = waiting ? `${words.unsent} ${waiting}` : "";
  $("count").textContent = `${words.given} ${counts.given} · ${words.left} ${counts.left}`;
}

function field(one) {
  return [el("h2", {className: "chrome", textContent: page.fields[one.name]}), marked(one.view, card.language, words)];
}
function answer(one, place) {
  const sides = card.kind === "pair" ? [t.side_left, t.side_right] : [page.fields.output];
  const asked = card.asked.length > 1 ? card.asked[place].flatMap(field) : [];
  return el("section", {className: "card", dir: document.dir}, ...asked, el("h2", {className: "chrome", textContent: sides[place]}), marked(one.view, card.language, words));
}
function show(next, text) {
  card = next;
  for (const box of document.querySelectorAll("aside input")) box.checked = false;
  if ($("note")) $("note").value = "";
  $("editor").hidden = true; $("editor").querySelector("textarea").value = "";
  $("asked").replaceChildren(); $("answers").replaceChildren(); $("names").replaceChildren();
  guessed ||= card?.kind === "guess";
  document.body.dataset.card = card?.kind ?? (guessed ? "over" : "none");
  if (!card) { $("title").textContent = text ?? (guessed ? t.over : t.nothing_left); showCounts(); return; }
  $("title").textContent = card.kind === "guess" ? t.guess : card.task;
  if (card.asked.length === 1) $("asked").append(...card.asked[0].flatMap(field));
  $("answers").append(...card.answers.map(answer));
  (card.names ?? []).forEach((name, place) => {
    const button = el("button", {type: "button"}, el("bdi", {textContent: name}), el("kbd", {textContent: place + 1}));
    button.addEventListener("click", () => judge({source: name}));
    $("names").append(button);
  });
  const draft = localStorage.getItem(`draft:${card.ballot}`);
  if (draft) edit(draft);
  since = performance.now();
  showCounts();
  $("title").focus({preventScroll: true});
  scrollTo(0, 0);
}

function edit(text) {
  if (card?.kind !== "answer") return;
  const box = $("editor").querySelector("textarea");
  Object.assign(box, {value: text ?? card.answers[0].text, lang: card.language, dir: card.dir});
  $("editor").hidden = false;
  preview();
  if (text === undefined) box.focus();
}
async function preview() {
  const number = ++previewed, shown = card;
  try {
    const {status, answer} = await ask("preview", {ballot: card.ballot, text: $("editor").querySelector("textarea").value});
    if (status !== 200 || number !== previewed || shown !== card) return;
    $("view").replaceChildren(marked(answer.view, card.language, words));
    $("changes").replaceChildren(marked(answer.changes, card.language, words));
  } catch { say(words.offline); }
}

function judge(said) {
  if (!card) return;
  if (card.kind === "answer") {
    const ratings = Object.fromEntries(Object.values(ASPECTS).flatMap(name => checked(`rate-${name}`).map(value => [name, value === "none" ? null : Number(value)])));
    if (Object.keys(ratings).length < 3) { say(page.told.needs_ratings); document.querySelector("[name^=rate-]").focus(); return; }
    const text = $("editor").hidden ? "" : $("editor").querySelector("textarea").value;
    Object.assign(said, {ratings, flags: checked("flag"), edit: text === card.answers[0].text ? "" : text});
  }
  const sent = {key: newKey(), ballot: card.ballot, ...said, note: $("note").value, dwell_ms: Math.round(performance.now() - since)};
  last = {card, key: sent.key};
  clearTimeout(previewTimer);
  keep([...outbox(), sent]);
  say(t.stored);
  show(cards.shift() ?? null, words.loading);
  flush();
}

async function fill() {  // what the server says is ours; cards whose judgement is on its way are left out
  const {status, answer} = await ask("claim", {});
  if (status === 409) { cards = []; show(null, answer.told); return; }
  if (status !== 200) throw new Error(status);
  counts = {given: answer.given, left: answer.left};
  const judged = new Set(outbox().map(one => one.ballot));
  cards = answer.cards.filter(one => !judged.has(one.ballot) && one.ballot !== card?.ballot);
  if (card) showCounts(); else show(cards.shift() ?? null);
}
async function flush() {
  sending ??= (async () => {
    try {
      do {
        for (let one; (one = outbox()[0]);) {
          const {status, answer} = await ask(one.later ? "later" : "judgement", one);
          if (status === 401 || status === 429 || status >= 500) throw new Error(status);
          keep(outbox().filter(other => other.key !== one.key));
          if (status === 200) localStorage.removeItem(`draft:${one.ballot}`); else say(answer.told ?? status);
        }
        await fill();
      } while (outbox().length);
    } catch (error) { say(error.message === "401" ? words.log_in : words.offline); setTimeout(flush, RETRY_MS); }
    finally { sending = null; }
  })();
  return sending;
}

async function undo() {
  await sending;
  const waiting = outbox(), unsent = last && waiting.at(-1)?.key === last.key;
  try {
    if (unsent) keep(waiting.slice(0, -1));
    const {status, answer} = unsent ? {status: 200, answer: {cards: [last.card]}} : await ask("undo", {key: newKey()});
    if (status !== 200) { say(answer.told); return; }
    if (card) cards.unshift(card);
    show(answer.cards[0]); say(words.undone);
  } catch { say(words.offline); }
}
function later() {
  if (!card || card.kind === "guess") return;
  keep([...outbox(), {key: newKey(), ballot: card.ballot, later: true}]);
  show(cards.shift() ?? null, words.loading);
  flush();
}
async function finish() {
  await flush();
  const {status, answer} = await ask("finish", {}).catch(() => ({status: 0, answer: {told: words.offline}}));
  if (status === 200) { cards = []; show(null, words.loading); flush(); } else say(answer.told);
}
function rate(name) {
  const at = RATINGS.indexOf(checked(`rate-${name}`)[0]);
  document.querySelector(`[name=rate-${name}][value="${RATINGS[(at + 1) % RATINGS.length]}"]`).checked = true;
}

const acts = {undo, later, finish, edit: () => edit()};
document.addEventListener("keydown", e => {
  if (e.isComposing) return;
  if (e.target.matches("textarea")) {
    if (e.code === "Escape") { e.target.blur(); e.preventDefault(); }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(e.code)?.[1];
  const act = !card ? null : card.kind === "guess" ? digit && $("names").children[digit - 1] && (() => judge({source: card.names[digit - 1]}))
    : card.kind === "pair" ? SIDES[e.code] && (() => judge({side: SIDES[e.code]}))
    : GRADES[e.code] ? () => judge({grade: GRADES[e.code]})
    : ASPECTS[e.code] ? () => rate(ASPECTS[e.code])
    : digit ? () => { const box = document.querySelectorAll("[name=flag]")[digit - 1]; if (box) box.checked = !box.checked; } : null;
  const shared = {KeyE: acts.edit, KeyU: undo, KeyL: later, KeyN: () => $("note").focus(), KeyG: () => $("rubric")?.toggleAttribute("open")}[e.code];
  if (act || shared) { e.preventDefault(); (act || shared)(); }
});
for (const button of document.querySelectorAll("[data-judge]")) button.addEventListener("click", () => judge(JSON.parse(button.dataset.judge)));
for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());
$("editor").querySelector("textarea").addEventListener("input", e => {
  if (!card) return;
  localStorage.setItem(`draft:${card.ballot}`, e.target.value);
  clearTimeout(previewTimer); previewTimer = setTimeout(preview, PREVIEW_MS);
});
addEventListener("online", flush);
await flush();
