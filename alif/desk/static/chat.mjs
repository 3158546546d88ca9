// The chat: a question goes into the line, its answer is looked at while it grows. The server marks every text;
// here it becomes text nodes, in a direction that was fixed before the first word.

import {call, el, marked} from "./marked.mjs";

const texts = JSON.parse(document.getElementById("texts").textContent);
const t = texts.chat;
const $ = id => document.getElementById(id);
const LOOK_MS = 300, OPEN = ["waiting", "writing"];
let turns = texts.turns, editing = null, timer = 0;
const say = text => { $("said").textContent = text; };
const button = (text, act, props = {}) => { const node = el("button", {type: "button", textContent: text, ...props}); node.addEventListener("click", act); return node; };

async function send(name, body) {  // what is refused is said; else the turns are shown as they are now
  try {
    const {status, answer} = await call(`/api/chat/${name}`, {chat: texts.number, ...body});
    if (status !== 200) { say(`${answer.told ?? status} ${answer.hint ?? ""}`); return null; }
    say("");
    if (answer.turns) { turns = answer.turns; show(); }
    return answer;
  } catch { say(t.offline); return null; }
}

function part(turn, name, who) {
  const way = turn.dirs[name], other = way === "rtl" ? "ltr" : "rtl";
  const head = el("p", {className: "who chrome"}, el("span", {textContent: who}), button("⇄", () => send("turn", {turn: turn.id, part: name, dir: other}), {title: t.switch, ariaLabel: `${t.switch}: ${who}`}));
  return el("div", {className: `said ${name === "question" ? "asked" : ""}`, dir: way}, head, marked(turn.views[name], texts.language, texts.review));
}

function state(turn) {
  if (turn.state === "waiting") return turn.before ? `${t.waiting} ${turn.before}` : t.loading;
  return {writing: t.writing, stopped: t.stopped}[turn.state] ?? "";
}

function acts(turn) {
  const rate = (thumb, name) => button(name, () => { const on = turn.thumb === thumb; why(turn, on ? 0 : thumb); }, {ariaPressed: String(turn.thumb === thumb)});
  const found = [rate(1, t.good), rate(-1, t.bad), button(t.again, () => ask(turn.question, turn.place)), button(t.edit, () => edit(turn))];
  if (turn.state === "done" && texts.tasks.length) {
    const task = el("select", {ariaLabel: t.task}, ...texts.tasks.map(name => el("option", {value: name, textContent: name})));
    found.push(el("span", {}, task, " ", button(t.seed_it, async () => { if (await send("seed", {turn: turn.id, task: task.value})) say(t.seeded); })));
  }
  return el("div", {className: "acts chrome"}, ...found, button(t.forget, () => send("forget", {turn: turn.id})));
}
async function why(turn, thumb) {
  await send("rate", {turn: turn.id, thumb, text: turn.reason});
  if (thumb) document.querySelector(`#why-${turn.id}`)?.focus();
}

function item(turn) {
  const node = el("li", {className: "turn", id: `turn-${turn.id}`}, part(turn, "question", t.you));
  if (turn.state === "failed") node.append(el("p", {className: "failed chrome", dir: "ltr", textContent: turn.answer}));
  else node.append(part(turn, "answer", t.model));
  const told = state(turn);
  if (told) node.append(el("p", {className: "muted chrome", textContent: told}));
  if (!OPEN.includes(turn.state)) {
    node.append(acts(turn));
    if (turn.thumb) {
      const box = el("input", {id: `why-${turn.id}`, value: turn.reason, maxLength: 500, dir: "auto"});
      box.addEventListener("change", () => send("rate", {turn: turn.id, thumb: turn.thumb, text: box.value}));
      node.append(el("label", {className: "chrome"}, `${t.why} `, box));
    }
    const {temperature, max_tokens, seed, draw} = turn.sampling;
    node.append(el("p", {className: "how", dir: "ltr", lang: "en", textContent: `temperature ${temperature} · max_tokens ${max_tokens} · seed ${seed} · draw ${draw}`}));
  }
  return node;
}

function show() {
  const at = document.activeElement?.id;
  $("turns").replaceChildren(...turns.map(item));
  if (at?.startsWith("why-")) $(at)?.focus();
  const open = OPEN.includes(turns.at(-1)?.state);
  $("stop").hidden = !open;
  if (open) { clearTimeout(timer); timer = setTimeout(look, LOOK_MS); }
}

async function look() {  // only the last turn changes
  const {status, answer} = await call("/api/chat/look", {chat: texts.number}).catch(() => ({}));
  if (status === 200 && answer.turn) {
    turns[turns.length - 1] = answer.turn;
    if (OPEN.includes(answer.turn.state)) { $(`turn-${answer.turn.id}`)?.replaceWith(item(answer.turn)); timer = setTimeout(look, LOOK_MS); }
    else show();
  } else if (status === 401) say(texts.told.log_in_first);
  else { say(t.offline); timer = setTimeout(look, LOOK_MS * 10); }
}

function edit(turn) {
  editing = turn.place;
  $("question").value = turn.question;
  $("cancel").hidden = false;
  $("asking").textContent = t.editing;
  $("question").focus();
}
function leave() { editing = null; $("cancel").hidden = true; $("asking").textContent = t.question; }

async function ask(text, place = null) {
  const field = name => Number($("composer").elements[name].value);
  const sampling = Object.fromEntries(["temperature", "max_tokens", "seed"].map(name => [name, field(name)]));
  const done = await send("ask", {text, place, sampling});
  if (done) document.getElementById("turns").lastElementChild?.scrollIntoView({block: "nearest"});
  return done;
}

$("composer").addEventListener("submit", async e => {
  e.preventDefault();
  if (await ask($("question").value, editing)) { $("question").value = ""; leave(); }
});
$("composer").addEventListener("keydown", e => { if (e.code === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); $("composer").requestSubmit(); } });
$("stop").addEventListener("click", () => send("stop", {}));
$("cancel").addEventListener("click", () => { leave(); $("question").value = ""; });
show();
$("ready").disabled = false;
