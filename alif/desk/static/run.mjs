// The run's page follows the run: one small JSON every five seconds; tables and figures only where the stamp is another.
// What comes is text, or a page of this desk whose texts were escaped by the server.

const EVERY_MS = 5000;
const live = document.getElementById("live"), offline = document.getElementById("offline");

function show(words) {
  for (const node of live.querySelectorAll("[data-live]")) {
    const value = words[node.dataset.live];
    if (node.tagName !== "PROGRESS") { if (node.textContent !== value) node.textContent = value; continue; }
    node.hidden = value === null;
    if (value !== null) node.value = value;
  }
}

async function fetchParts() {  // what is open stays open, and where the reader was
  const page = new DOMParser().parseFromString(await (await fetch("/run")).text(), "text/html");
  const fresh = page.getElementById("parts"), old = document.getElementById("parts");
  if (!fresh) return;
  [...old.querySelectorAll("details")].forEach((one, place) => { const other = fresh.querySelectorAll("details")[place]; if (other) other.open = one.open; });
  const at = scrollY;
  old.replaceWith(document.adoptNode(fresh));
  scrollTo(0, at);
  live.dataset.stamp = page.getElementById("live").dataset.stamp;
}

async function look() {
  try {
    const response = await fetch("/run/state.json", {signal: AbortSignal.timeout(15000)});
    if (response.status === 401 || response.redirected) { location.reload(); return; }
    const words = await response.json();
    show(words);
    if (words.stamp !== live.dataset.stamp) await fetchParts();
    offline.hidden = true;
  } catch { offline.hidden = false; }
  setTimeout(look, EVERY_MS);
}
setTimeout(look, EVERY_MS);
