// An alert that is open on screen says so when it changes, and how; nothing moves: the reader loads it again when they want to.

const page = document.getElementById("changed");
const said = document.getElementById("changed-how");

async function tell() {
  const answer = await fetch(`/alerts/${page.dataset.id}/row`);
  if (!answer.ok) return true;
  const template = document.createElement("template");
  template.innerHTML = (await answer.text()).trim();
  const row = template.content.firstElementChild;
  if (Number(row.dataset.version) <= Number(page.dataset.version)) return false; // the warehouse is a moment behind
  page.dataset.version = row.dataset.version;
  const reason = row.querySelector(".state + br + small");
  said.textContent = [row.querySelector(".state").textContent, reason?.textContent].filter(Boolean).join(": ");
  page.hidden = false;
  return true;
}

async function take(event) {
  const news = JSON.parse(event.data);
  if (news.id !== page.dataset.id || news.version <= Number(page.dataset.version)) return;
  if (!(await tell())) setTimeout(() => take(event), 500);
}

// A view around this alert's person: nothing is drawn for it, versions are only named.
const about = `from=${encodeURIComponent(page.dataset.from)}&state=all&same_person=${page.dataset.id}`;
const source = new EventSource(`/feed/live?${about}`);
source.addEventListener("alert", take);
for (const name of ["reload", "over"]) source.addEventListener(name, () => source.close());
addEventListener("pagehide", () => source.close());
