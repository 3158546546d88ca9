// What every card does: texts reach the page as text nodes only, each decision has a key that is chosen here, once.

export const el = (tag, props = {}, ...children) => { const node = Object.assign(document.createElement(tag), props); node.append(...children); return node; };
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");

export async function call(path, body) {  // → {status, answer}; throws where there is no connection
  const response = await fetch(path, {method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json"}, signal: AbortSignal.timeout(15000)});
  return {status: response.status, answer: await response.json().catch(() => ({}))};
}

function pieces(parent, span) {
  for (const [text, kind, title] of span.pieces) {
    if (kind === "ltr") parent.append(el("bdi", {className: "n", dir: "ltr", textContent: text}));
    else if (kind === "hidden") parent.append(el("bdi", {className: "chip", dir: "ltr", textContent: title}));
    else if (kind === "lookalike") parent.append(el("mark", {title, textContent: text}));
    else parent.append(el("span", {textContent: text}));
  }
  return parent;
}
export function marked(paragraphs, language, words) {
  const box = el("div", {className: "text", lang: language});
  for (const one of paragraphs) {
    const line = el(one.code ? "pre" : "p", {dir: one.code ? "ltr" : one.dir});
    for (const span of one.spans) {
      const changed = {"-": ["del", words.removed], "+": ["ins", words.added]}[span.change];
      if (!changed) { pieces(line, span); continue; }
      const node = pieces(el(changed[0]), span);
      node.setAttribute("aria-label", `${changed[1]}: ${node.textContent}`);
      line.append(node);
    }
    box.append(line);
  }
  return box;
}
