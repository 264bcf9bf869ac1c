import { announce } from "./notices.js";

// The live feed: new alerts wait behind a pill, so that no row moves under the cursor; known rows change where they stand.

const table = document.getElementById("feed");
const body = table.tBodies[0];
const pill = document.getElementById("pill");
const state = document.getElementById("live");
const said = document.getElementById("said");
const none = document.getElementById("none");
const waiting = new Map(); // alert id → {version, html}, the newest last

const rowOf = (id) => document.getElementById(`a-${id}`);

// The server escapes what it draws; a template element runs no script, and the page's policy allows none inline.
function rowFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

function show(kind) {
  state.hidden = false;
  state.className = `badge live-${kind}`;
  const text = state.dataset[kind];
  if (state.textContent !== text) state.textContent = text;
}

function showPill() {
  pill.hidden = waiting.size === 0;
  pill.textContent = pill.dataset.text.replace("{number}", waiting.size);
}

function replace(old, html) {
  const fresh = rowFrom(html);
  const box = old.querySelector("input[type=checkbox]");
  const newBox = fresh.querySelector("input[type=checkbox]");
  if (box && newBox) newBox.checked = box.checked;
  const current = old.getAttribute("aria-current");
  const focused = old.contains(document.activeElement) ? document.activeElement.tagName : "";
  fresh.classList.add("changed");
  if (current) fresh.setAttribute("aria-current", current);
  old.replaceWith(fresh);
  if (focused) (fresh.querySelector(focused.toLowerCase()) ?? fresh.querySelector("a")).focus();
  said.textContent = `${table.dataset.updated}: ${fresh.querySelector("th").textContent.trim()}, ${fresh.querySelector(".state").textContent}`;
}

async function take(event) {
  const news = JSON.parse(event.data);
  const old = rowOf(news.id);
  if (old) {
    if (Number(old.dataset.version) >= news.version) return;
    let html = news.html;
    if (!html) {
      const answer = await fetch(`/alerts/${news.id}/row`);
      if (!answer.ok) return;
      html = await answer.text();
      const version = Number(rowFrom(html).dataset.version);
      if (version < news.version) { setTimeout(() => take(event), 500); return; } // the warehouse is a moment behind
    }
    const now = rowOf(news.id);
    if (now && Number(now.dataset.version) < news.version) replace(now, html);
    return;
  }
  const known = waiting.get(news.id);
  if (known && known.version >= news.version) return;
  waiting.delete(news.id);
  if (news.shown && !known) announce(rowFrom(news.html));
  if (news.shown) waiting.set(news.id, { version: news.version, html: news.html });
  showPill();
}

// Somebody took, gave or put to rest alerts: rows on screen say so.
async function redraw(event) {
  for (const id of JSON.parse(event.data)) {
    if (!rowOf(id)) continue;
    const answer = await fetch(`/alerts/${id}/row`);
    if (answer.ok && rowOf(id)) replace(rowOf(id), await answer.text());
  }
}

pill.addEventListener("click", () => {
  for (const { html } of waiting.values()) {
    const row = rowFrom(html);
    row.classList.add("new");
    body.prepend(row);
  }
  waiting.clear();
  none.hidden = true;
  showPill();
  select(body.rows[0]);
});

function connect() {
  const query = table.dataset.query ? `&${table.dataset.query}` : "";
  const source = new EventSource(`/feed/live?from=${encodeURIComponent(table.dataset.from)}&work=${table.dataset.work}${query}`);
  source.addEventListener("open", () => show("live"));
  source.addEventListener("error", () => show("waiting"));
  source.addEventListener("alert", take);
  source.addEventListener("work", redraw);
  source.addEventListener("reload", () => { source.close(); show("reload"); });
  source.addEventListener("over", () => { source.close(); show("over"); });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

// Keys: by their place on the keyboard, so that they are the same in Kazakh, Russian and English layouts.

let current = null;

function select(row) {
  if (!row) return;
  current?.removeAttribute("aria-current");
  current = rowOf(row.dataset.id) ?? row;
  current.setAttribute("aria-current", "true");
  current.querySelector("a").focus({ preventScroll: true });
  current.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const rows = [...body.rows];
  const at = current ? rows.findIndex((row) => row.dataset.id === current.dataset.id) : -1;
  select(rows[Math.min(Math.max(at + by, 0), rows.length - 1)]);
}

const boxOf = (row) => row && rowOf(row.dataset.id)?.querySelector("input[type=checkbox]");

// Presses a button of the tools for the chosen rows, or for the current one if none is chosen.
function press(name) {
  const box = boxOf(current);
  const everything = document.getElementById("everything");
  if (!everything?.checked && !body.querySelector("input:checked") && box) box.checked = true;
  if (everything?.checked || body.querySelector("input:checked")) {
    document.getElementById("work").requestSubmit(document.getElementById(name));
  }
}

const keys = {
  KeyJ: () => step(1),
  KeyK: () => step(-1),
  KeyX: () => { const box = boxOf(current); if (box) box.checked = !box.checked; },
  KeyA: () => press("acknowledge"),
  KeyT: () => press("take"),
  KeyZ: () => press("snooze"),
  KeyC: () => press("close"),
  KeyP: () => press("proceed"),
  KeyU: () => document.getElementById("undo")?.click(),
  KeyN: () => { if (!pill.hidden) pill.click(); },
  KeyG: () => { location.href = `/feed/groups?${table.dataset.query}`; },
  KeyS: () => document.getElementById("f-severity").focus(),
  Slash: (event) => (event.shiftKey ? help() : document.getElementById("q").focus()),
};

const help = () => document.getElementById("help").showModal();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const where = event.target;
  if (where.closest("dialog, select, textarea") || (where.tagName === "INPUT" && where.type !== "checkbox")) return;
  // In Russian and Kazakh layouts "?" and "/" are on other keys: what is written on them works too.
  const act = event.key === "?" ? help : event.key === "/" ? () => keys.Slash({ shiftKey: false }) : keys[event.code];
  if (!act) return;
  event.preventDefault();
  act(event);
});

const all = document.getElementById("all");
all.hidden = false;
all.addEventListener("change", () => {
  for (const box of body.querySelectorAll("input[type=checkbox]")) box.checked = all.checked;
});
const keysButton = document.getElementById("keys");
keysButton.hidden = false;
keysButton.addEventListener("click", help);
connect();
